"""The lines of a puzzle list, read with bounds on everything: text or CSV, with or without solutions."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from engine.errors import UsageError
from engine.tasks.progress import Progress, silent
from engine.tasks.sudoku.geometry import Geometry
from engine.tasks.sudoku.text import symbol_values
from engine.text import safe_text

PUZZLE_COLUMNS = ("puzzle", "puzzles", "quiz", "quizzes", "question", "questions")
SOLUTION_COLUMNS = ("solution", "solutions", "answer", "answers")
MAX_LINE = 4096
_REPORT_EVERY = 4096
_SEPARATORS = re.compile(r"[\s,;]+")


class Row(NamedTuple):
    """A puzzle as text, its solution (or nothing), and the line it stands on, counted from 1."""

    line: int
    puzzle: str
    solution: str


def line_fault(path: Path, line: int, what: str) -> UsageError:
    """Return the error for a line of a file."""
    return UsageError(f"{safe_text(str(path))}, line {line}: {what}")


class Place(NamedTuple):
    """A place between two lines of a file: the bytes and the lines before it."""

    offset: int
    line: int


class Header(NamedTuple):
    """What the header of a CSV says: the columns of puzzle and solution, of how many, and where it ends."""

    puzzle: int
    solution: int | None
    columns: int
    end: Place


def read_header(path: Path) -> Header | None:
    """Return the header of a CSV; None where the first line that says something names no puzzles."""
    lines = _Lines(path, silent)
    first = next(iter(lines), "")
    names = [name.strip().strip('"').lower() for name in first.split(",")]
    puzzle = _find(names, PUZZLE_COLUMNS)
    if puzzle is None:
        return None
    return Header(puzzle, _find(names, SOLUTION_COLUMNS), len(names), lines.place)


def read_rows(
    geometry: Geometry, path: Path, progress: Progress, header: Header | None, start: Place | None = None
) -> Iterator[Row]:
    """Yield the rows of a list from `start` on; raise `UsageError` where one cannot be read.

    `header` is what `read_header` found; by default a CSV is read from there on, and a text from its first
    line.
    """
    if header is not None:
        lines = _Lines(path, progress, start or header.end)
        yield from _csv_rows(path, lines, iter(lines), header.puzzle, header.solution)
        return
    lines = _Lines(path, progress)
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


def _find(header: list[str], names: tuple[str, ...]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _text_row(path: Path, number: int, text: str) -> Row:
    parts = _SEPARATORS.split(text.strip(" \t,;"))
    if len(parts) > 2:
        raise line_fault(
            path,
            number,
            f"holds {len(parts)} words; write a puzzle and at most its solution, or give a CSV header",
        )
    return Row(number, parts[0], parts[1] if len(parts) == 2 else "")


def _csv_rows(
    path: Path, lines: _Lines, texts: Iterator[str], puzzle: int, solution: int | None
) -> Iterator[Row]:
    rows = csv.reader(texts)
    needed = max(puzzle, solution or 0) + 1
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise line_fault(path, lines.number, f"is no sound CSV: {error}") from error
        if row is None:
            return
        if len(row) < needed:
            raise line_fault(path, lines.number, f"has {len(row)} columns; the header names {needed} or more")
        yield Row(lines.number, row[puzzle].strip(), "" if solution is None else row[solution].strip())


class _Lines:
    """The lines of a file that say something, without their ends; `number` is the latest one's, from 1."""

    def __init__(self, path: Path, progress: Progress, start: Place | None = None) -> None:
        self.offset, self.number = start or Place(0, 0)
        self._path = path
        self._progress = progress

    @property
    def place(self) -> Place:
        """The place after the latest line."""
        return Place(self.offset, self.number)

    def __iter__(self) -> Iterator[str]:
        what = f"reading {self._path.name}"
        try:
            with self._path.open("rb") as file:
                size = self._path.stat().st_size
                file.seek(self.offset)
                while raw := file.readline(MAX_LINE + 1):
                    self.number += 1
                    self.offset += len(raw)
                    if len(raw) > MAX_LINE:
                        raise line_fault(self._path, self.number, f"is longer than {MAX_LINE} bytes")
                    text = raw.decode("utf-8-sig" if self.number == 1 else "utf-8", "replace").strip()
                    if text and not text.startswith("#"):
                        yield text
                    if self.number % _REPORT_EVERY == 0:
                        self._progress(what, self.offset, max(size, self.offset))
        except OSError as error:
            raise UsageError(f"{safe_text(str(self._path))}: cannot be read: {error.strerror}") from error
