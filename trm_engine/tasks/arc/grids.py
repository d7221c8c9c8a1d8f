"""ARC tasks as they are written: pairs of coloured grids, made sure of cell by cell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from trm_engine.errors import UsageError
from trm_engine.tasks.arc.config import COLOURS, MAX_SIDE
from trm_engine.text import safe_text

Grid: TypeAlias = npt.NDArray[np.uint8]
"""Colours 0–9, (rows, columns), each 1 to 30."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_MOST_PAIRS = 100
_MOST_OF_LIST = 10_000


@dataclass(frozen=True)
class Pair:
    """An input and its output; None where nobody told it."""

    input: Grid
    output: Grid | None


@dataclass(frozen=True)
class Puzzle:
    """One ARC task: demonstrations, and test inputs to be answered by the same rule."""

    name: str
    train: tuple[Pair, ...]
    test: tuple[Pair, ...]

    @property
    def side(self) -> int:
        """Rows or columns, whichever are more, of its largest grid."""
        grids = (grid for pair in self.train + self.test for grid in (pair.input, pair.output))
        return max(int(side) for grid in grids if grid is not None for side in grid.shape)


class GridError(UsageError):
    """What is wrong with a grid, pair or task; `placed` says where it lies."""


@contextmanager
def placed(place: str) -> Iterator[None]:
    """Put the name of what is read in here in front of what is said to be wrong with it."""
    try:
        yield
    except GridError as error:
        raise GridError(f"{safe_text(place)}: {error}") from None


def is_name(value: str) -> bool:
    """Tell whether a task can be called so: one word."""
    return _NAME.fullmatch(value) is not None


def as_name(value: str) -> str:
    """Return the identifier of a task, which must be one word; raise `GridError` when it is none."""
    if not is_name(value):
        raise GridError(f'"{safe_text(value[:80])}" is not a task name (letters, digits, -, _ and .)')
    return value


def as_puzzle(name: str, value: object) -> Puzzle:
    """Check a task as JSON, {"train": [pair, …], "test": [pair, …]}; raise `GridError` when it is none.

    A list of pairs, as re-arc generates them, is a task of demonstrations alone.
    """
    with placed(f"task {as_name(name)}"):
        if isinstance(value, list) and value:
            return Puzzle(name, _as_pairs(value, "pairs", whole=True, most=_MOST_OF_LIST), ())
        if not isinstance(value, dict) or not {"train", "test"} <= value.keys():
            raise GridError('must be an object with "train" and "test"')
        train = _as_pairs(value["train"], "train", whole=True)
        return Puzzle(name, train, _as_pairs(value["test"], "test", whole=False))


def as_json(puzzle: Puzzle) -> dict[str, list[dict[str, list[list[int]]]]]:
    """Return a task as JSON, as `as_puzzle` reads it."""
    return {
        part: [
            {name: grid.tolist() for name, grid in vars(pair).items() if grid is not None} for pair in pairs
        ]
        for part, pairs in (("train", puzzle.train), ("test", puzzle.test))
    }


def as_grid(value: object) -> Grid:
    """Check a grid as JSON, a list of rows of colours; raise `GridError` when it is none."""
    value = _with_numbers(value)
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_SIDE:
        found = f"{len(value)} rows" if isinstance(value, list) else type(value).__name__
        raise GridError(f"is {found}; a grid is a list of 1 to {MAX_SIDE} rows")
    width = len(value[0]) if isinstance(value[0], list) else 0
    for number, row in enumerate(value, 1):
        if not isinstance(row, list) or not 1 <= len(row) <= MAX_SIDE:
            raise GridError(f"row {number} is not a list of 1 to {MAX_SIDE} cells")
        if len(row) != width:
            raise GridError(f"row {number} has {len(row)} cells, row 1 has {width}")
        for column, cell in enumerate(row, 1):
            if type(cell) is not int or not 0 <= cell < COLOURS:
                shown = safe_text(str(cell)[:20]) if not isinstance(cell, int) or abs(cell) < 10**9 else "…"
                raise GridError(f"row {number}, cell {column} is {shown}; colours are 0 to {COLOURS - 1}")
    return np.array(value, np.uint8)


def _with_numbers(value: object) -> object:
    """Return a grid's JSON with the colours that are written as text ("3", or a row "012") as numbers."""
    if not isinstance(value, list):
        return value
    rows = [[*row] if isinstance(row, str) else row for row in value]
    return [
        [_NUMBERS.get(cell, cell) if isinstance(cell, str) else cell for cell in row]
        if isinstance(row, list)
        else row
        for row in rows
    ]


_NUMBERS = {str(colour): colour for colour in range(COLOURS)}


def _as_pairs(value: object, what: str, *, whole: bool, most: int = _MOST_PAIRS) -> tuple[Pair, ...]:
    """Check a list of pairs; unless `whole`, they may lack their outputs."""
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise GridError(f'"{what}" must be a list of 1 to {most} pairs')
    pairs = []
    for number, pair in enumerate(value, 1):
        with placed(f"{what} pair {number}"):
            pairs.append(_as_pair(pair, whole=whole))
    return tuple(pairs)


def _as_pair(value: object, *, whole: bool) -> Pair:
    if not isinstance(value, dict) or "input" not in value:
        raise GridError('must be an object with "input" and "output"')
    output = value.get("output")
    if whole and output is None:
        raise GridError('has no "output"')
    with placed("input"):
        given = as_grid(value["input"])
    with placed("output"):
        return Pair(given, None if output is None else as_grid(output))
