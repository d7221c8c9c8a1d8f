"""The lines of a list, with bounds on everything, and the rows of a CSV."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from typing import NamedTuple

from trm_engine.errors import UsageError
from trm_engine.progress import Progress
from trm_engine.remedies import Advice
from trm_engine.tasks.puzzle_lists.columns import Columns
from trm_engine.tasks.puzzle_lists.files import ListFile
from trm_engine.tasks.puzzle_lists.form import plain_digits
from trm_engine.text import format_bytes

_END_OF_DOS_FILE = "\x1a"


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
        file: ListFile,
        progress: Progress,
        bounds: Bounds,
        saying: Callable[[str], str],
        start: Place | None = None,
    ) -> None:
        self.file = file
        self.offset, self.number = start or Place(0, 0)
        self._progress = progress
        self._bounds = bounds
        self._saying = saying

    @property
    def place(self) -> Place:
        """The place after the latest line."""
        return Place(self.offset, self.number)

    def __iter__(self) -> Iterator[str]:
        what, bounds = f"reading {self.file.name.rpartition('/')[2]}", self._bounds
        try:
            size = self.file.path.stat().st_size
            if bounds.file is not None and size > bounds.file:
                raise UsageError(
                    f"{self.file.name}: is larger than {format_bytes(bounds.file)}",
                    remedies=[Advice.WRITE_DATASET_FOLDER],
                )
            with self.file.path.open("rb") as file:
                file.seek(self.offset)
                while raw := file.readline(bounds.line + 1):
                    self.number += 1
                    self.offset += len(raw)
                    if len(raw) > bounds.line:
                        what = f"is longer than {bounds.line} bytes"
                        if raw.lstrip()[:1] in (b"[", b"{", b"<"):
                            what += ", as JSON, XML and HTML are: write a puzzle a line, or CSV with a header"
                        raise line_fault(self.file, self.number, what)
                    if said := self._saying(_text_of(raw, first=self.number == 1)):
                        yield said
                    if self.number % bounds.report_every == 0:
                        self._progress(what, self.offset, max(size, self.offset))
        except OSError as error:
            raise UsageError(f"{self.file.name}: cannot be read: {error.strerror}") from error


def _text_of(raw: bytes, *, first: bool) -> str:
    """Return a line as text: of bytes that are no UTF-8, as Windows and old Unix systems mean them."""
    raw = raw.rstrip(b"\r\n\0")  # zeros end a file that a crash or a device has left
    try:
        text = raw.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return "" if text == _END_OF_DOS_FILE else plain_digits(text)


def line_fault(file: ListFile, line: int, what: str) -> UsageError:
    """Return the error for a line of a file."""
    return UsageError(f"{file.name}, line {line}: {what}")


def csv_rows(lines: Lines, texts: Iterator[str], columns: Columns, *, strict: bool) -> Iterator[Row]:
    """Yield the rows of a CSV from `texts`, which iterates over `lines`: the columns as they are written.

    With `strict`, a quote in the wrong place is an error. Raises `UsageError` where a row cannot be read.
    """
    puzzle, solution = columns.puzzle, columns.solution
    rows = csv.reader(texts, delimiter=columns.separator, strict=strict)
    needed = max(puzzle, solution or 0) + 1
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise line_fault(lines.file, lines.number, f"is not valid CSV: {error}") from error
        if row is None:
            return
        if len(row) < needed:
            what = f"has {len(row)} columns; the header names {needed} or more"
            raise line_fault(lines.file, lines.number, what)
        yield Row(lines.number, row[puzzle], "" if solution is None else row[solution])
