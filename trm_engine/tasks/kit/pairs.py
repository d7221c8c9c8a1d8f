"""Lists of puzzles with their solutions as text: CSV with a header, or a pair of words a line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trm_engine.errors import UsageError
from trm_engine.progress import Progress, silent
from trm_engine.tasks.puzzle_lists.columns import Names, find_columns, require_columns
from trm_engine.tasks.puzzle_lists.files import ListFile, readable
from trm_engine.tasks.puzzle_lists.lines import Bounds, Lines, Row, csv_rows, line_fault

_BOUNDS = Bounds(line=8192, report_every=1024, file=2**28)


@dataclass(frozen=True)
class Pair:
    """A puzzle as text, its solution (or nothing), and where it stands."""

    file: ListFile
    line: int
    puzzle: str
    solution: str

    @contextmanager
    def named(self) -> Iterator[None]:
        """Let a `UsageError` raised within name the file and the line."""
        try:
            yield
        except UsageError as error:
            raise line_fault(self.file, self.line, str(error)) from error


def read_pairs(path: Path, columns: str, progress: Progress) -> list[Pair]:
    """Return the pairs of a list, at least one; blank lines and comments (`# …`) are skipped.

    A CSV file names its columns in a header (`puzzle`, `question`, …; `solution`, `answer`, …; `columns` says
    other names). In a text file each line is a puzzle and, after blanks, its solution. Raises `UsageError`
    naming file and line.
    """
    with readable(path) as file:
        pairs = [
            Pair(file, row.line, row.puzzle.strip(), row.solution.strip())
            for row in _rows(file, columns, progress)
        ]
        if not pairs:
            raise UsageError(f"{file.name}: holds no puzzles; write one a line")
        return pairs


def _rows(file: ListFile, columns: str, progress: Progress) -> Iterator[Row]:
    header = Lines(file, silent, _BOUNDS, _saying)
    first = next(iter(header), None)
    if first is None:
        return
    names = Names.of(columns)
    require_columns(first, names, columns)
    found = find_columns(first, names)
    if found is not None:
        lines = Lines(file, progress, _BOUNDS, _saying, header.place)
        yield from csv_rows(lines, iter(lines), found, strict=True)
        return
    lines = Lines(file, progress, _BOUNDS, _saying)
    for text in lines:
        words = text.split()
        if len(words) > 2:
            what = f"holds {len(words)} words; write a puzzle and at most its solution, or give a CSV header"
            raise line_fault(file, lines.number, what)
        yield Row(lines.number, words[0], words[1] if len(words) == 2 else "")


def _saying(text: str) -> str:
    text = text.strip()
    return "" if text.startswith("# ") or text == "#" else text
