"""The puzzles of a list as text: a line each, in columns, or drawn over several lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from trm_engine.progress import Progress, silent
from trm_engine.tasks.puzzle_lists.columns import SEPARATORS, Columns, Names, find_columns, require_columns
from trm_engine.tasks.puzzle_lists.files import ListFile
from trm_engine.tasks.puzzle_lists.lines import Bounds, Lines, Place, Row, csv_rows, line_fault
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.lists.boards import Boards
from trm_engine.tasks.sudoku.lists.symbols import BLANKS, ZERO
from trm_engine.text import safe_text

MAX_LINE = 4096
_BOUNDS = Bounds(line=MAX_LINE, report_every=4096)
_LOOKED_AT = 400
"""Lines from which the use of `-`, `*` and `_` is learned."""
_BLANK = frozenset(BLANKS + ZERO)
_SECTION = re.compile(r"\[([A-Za-z ]{1,40})\]")
_JSON, _XML = ("{", "["), "<"
_UNFINISHED_SECTIONS = ("state", "candidates", "pencilmarks")
"""What SudoCue writes beside a puzzle: the same grid again, partly solved."""


class Header(NamedTuple):
    """What the first line of a list says of its columns, and where it ends."""

    columns: Columns
    end: Place


def read_header(file: ListFile, setting: str = "") -> Header | None:
    """Return the header of a list in columns; None where the first line that says something names no puzzles.

    `setting` is `task.columns`; raises `UsageError` where it names what the line has not.
    """
    lines = Lines(file, silent, _BOUNDS, _saying)
    first = next(iter(lines), "")
    names = Names.of(setting)
    columns = find_columns(first, names)
    require_columns(first, names, setting)
    # A single name is the title of what stands below it, in whatever form.
    return None if columns is None or columns.count == 1 else Header(columns, lines.place)


def read_rows(
    geometry: Geometry, file: ListFile, progress: Progress, header: Header | None, start: Place | None = None
) -> Iterator[Row]:
    """Yield the rows of a list from `start` on; raise `UsageError` where one cannot be read.

    `header` is what `read_header` found; by default a CSV is read from there on, and a text from its first
    line.
    """
    boards = Boards.seen_in(geometry, islice(Lines(file, silent, _BOUNDS, _saying), _LOOKED_AT))
    if header is None:
        yield from _Text(boards, Lines(file, progress, _BOUNDS, _saying)).rows()
        return
    lines = Lines(file, progress, _BOUNDS, _saying, start or header.end)
    for row in csv_rows(lines, iter(lines), header.columns, strict=False):
        yield Row(row.line, _cell(boards, row.puzzle), _cell(boards, row.solution))


def _cell(boards: Boards, text: str) -> str:
    """Return the grid that a column holds; as it is written where it is none."""
    text = text.strip()
    return text if len(text) == boards.geometry.cells else "".join(boards.whole(text)[:1]) or text


def _saying(text: str) -> str:
    text = text.strip()
    return "" if text.startswith("#") else text


class _Text:
    """Reads a list without a header; `_drawn` are the rows so far of a grid over several lines."""

    def __init__(self, boards: Boards, lines: Lines) -> None:
        self._boards, self._lines = boards, lines
        self._drawn: list[str] = []
        self._drawn_from = 0
        self._skipping = False
        self._first_unread: tuple[int, str] | None = None
        self._any = False

    def rows(self) -> Iterator[Row]:
        """Yield the puzzles; raise `UsageError` where a line is none and no part of one."""
        for text in self._lines:
            row = self._row_of(text)
            if row is not None:
                self._any = True
                yield row
        if self._drawn:
            raise self._unfinished()
        if not self._any and self._first_unread is not None:
            raise self._no_puzzle(*self._first_unread)

    def _row_of(self, text: str) -> Row | None:
        """Return the puzzle that a line is or completes."""
        section = _SECTION.fullmatch(text)
        if section is not None:
            self._skipping = section[1].strip().lower() in _UNFINISHED_SECTIONS
        if section is not None or self._skipping:
            return None
        words = self._boards.columns(text)
        grids = [word for word in words if self._boards.is_grid(word)]
        broken = [word for word in words if self._boards.is_nearly_grid(word)]
        if not grids and not broken:
            grids = self._boards.whole(text) or self._boards.within(text)
        if grids or broken:
            self._leave_drawing()
            return self._in_columns(text, grids, words.index(broken[0]) if broken else None, words)
        return self._drawn_row(text)

    def _leave_drawing(self) -> None:
        """Leave what was drawn so far: nothing, or the number of puzzles at the top of a list."""
        if len(self._drawn) == 1 and not self._any and self._drawn[0].isdecimal():
            self._drawn = []
        if self._drawn:
            raise self._unfinished()

    def _in_columns(self, text: str, grids: list[str], broken: int | None, words: list[str]) -> Row:
        """Return a line's puzzle, and its solution where there are two grids, whatever else it says."""
        number = self._lines.number
        if broken is not None:
            # Before the grid it is the puzzle that has a fault, else the solution.
            puzzle_first = not grids or broken < words.index(grids[0])
            first, second = (words[broken], "") if puzzle_first else (grids[0], words[broken])
            return Row(number, first, second)
        if len(grids) > 2 and text.startswith(_JSON):
            raise self._no_puzzle(number, text)
        if len(grids) > 2:
            raise line_fault(
                self._lines.file,
                number,
                f"holds {len(grids)} grids: give the columns a header, and name them with "
                "task.columns=PUZZLE,SOLUTION",
            )
        first, second = grids[0], grids[1] if len(grids) == 2 else ""
        if second and _BLANK.isdisjoint(first) and not _BLANK.isdisjoint(second):
            first, second = second, first  # a full grid before one with blanks is its solution
        return Row(number, first, second)

    def _drawn_row(self, text: str) -> Row | None:
        """Take a line as a row of a drawing, its frame, or its title; return the puzzle that it completes."""
        row = self._boards.row(text)
        if row == "":
            return None
        if row is None:
            self._pass_over(text)
            return None
        if not self._drawn:
            self._drawn_from = self._lines.number
        self._drawn.append(row)
        if len(self._drawn) < self._boards.geometry.side:
            return None
        puzzle, self._drawn = "".join(self._drawn), []
        return Row(self._drawn_from, puzzle, "")

    def _pass_over(self, text: str) -> None:
        """Leave a title, the number of puzzles or names of columns; raise `UsageError` for all else."""
        self._leave_drawing()
        number = self._lines.number
        at_top = not self._any and self._first_unread is None
        if at_top:
            self._first_unread = number, text
        counts_or_names = at_top and (text.isdecimal() or any(sign in text for sign in SEPARATORS))
        if text.startswith((*_JSON, _XML)) or not (counts_or_names or self._boards.is_title(text)):
            raise self._no_puzzle(number, text)

    def _unfinished(self) -> Exception:
        side, rows = self._boards.geometry.side, len(self._drawn)
        return line_fault(
            self._lines.file,
            self._drawn_from,
            f"the puzzle that begins here has {rows} of its {side} rows (a row without digits may have been "
            "taken for a frame: write blanks as . or 0)",
        )

    def _no_puzzle(self, number: int, text: str) -> Exception:
        if text.startswith((*_JSON, _XML)):
            form = "XML or HTML" if text.startswith(_XML) else "JSON"
            return line_fault(
                self._lines.file,
                number,
                f"is {form}: write a puzzle a line, or CSV with a header (puzzle,solution)",
            )
        word = next(iter(self._boards.columns(text)), text)
        if set(word) <= set("0123456789."):
            hint = f"a {self._boards.geometry} grid has {self._boards.geometry.cells}"
            return line_fault(
                self._lines.file,
                number,
                f"the puzzle has {len(word)} cells; {hint} (task.box_rows and box_cols set its size)",
            )
        text = safe_text(word[:40])
        shown = f'"{text}"' if text.strip() else "what it holds (no text)"
        return line_fault(
            self._lines.file,
            number,
            f'{shown} is not a puzzle, nor does the line name a column "puzzle" or "question" '
            "(task.columns names others)",
        )
