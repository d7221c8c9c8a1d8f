"""Read lists of mazes: CSV in the layout of the Hub's data sets, or text with a maze a line.

Lines begin and end with spaces that are cells, so nothing here strips them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.errors import UsageError
from engine.tasks.base import Examples
from engine.tasks.maze.rules import Shape, first_fault, has_ends, paths_of, with_path
from engine.tasks.maze.text import Grids, to_tokens
from engine.tasks.progress import Progress, silent
from engine.text import format_bytes, safe_text

_PUZZLE_COLUMNS = ("question", "questions", "puzzle", "puzzles", "maze", "mazes")
_SOLUTION_COLUMNS = ("answer", "answers", "solution", "solutions", "path", "paths")
_MAX_FILE = 2**29
_MAX_LINE = 8192
_ROWS_AT_ONCE = 1024


class _Row(NamedTuple):
    """A maze as text, its answer (or nothing), and the line it stands on, counted from 1."""

    line: int
    puzzle: str
    answer: str


def read_list(
    shape: Shape, path: Path, *, check_unique: bool = False, progress: Progress = silent
) -> Examples:
    """Read all mazes of a list, with their paths.

    A CSV file (`source,question,answer,rating`) names its columns in a header. In a text file each line is a
    maze and, after one space, comma or semicolon, its answer. A given answer must be a shortest path; where
    none is given it is found. With `check_unique` a maze with several shortest paths is not sound.

    Raises `UsageError` naming file, line and what is wrong.
    """
    parts: list[Examples] = []
    rows: list[_Row] = []
    for row in _read_rows(shape, path, progress):
        rows.append(row)
        if len(rows) == _ROWS_AT_ONCE:
            parts.append(_decode(shape, path, rows, check_unique))
            rows = []
    if rows:
        parts.append(_decode(shape, path, rows, check_unique))
    if not parts:
        raise UsageError(f"{safe_text(str(path))}: holds no mazes; write one a line")
    return Examples.of(
        np.concatenate([part.inputs for part in parts]), np.concatenate([part.labels for part in parts])
    )


def _fault(path: Path, line: int, what: str) -> UsageError:
    return UsageError(f"{safe_text(str(path))}, line {line}: {what}")


def _decode(shape: Shape, path: Path, rows: Sequence[_Row], check_unique: bool) -> Examples:
    puzzles = _tokens(shape, path, rows, "maze", [row.puzzle for row in rows])
    answers = _tokens(shape, path, rows, "answer", [row.answer or row.puzzle for row in rows])
    sound = has_ends(puzzles)
    if sound.all():
        paths = paths_of(shape, puzzles)
        several = np.flatnonzero(~paths.unique & (paths.lengths > 0))
        if check_unique and len(several):
            raise _fault(path, rows[several[0]].line, "the maze has more than one shortest path")
        missing = np.array([not row.answer for row in rows])
        answers = np.where(missing[:, None], with_path(puzzles, paths.cells), answers)
    examples = Examples.of(puzzles, answers)
    fault = first_fault(shape, examples)
    if fault is not None:
        raise _fault(path, rows[fault[0]].line, fault[1])
    return examples


def _tokens(shape: Shape, path: Path, rows: Sequence[_Row], what: str, texts: Sequence[str]) -> Grids:
    for row, text in zip(rows, texts, strict=True):
        if len(text) != shape.cells:
            raise _fault(
                path,
                row.line,
                f"the {what} has {len(text)} cells; a {shape} maze has {shape.cells} "
                "(task.rows and task.cols set its size; spaces count)",
            )
    tokens = to_tokens(texts, shape.cells)
    if not tokens.all():
        number, cell = np.argwhere(tokens == 0)[0]
        symbol = safe_text(texts[number][cell])
        place = shape.place(cell)
        raise _fault(
            path, rows[number].line, f'{place} of the {what} is "{symbol}"; a cell is one of # space . S G o'
        )
    return tokens


def _read_rows(shape: Shape, path: Path, progress: Progress) -> Iterator[_Row]:
    lines = _Lines(path, progress)
    texts = iter(lines)
    first = next(texts, None)
    if first is None:
        return
    header = [name.strip(' "').lower() for name in first.split(",")]
    puzzle = _find(header, _PUZZLE_COLUMNS)
    if puzzle is not None:
        yield from _csv_rows(path, lines, texts, puzzle, _find(header, _SOLUTION_COLUMNS))
        return
    yield _text_row(shape, path, lines.number, first)
    for text in texts:
        yield _text_row(shape, path, lines.number, text)


def _find(header: Sequence[str], names: Sequence[str]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _text_row(shape: Shape, path: Path, number: int, text: str) -> _Row:
    cells = shape.cells
    if len(text) == cells:
        return _Row(number, text, "")
    if len(text) == 2 * cells + 1 and text[cells] in " ,;\t":
        return _Row(number, text[:cells], text[cells + 1 :])
    raise _fault(
        path,
        number,
        f"has {len(text)} characters; write a {shape} maze ({cells} cells), at most followed by a space and "
        'its answer, or give a CSV header that names a column "question"',
    )


def _csv_rows(
    path: Path, lines: _Lines, texts: Iterator[str], puzzle: int, answer: int | None
) -> Iterator[_Row]:
    rows = csv.reader(texts, strict=True)
    needed = max(puzzle, answer or 0) + 1
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise _fault(path, lines.number, f"is no sound CSV: {error}") from error
        if row is None:
            return
        if len(row) < needed:
            raise _fault(path, lines.number, f"has {len(row)} columns; the header names {needed} or more")
        yield _Row(lines.number, row[puzzle], "" if answer is None else row[answer])


class _Lines:
    """The lines of a file that are not empty, without their ends; `number` is the latest one's, from 1."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self.number = 0
        self._path = path
        self._progress = progress

    def __iter__(self) -> Iterator[str]:
        what, done = f"reading {self._path.name}", 0
        try:
            size = self._path.stat().st_size
            if size > _MAX_FILE:
                raise UsageError(
                    f"{safe_text(str(self._path))}: is larger than {format_bytes(_MAX_FILE)}; "
                    "write it as a dataset folder (data build --format published), which stays on disk"
                )
            with self._path.open("rb") as file:
                while raw := file.readline(_MAX_LINE + 1):
                    self.number += 1
                    done += len(raw)
                    if len(raw) > _MAX_LINE:
                        raise _fault(self._path, self.number, f"is longer than {_MAX_LINE} bytes")
                    text = raw.rstrip(b"\r\n").decode("utf-8-sig" if self.number == 1 else "utf-8", "replace")
                    if text:
                        yield text
                    if self.number % _ROWS_AT_ONCE == 0:
                        self._progress(what, done, max(size, done))
        except OSError as error:
            raise UsageError(f"{safe_text(str(self._path))}: cannot be read: {error.strerror}") from error
