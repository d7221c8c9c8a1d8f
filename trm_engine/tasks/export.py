"""Puzzles written as lists that `Task.load` reads back."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from trm_engine.tasks.base import PuzzleTask, Source

HEADER = ("puzzle", "solution")
_AT_ONCE = 2**12


def write_list(path: Path, task: PuzzleTask, puzzles: Source, *, as_csv: bool) -> None:
    """Write puzzles and their solutions, one pair a line, as CSV with a header or as plain text."""
    with path.open("x", encoding="utf-8", newline="") as file:
        if as_csv:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            writer.writerows(_lines(task, puzzles))
        else:
            file.writelines(f"{puzzle} {solution}\n" for puzzle, solution in _lines(task, puzzles))


def _lines(task: PuzzleTask, puzzles: Source) -> Iterator[tuple[str, str]]:
    for start in range(0, len(puzzles), _AT_ONCE):
        part = puzzles.take(slice(start, start + _AT_ONCE))
        for puzzle, label in zip(part.inputs, part.labels, strict=True):
            yield task.line(puzzle), task.line(label)
