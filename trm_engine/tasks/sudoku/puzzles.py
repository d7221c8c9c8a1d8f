"""Puzzles with their solutions, as digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.sudoku.geometry import Digits


@dataclass(frozen=True)
class Puzzles:
    """N puzzles (N, n²; 0 for a blank) and their solutions (N, n²); `notes` on how they were read."""

    clues: Digits
    solutions: Digits
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.clues)

    def take(self, rows: npt.NDArray[np.integer] | npt.NDArray[np.bool_] | slice) -> Puzzles:
        """Return the given rows."""
        return Puzzles(self.clues[rows], self.solutions[rows])

    @staticmethod
    def join(parts: Sequence[Puzzles]) -> Puzzles:
        """Return all rows of at least one part, in order."""
        return Puzzles(np.concatenate([p.clues for p in parts]), np.concatenate([p.solutions for p in parts]))
