"""A fair choice from a stream of unknown length, in bounded memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.sudoku.puzzles import Puzzles

_Kept = tuple[npt.NDArray[np.float64], Puzzles, npt.NDArray[np.int64]]


def sample_rows(total: int, limit: int, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Return, in rising order, which `limit` of `total` puzzles a `Sample` would have kept."""
    return np.sort(rng.random(total).argsort(kind="stable")[:limit])


class Sample:
    """Keeps `limit` of the puzzles that it is shown, each choice equally likely, or all without a limit.

    Every puzzle draws a random key; those with the smallest keys stay. At most twice `limit`, and the last
    chunk, are held.
    """

    def __init__(self, limit: int | None, rng: np.random.Generator) -> None:
        self.total = 0
        """Puzzles shown so far."""
        self._limit = limit
        self._rng = rng
        self._kept: list[_Kept] = []
        self._held = 0
        self._below = np.inf

    def add(self, puzzles: Puzzles, lines: npt.NDArray[np.int64]) -> None:
        """Show more puzzles, with the lines (N,) they stand on."""
        keys = self._rng.random(len(puzzles))
        rows = np.flatnonzero(keys < self._below)
        self._kept.append((keys[rows], puzzles.take(rows), lines[rows]))
        self.total += len(puzzles)
        self._held += len(rows)
        if self._limit is not None and self._held > 2 * self._limit:
            self._prune(self._limit)

    def chosen(self) -> tuple[Puzzles, npt.NDArray[np.int64]]:
        """Return the choice and its lines, in the order shown; at least one puzzle must have been."""
        self._prune(self._held if self._limit is None else self._limit)
        _, puzzles, lines = self._kept[0]
        return puzzles, lines

    def _prune(self, count: int) -> None:
        keys = np.concatenate([kept[0] for kept in self._kept])
        puzzles = Puzzles.join([kept[1] for kept in self._kept])
        lines = np.concatenate([kept[2] for kept in self._kept])
        rows = np.sort(keys.argsort(kind="stable")[:count])
        self._kept = [(keys[rows], puzzles.take(rows), lines[rows])]
        self._held = len(rows)
        if len(keys) > count:
            self._below = keys[rows].max()
