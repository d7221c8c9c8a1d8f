"""Generate puzzles with one solution: random grids, from which clues are dug while it stays the only one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trm_engine.progress import Progress, silent
from trm_engine.tasks.kit.search import Masks
from trm_engine.tasks.sudoku.generation.solver import full_mask, search, to_digits, to_masks
from trm_engine.tasks.sudoku.geometry import Digits, Geometry
from trm_engine.tasks.sudoku.puzzles import Puzzles

Counts = npt.NDArray[np.int64]
_GRID_EFFORT = 500
_DIG_EFFORT = 500
"""Rounds of branching to decide whether a clue may go: ample up to 9×9; above, an undecided clue stays."""


@dataclass(frozen=True)
class ClueRange:
    """How many clues a puzzle has.

    `low` 0: as few as its digging order allows (a minimal puzzle, from which no clue can go). `high` above 0:
    a count drawn uniformly from low … high, or from the minimal puzzle's count … high.
    """

    low: int
    high: int


@dataclass(frozen=True)
class Batch:
    """Puzzles that have the clues asked for, and the clue counts (N,) that all digging ended at."""

    puzzles: Puzzles
    ended_at: Counts


def generate(
    geometry: Geometry, count: int, clues: ClueRange, rng: np.random.Generator, progress: Progress = silent
) -> Batch:
    """Dig `count` random grids; those that cannot reach their clue count are left out of the puzzles."""
    grids = random_grids(geometry, count, rng)
    fewest = np.full(count, clues.low)
    if clues.low and clues.high:
        fewest = rng.integers(clues.low, clues.high, size=count, endpoint=True)
    dug, ended_at = _dig(geometry, grids, fewest, rng, progress)
    reached = np.ones(count, np.bool_)
    if clues.low:
        reached = ended_at == fewest
    elif clues.high:
        reached = ended_at <= clues.high
        dug = _refill(dug, grids, rng.integers(0, np.maximum(clues.high - ended_at, 0), endpoint=True), rng)
    return Batch(Puzzles(dug, grids).take(reached), ended_at)


def random_grids(geometry: Geometry, count: int, rng: np.random.Generator) -> Digits:
    """Return complete random grids (count, n²)."""
    parts: list[Digits] = []
    missing = count
    while missing:
        empty = np.full((geometry.cells, missing), full_mask(geometry))
        grids, found = search(geometry, empty, want=1, effort=_GRID_EFFORT, rng=rng)
        parts.append(to_digits(grids[:, found == 1]).T)
        missing -= len(parts[-1])
    return np.ascontiguousarray(np.concatenate(parts))


def _dig(
    geometry: Geometry, grids: Digits, low: Counts, rng: np.random.Generator, progress: Progress
) -> tuple[Digits, Counts]:
    """Take clues away in random order while the solution stays unique and more than `low` (N,) are left.

    Returns the puzzles (N, n²) and their clue counts (N,). All puzzles dig their next cell at once. A clue
    may go if and only if no solution of the others puts another digit in its place.
    """
    count = len(grids)
    solution = to_masks(geometry, np.ascontiguousarray(grids.T))
    boards: Masks = solution.copy()
    left = np.full(count, geometry.cells, np.int64)
    order = rng.random((geometry.cells, count)).argsort(axis=0, kind="stable")
    for done, cells in enumerate(order):
        digging = np.flatnonzero(left > low)
        if not len(digging):
            break
        cell = cells[digging]
        trial = boards.take(digging, axis=1)
        trial[cell, np.arange(len(digging))] = full_mask(geometry) & ~solution[cell, digging]
        _, found = search(geometry, trial, want=1, effort=_DIG_EFFORT)
        free = found == 0
        boards[cell[free], digging[free]] = full_mask(geometry)
        left[digging[free]] -= 1
        progress("digging clues", count * (done + 1) // geometry.cells, count)
    return np.ascontiguousarray(np.where(boards == solution, grids.T, 0).T), left


def _refill(puzzles: Digits, grids: Digits, extra: Counts, rng: np.random.Generator) -> Digits:
    """Give each puzzle (N, n²) `extra` (N,) clues of its grid back, at blanks drawn at random."""
    key = np.where(puzzles == 0, rng.random(puzzles.shape), 2.0)
    rank = key.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    return np.where((rank < extra[:, None]) | (puzzles != 0), grids, 0).astype(np.uint8)
