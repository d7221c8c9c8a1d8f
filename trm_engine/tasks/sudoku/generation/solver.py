"""Solve many Sudokus at once, and tell puzzles with one solution from those with none or many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trm_engine.progress import Progress, silent
from trm_engine.tasks.kit.search import MANY, Masks, Owners, depth_first
from trm_engine.tasks.sudoku.generation.masks import to_digits, to_masks
from trm_engine.tasks.sudoku.generation.propagate import propagate
from trm_engine.tasks.sudoku.geometry import Digits, Geometry
from trm_engine.tasks.sudoku.rules import has_repeat

EFFORT = 2000
"""Rounds of branching spent on one puzzle before giving up; puzzles that people publish need few."""
_AT_ONCE = 1 << 14


@dataclass(frozen=True)
class Solutions:
    """What was found for N puzzles.

    `solution` (N, n²) holds a solution where there is one, else zeros. `count` (N,) is 0, 1, 2 for more than
    one, or −1 where the search gave up undecided.
    """

    solution: Digits
    count: npt.NDArray[np.int8]


def solve(
    geometry: Geometry, puzzles: Digits, *, effort: int = EFFORT, progress: Progress = silent
) -> Solutions:
    """Solve puzzles (N, n²) of digits with 0 for blanks, each until its second solution at most.

    `effort` bounds the rounds of branching spent on one puzzle, so that a hostile one cannot hold the
    program.
    """
    solution = np.zeros(puzzles.shape, np.uint8)
    count = np.zeros(len(puzzles), np.int8)
    for start in range(0, len(puzzles), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        masks = to_masks(geometry, np.ascontiguousarray(puzzles[part].T))
        # Most searches would notice a repeated clue late.
        masks[:, has_repeat(geometry, puzzles[part])] = 0
        found, count[part] = search(geometry, masks, want=MANY, effort=effort)
        solution[part] = to_digits(found).T
        progress("solving", min(start + _AT_ONCE, len(puzzles)), len(puzzles))
    return Solutions(solution, count)


def search(
    geometry: Geometry,
    boards: Masks,
    *,
    want: int,
    effort: int,
    rng: np.random.Generator | None = None,
) -> tuple[Masks, npt.NDArray[np.int8]]:
    """Look for up to `want` (1 or 2) solutions within each board (n², N); see `tasks.kit.search`."""

    def narrow(work: Masks, _: Owners) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.bool_]]:
        return propagate(geometry, work)

    return depth_first(narrow, boards, values=geometry.side, want=want, effort=effort, rng=rng)
