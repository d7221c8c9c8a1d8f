"""Puzzles written as lists that `Task.load` reads back."""

from __future__ import annotations

import csv
from pathlib import Path

from engine.tasks.base import Examples, Task

HEADER = ("puzzle", "solution")


def write_list(path: Path, task: Task, examples: Examples, *, as_csv: bool) -> None:
    """Write puzzles and their solutions, one pair a line, as CSV with a header or as plain text."""
    pairs = (
        (task.line(puzzle), task.line(label))
        for puzzle, label in zip(examples.inputs, examples.labels, strict=True)
    )
    with path.open("x", encoding="utf-8", newline="") as file:
        if as_csv:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            writer.writerows(pairs)
        else:
            file.writelines(f"{puzzle} {solution}\n" for puzzle, solution in pairs)
