"""Held-out inputs known again wherever they turn up: turned, mirrored, with all colours but 0 exchanged.

Training sees every pair under such images, and a model is asked for them too. So a pair whose input is the
image of a held-out one would show the question, and perhaps its answer, beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.arc.augment import SYMMETRIES, turned
from trm_engine.tasks.arc.config import COLOURS
from trm_engine.tasks.arc.grids import Grid

Form: TypeAlias = tuple[tuple[int, ...], bytes]


class HeldOut:
    """Grids, and all their images under the symmetries of the square and the permutations of colours 1–9."""

    def __init__(self, grids: Iterable[Grid]) -> None:
        grids = list(grids)
        self._forms = {canonical(grid) for grid in grids}
        self._counts = {alike(counts_of(grid)) for grid in grids}

    def __contains__(self, grid: Grid) -> bool:
        # Few grids have as many cells of each colour: only those are turned and compared.
        return self.may_hold(counts_of(grid)) and canonical(grid) in self._forms

    def may_hold(self, counts: npt.NDArray[np.int16]) -> bool:
        """Tell whether a grid with so many cells of each colour (10,) can be among them."""
        return alike(counts) in self._counts


def canonical(grid: Grid) -> Form:
    """Return what all images of a grid have in common, and no other grid has: the first in order of them.

    Colours but 0, which images keep, are numbered as they first occur, row by row, so that only the eight
    symmetries are left to try.
    """
    return min(_numbered(turned(grid, symmetry)) for symmetry in range(SYMMETRIES))


def counts_of(grid: Grid) -> npt.NDArray[np.int16]:
    """Return how many cells of a grid have each colour (10,)."""
    return np.bincount(grid.ravel(), minlength=COLOURS).astype(np.int16)


def alike(counts: npt.NDArray[np.int16]) -> bytes:
    """Return what the numbers of cells of each colour (10,) are under any permutation of colours 1–9."""
    return np.concatenate([counts[:1], np.sort(counts[1:])]).tobytes()


def _numbered(grid: Grid) -> Form:
    """Return a grid's shape, and its cells with the colours numbered as they first occur."""
    colours, first = np.unique(grid, return_index=True)
    found = colours[np.argsort(first)]
    number = np.zeros(COLOURS, np.uint8)
    number[found[found != 0]] = np.arange(1, 1 + np.count_nonzero(found))
    return grid.shape, number[grid].tobytes()
