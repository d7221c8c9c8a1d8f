"""The layout of a Futoshiki grid: cells with places for signs between them, as tokens and as arrays.

A grid of n×n cells is drawn on (2n − 1)² positions: cells where row and column are even, places for signs
between neighbours, and corners that stay empty. `<` and `^` point at the lesser cell: left of `<`, above `^`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.examples import Tokens
from trm_engine.tasks.kit.symmetry import Images, reflections

BLANK, FIRST_DIGIT = 1, 2
"""Tokens of an empty cell and of the digit 1; 0 is padding."""
Digits = npt.NDArray[np.uint8]
Signs = npt.NDArray[np.int8]


class Clues(NamedTuple):
    """What N puzzles give: digits (N, n²; 0 for blanks), and signs to the right of cells and below them.

    A sign (N, n, n − 1) or (N, n − 1, n) is 1 where the left or upper cell is the lesser, −1 where it is the
    greater, and 0 where there is none.
    """

    digits: Digits
    right: Signs
    below: Signs


@dataclass(frozen=True)
class Board:
    """A grid of n×n cells."""

    size: int

    @property
    def width(self) -> int:
        """Positions in a row or column of the drawing."""
        return 2 * self.size - 1

    @property
    def positions(self) -> int:
        """Positions of the drawing."""
        return self.width**2

    @property
    def no_sign(self) -> int:
        """Token of a place without a sign; `<`, `>`, `^` and `v` are the four after it."""
        return FIRST_DIGIT + self.size

    @property
    def vocab_size(self) -> int:
        """Number of tokens."""
        return self.no_sign + 5

    @property
    def cells(self) -> npt.NDArray[np.intp]:
        """The positions (n²,) of the cells."""
        return np.arange(self.positions).reshape(self.width, self.width)[::2, ::2].reshape(-1)

    def __str__(self) -> str:
        return f"{self.size}×{self.size}"

    def place(self, position: int) -> str:
        """Name a position for people, counting cells from 1."""
        row, column = divmod(int(position), self.width)
        if row % 2:
            return f"the sign below row {row // 2 + 1}, column {column // 2 + 1}"
        if column % 2:
            return f"the sign right of row {row // 2 + 1}, column {column // 2 + 1}"
        return f"row {row // 2 + 1}, column {column // 2 + 1}"

    def legal(self) -> npt.NDArray[np.bool_]:
        """Return which tokens (positions, V) may stand at each position of a puzzle."""
        found = np.zeros((self.width, self.width, self.vocab_size), np.bool_)
        found[::2, ::2, BLANK : self.no_sign] = True
        found[1::2, :, self.no_sign] = found[:, 1::2, self.no_sign] = True
        found[::2, 1::2, self.no_sign + 1 : self.no_sign + 3] = True
        found[1::2, ::2, self.no_sign + 3 : self.no_sign + 5] = True
        return found.reshape(self.positions, -1)

    def to_tokens(self, clues: Clues) -> Tokens:
        """Return grids (N, positions) of tokens."""
        tokens = np.full((len(clues.digits), self.width, self.width), self.no_sign, np.uint8)
        tokens[:, ::2, ::2] = clues.digits.reshape(-1, self.size, self.size) + BLANK
        for signs, part, first in (
            (clues.right, tokens[:, ::2, 1::2], self.no_sign + 1),
            (clues.below, tokens[:, 1::2, ::2], self.no_sign + 3),
        ):
            part[signs == 1] = first
            part[signs == -1] = first + 1
        return tokens.reshape(-1, self.positions)

    def to_clues(self, tokens: Tokens) -> Clues:
        """Return what grids (N, positions) give; a cell that holds no digit is blank."""
        grids = np.asarray(tokens).reshape(-1, self.width, self.width).astype(np.int16)
        cells = grids[:, ::2, ::2].reshape(len(grids), self.size**2)
        digits = np.where((cells >= FIRST_DIGIT) & (cells < self.no_sign), cells - BLANK, 0)
        signs = [
            ((part == first).astype(np.int8) - (part == first + 1))
            for part, first in (
                (grids[:, ::2, 1::2], self.no_sign + 1),
                (grids[:, 1::2, ::2], self.no_sign + 3),
            )
        ]
        return Clues(digits.astype(np.uint8), signs[0], signs[1])


@lru_cache(maxsize=8)
def images(size: int) -> Images:
    """Return the 16 symmetries: reflections and rotations, with digits as they are or counted from above.

    Each renames the signs: what was `<` is `>` in a mirror, and `^` when rows become columns.
    """
    board = Board(size)
    moved = reflections(board.width, board.width)
    names = []
    for source in moved.sources:
        image = source.reshape(board.width, board.width)
        # Where the first cell and its neighbours come from tells what has become of right and down.
        step_right, step_down = int(image[0, 1] - image[0, 0]), int(image[1, 0] - image[0, 0])
        renamed = np.arange(board.vocab_size, dtype=np.uint8)
        for step, horizontal in ((step_right, True), (step_down, False)):
            came_from = 0 if abs(step) == 1 else 2  # signs between columns, or between rows
            less, greater = (0, 1) if step > 0 else (1, 0)
            target = board.no_sign + 1 + (0 if horizontal else 2)
            renamed[board.no_sign + 1 + came_from + less] = target
            renamed[board.no_sign + 1 + came_from + greater] = target + 1
        names.append(renamed)
    above = np.arange(board.vocab_size, dtype=np.uint8)
    above[FIRST_DIGIT : board.no_sign] = above[FIRST_DIGIT : board.no_sign][::-1]
    signs = slice(board.no_sign + 1, board.vocab_size)
    above[signs] = above[signs].reshape(2, 2)[:, ::-1].reshape(-1)
    return Images(
        np.concatenate([moved.sources, moved.sources]),
        np.stack([*names, *(above[renamed] for renamed in names)]),
    )
