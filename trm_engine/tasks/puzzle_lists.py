"""Lists of puzzles as every task reads them: line by line, with bounds, and the columns of a CSV."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from trm_engine.errors import UsageError
from trm_engine.progress import Progress
from trm_engine.text import format_bytes, safe_text


class Row(NamedTuple):
    """A puzzle as text, its solution (or nothing), and the line it stands on, counted from 1."""

    line: int
    puzzle: str
    solution: str


class Place(NamedTuple):
    """A place between two lines of a file: the bytes and the lines before it."""

    offset: int
    line: int


class Bounds(NamedTuple):
    """How long a line may be, and a file (None: any size), in bytes; and after how many lines to report."""

    line: int
    report_every: int
    file: int | None = None


class Lines:
    """The lines of a file that say something, without their ends; `number` is the latest one's, from 1.

    `saying` returns what a line says, or nothing. Raises `UsageError` where a bound is passed, or the file
    cannot be read.
    """

    def __init__(
        self,
        path: Path,
        progress: Progress,
        bounds: Bounds,
        saying: Callable[[str], str],
        start: Place | None = None,
    ) -> None:
        self.path = path
        self.offset, self.number = start or Place(0, 0)
        self._progress = progress
        self._bounds = bounds
        self._saying = saying

    @property
    def place(self) -> Place:
        """The place after the latest line."""
        return Place(self.offset, self.number)

    def __iter__(self) -> Iterator[str]:
        what, bounds = f"reading {self.path.name}", self._bounds
        try:
            size = self.path.stat().st_size
            if bounds.file is not None and size > bounds.file:
                raise UsageError(
                    f"{safe_text(str(self.path))}: is larger than {format_bytes(bounds.file)}; "
                    "write it as a dataset folder (data build --format published), which stays on disk"
                )
            with self.path.open("rb") as file:
                file.seek(self.offset)
                while raw := file.readline(bounds.line + 1):
                    self.number += 1
                    self.offset += len(raw)
                    if len(raw) > bounds.line:
                        raise line_fault(self.path, self.number, f"is longer than {bounds.line} bytes")
                    text = raw.rstrip(b"\r\n").decode("utf-8-sig" if self.number == 1 else "utf-8", "replace")
                    if said := self._saying(text):
                        yield said
                    if self.number % bounds.report_every == 0:
                        self._progress(what, self.offset, max(size, self.offset))
        except OSError as error:
            raise UsageError(f"{safe_text(str(self.path))}: cannot be read: {error.strerror}") from error


def line_fault(path: Path, line: int, what: str) -> UsageError:
    """Return the error for a line of a file."""
    return UsageError(f"{safe_text(str(path))}, line {line}: {what}")


def find_column(header: Sequence[str], names: Sequence[str]) -> int | None:
    """Return the column that has one of `names`, the earlier name before the later; None where none has."""
    return next((header.index(name) for name in names if name in header), None)


def csv_rows(
    lines: Lines, texts: Iterator[str], puzzle: int, solution: int | None, *, strict: bool
) -> Iterator[Row]:
    """Yield the rows of a CSV from `texts`, which iterates over `lines`: the columns as they are written.

    With `strict`, a quote in the wrong place is an error. Raises `UsageError` where a row cannot be read.
    """
    rows = csv.reader(texts, strict=strict)
    needed = max(puzzle, solution or 0) + 1
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise line_fault(lines.path, lines.number, f"is no sound CSV: {error}") from error
        if row is None:
            return
        if len(row) < needed:
            what = f"has {len(row)} columns; the header names {needed} or more"
            raise line_fault(lines.path, lines.number, what)
        yield Row(lines.number, row[puzzle], "" if solution is None else row[solution])
