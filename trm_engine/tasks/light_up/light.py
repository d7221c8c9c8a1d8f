"""How light falls in many grids at once.

Arrays are cell-major, (rows, cols, N): a row or column of cells is moved for N grids together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.examples import Tokens

OPEN, BULB, WALL = 1, 2, 3
"""Tokens of an open cell, a bulb and a wall without a number; 0 is padding."""
FIRST_NUMBER = 4
"""Token of a wall with the number 0; that of the number k is FIRST_NUMBER + k."""
LAST_TOKEN = FIRST_NUMBER + 4

Scalar = TypeVar("Scalar", bound=np.generic)
Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.unsignedinteger]


@dataclass(frozen=True)
class Shape:
    """Rows and columns of a grid."""

    rows: int
    cols: int

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.rows * self.cols

    def __str__(self) -> str:
        return f"{self.rows}×{self.cols}"

    def place(self, cell: int) -> str:
        """Name a cell for people, counting from 1."""
        row, column = divmod(int(cell), self.cols)
        return f"row {row + 1}, column {column + 1}"

    def grids(self, tokens: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """Return grids (N, cells) as (rows, cols, N)."""
        return np.ascontiguousarray(tokens.T).reshape(self.rows, self.cols, -1)


@dataclass(frozen=True)
class Walls:
    """The walls of N grids: where cells are open, the number of each wall, and one that it must not have."""

    open: Flags
    number: Counts
    barred: Counts

    NONE = 9
    """What stands for no number."""

    @classmethod
    def of(cls, shape: Shape, puzzles: Tokens) -> Walls:
        """Return the walls of puzzles (N, cells), in which bulbs count as open cells."""
        grids = shape.grids(puzzles)
        number = np.where(grids >= FIRST_NUMBER, grids - FIRST_NUMBER, cls.NONE).astype(np.uint8)
        return cls(grids < WALL, number, np.full_like(number, cls.NONE))

    @property
    def numbered(self) -> Flags:
        """Which cells are walls with a number."""
        found: Flags = self.number != self.NONE
        return found

    def take(self, columns: npt.NDArray[np.intp]) -> Walls:
        """Return the given ones (M,) of the grids."""
        return Walls(
            self.open.take(columns, axis=2),
            self.number.take(columns, axis=2),
            self.barred.take(columns, axis=2),
        )

    def along(self, marks: Counts) -> Counts:
        """Add up the marks on open cells in the stretch of row, and in that of column, that each cell is on.

        A mark on the cell itself counts twice, once for each.
        """
        free = self.open.astype(marks.dtype)
        marks = marks * free
        across = _stretches(marks.swapaxes(0, 1), free.swapaxes(0, 1)).swapaxes(0, 1)
        return across + _stretches(marks, free)

    def in_view(self, marks: Flags) -> Counts:
        """Count the marks on other open cells that each open cell sees."""
        ones = (marks & self.open).astype(np.uint8)
        return self.along(ones) - 2 * ones


def _stretches(marks: Counts, free: Counts) -> Counts:
    """Return the sum of marks (n, m, N) over each unbroken stretch of free cells along the first axis."""
    sums = np.empty_like(marks)
    run = sums[0] = marks[0]
    for line in range(1, len(marks)):
        run = sums[line] = run * free[line] + marks[line]
    # The last cell of a stretch has its sum, which no other exceeds; the cells before take it over.
    joined = free[1:] * free[:-1]
    for line in range(len(marks) - 2, -1, -1):
        np.maximum(sums[line], sums[line + 1] * joined[line], out=sums[line])
    return sums


def touching(marks: Flags | Counts) -> Counts:
    """Add up the marks (rows, cols, N) on the up to four neighbours of each cell."""
    ones: Counts = marks * np.uint8(1)
    counts = np.zeros_like(ones)
    counts[1:] += ones[:-1]
    counts[:-1] += ones[1:]
    counts[:, 1:] += ones[:, :-1]
    counts[:, :-1] += ones[:, 1:]
    return counts
