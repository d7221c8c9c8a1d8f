"""The lines of a puzzle list, read with bounds on everything: text or CSV, with or without solutions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from trm_engine.progress import Progress, silent
from trm_engine.tasks.puzzle_lists import Bounds, Lines, Place, Row, csv_rows, find_column, line_fault
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.text import symbol_values
from trm_engine.text import safe_text

PUZZLE_COLUMNS = ("puzzle", "puzzles", "quiz", "quizzes", "question", "questions")
SOLUTION_COLUMNS = ("solution", "solutions", "answer", "answers")
MAX_LINE = 4096
_BOUNDS = Bounds(line=MAX_LINE, report_every=4096)
_SEPARATORS = re.compile(r"[\s,;]+")


class Header(NamedTuple):
    """What the header of a CSV says: the columns of puzzle and solution, of how many, and where it ends."""

    puzzle: int
    solution: int | None
    columns: int
    end: Place


def read_header(path: Path) -> Header | None:
    """Return the header of a CSV; None where the first line that says something names no puzzles."""
    lines = Lines(path, silent, _BOUNDS, _saying)
    first = next(iter(lines), "")
    names = [name.strip().strip('"').lower() for name in first.split(",")]
    puzzle = find_column(names, PUZZLE_COLUMNS)
    if puzzle is None:
        return None
    return Header(puzzle, find_column(names, SOLUTION_COLUMNS), len(names), lines.place)


def read_rows(
    geometry: Geometry, path: Path, progress: Progress, header: Header | None, start: Place | None = None
) -> Iterator[Row]:
    """Yield the rows of a list from `start` on; raise `UsageError` where one cannot be read.

    `header` is what `read_header` found; by default a CSV is read from there on, and a text from its first
    line.
    """
    if header is not None:
        lines = Lines(path, progress, _BOUNDS, _saying, start or header.end)
        for row in csv_rows(lines, iter(lines), header.puzzle, header.solution, strict=False):
            yield Row(row.line, row.puzzle.strip(), row.solution.strip())
        return
    lines = Lines(path, progress, _BOUNDS, _saying)
    texts = iter(lines)
    first = next(texts, None)
    if first is None:
        return
    cells = _SEPARATORS.split(first)[0]
    if len(cells) != geometry.cells and not set(cells) <= symbol_values(geometry).keys():
        raise line_fault(
            path,
            lines.number,
            f'"{safe_text(cells[:40])}" is no puzzle, nor does the line name a column "puzzle" or "question"',
        )
    yield _text_row(path, lines.number, first)
    for text in texts:
        yield _text_row(path, lines.number, text)


def _text_row(path: Path, number: int, text: str) -> Row:
    parts = _SEPARATORS.split(text.strip(" \t,;"))
    if len(parts) > 2:
        raise line_fault(
            path,
            number,
            f"holds {len(parts)} words; write a puzzle and at most its solution, or give a CSV header",
        )
    return Row(number, parts[0], parts[1] if len(parts) == 2 else "")


def _saying(text: str) -> str:
    text = text.strip()
    return "" if text.startswith("#") else text
