"""Generate mazes: random walls, and a start and goal that are far apart.

What is matched is Maze-Hard (30×30, share of walls 0.3 … 0.5, shortest paths of 110 cells and more). Its
1000 training mazes have 249 to 405 walls, 334 on average with a standard deviation of 24, and paths of 115
cells on average. Six of them have fewer walls than 30 % of the cells, so it is the *probability* of a wall
that was drawn from the range: each cell is a wall with that probability. Starts and goals are as random pairs
of open cells would be that were kept for being far enough apart: only in one of fourteen mazes is the goal
as far from the start as a cell can be. That half of 0.3 … 0.5 which shows in the mazes that are kept is the
one below the percolation threshold: with more than about 41 % walls, long ways are rare.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trm_engine.errors import UsageError
from trm_engine.progress import Progress
from trm_engine.tasks.examples import Examples, Tokens
from trm_engine.tasks.maze.config import MazeConfig
from trm_engine.tasks.maze.paths import (
    Bits,
    Cells,
    Flags,
    first_cells,
    flood,
    one_cell,
    shortest_paths,
    to_bits,
)
from trm_engine.tasks.maze.rules import Shape, with_path
from trm_engine.tasks.maze.text import GOAL, OPEN, START, WALL

_GRIDS_AT_ONCE = 2048
_PAIRS_AT_ONCE = 2048
_PAIRS = 64
"""Random pairs of cells tried in each grid: more find mazes sooner, but even out how rare they are."""


class Patience(NamedTuple):
    """Grids tried before giving up: so many to begin with, and so many more for each maze found."""

    without_any: int = 250_000
    for_each: int = 5_000


PATIENT = Patience()


def generate(
    config: MazeConfig,
    count: int,
    rng: np.random.Generator,
    progress: Progress,
    patience: Patience = PATIENT,
) -> Examples:
    """Return `count` mazes with their paths, no two of them images of each other under a symmetry.

    Raises `UsageError` when grids like that are too rare for `patience`.
    """
    shape = Shape(config.rows, config.cols)
    found: list[Examples] = []
    seen: set[int] = set()
    tried = 0
    while len(seen) < count:
        if tried >= patience.without_any + patience.for_each * len(seen):
            raise UsageError(_too_rare(config, len(seen), count, tried))
        mazes = _some(config, shape, rng)
        tried += _GRIDS_AT_ONCE
        fresh = []
        for row, number in enumerate(shape.images.hashes(mazes.inputs).tolist()):
            if number not in seen and len(seen) < count:
                seen.add(number)
                fresh.append(row)
        found.append(mazes.take(np.array(fresh, np.int64)))
        progress("generating mazes", len(seen), count)
    return Examples.of(
        np.concatenate([part.inputs for part in found]), np.concatenate([part.labels for part in found])
    )


def _too_rare(config: MazeConfig, found: int, count: int, tried: int) -> str:
    kind = " of a single shortest path" if config.unique_path else ""
    return (
        f"[task] min_path = {config.min_path}: {tried:,} random {config.rows}×{config.cols} grids gave only "
        f"{found:,} of {count:,} different mazes{kind} with so long a path\n"
        f"Lower task.min_path{', set task.unique_path = false' if config.unique_path else ''}, "
        "ask for fewer mazes, or try another range of walls (task.wall_share_min, task.wall_share_max)."
    )


@dataclass(frozen=True)
class _Grids:
    """Open cells as flags (N, cells) and as bits."""

    free: Flags
    bits: Bits

    def take(self, rows: Cells) -> _Grids:
        return _Grids(self.free[rows], np.ascontiguousarray(self.bits[:, rows]))


def _some(config: MazeConfig, shape: Shape, rng: np.random.Generator) -> Examples:
    """Return those mazes that a number of random grids give, one a grid at most."""
    grids = _promising(*_random_grids(config, shape, rng), shape, config.min_path)
    tries = np.zeros(len(grids.free), np.int64)
    waiting = np.arange(len(tries))
    found: list[tuple[Cells, Tokens, Tokens]] = []
    while len(waiting):
        repeats = min(max(_PAIRS_AT_ONCE // len(waiting), 1), _PAIRS)
        rows, start, goal = _far_pairs(grids, waiting.repeat(repeats), shape, config.min_path, rng)
        mazes = _mazes(grids.take(rows), start, goal, shape, unique=config.unique_path)
        kept, first = np.unique(rows[mazes.puzzle_ids], return_index=True)
        found.append((kept, mazes.inputs[first], mazes.labels[first]))
        tries[waiting] += repeats
        waiting = np.setdiff1d(waiting[tries[waiting] < _PAIRS], kept)
    if not found:
        nothing = np.zeros((0, shape.cells), np.uint8)
        return Examples.of(nothing, nothing)
    order = np.concatenate([kept for kept, _, _ in found]).argsort()
    inputs, labels = (np.concatenate([part[which] for part in found])[order] for which in (1, 2))
    return Examples.of(inputs, labels)


def _random_grids(config: MazeConfig, shape: Shape, rng: np.random.Generator) -> tuple[_Grids, Cells]:
    """Return grids with at least two open cells, and a random open cell of each."""
    share = rng.uniform(config.wall_share_min, config.wall_share_max, _GRIDS_AT_ONCE)
    thrown = rng.integers(0, 2**16, (_GRIDS_AT_ONCE, shape.cells), dtype=np.uint16)
    free = thrown >= (share * 2**16)[:, None]
    rows = np.flatnonzero(free.sum(axis=1) >= 2)
    # The highest throw is an open cell, and where it lies is a matter of chance.
    return _Grids(free[rows], to_bits(free[rows], shape.rows)), thrown[rows].argmax(axis=1)


def _promising(grids: _Grids, start: Cells, shape: Shape, min_path: int) -> _Grids:
    """Return the grids that surely have a shortest path of `min_path` cells, if not all such grids.

    From any cell, here `start` (N,), to the farthest, and from there to the farthest again, is nearly always
    as far as it gets in that part of the grid; and nothing there is farther apart than twice the first
    distance.
    """
    moves = min_path - 1
    away = flood(grids.bits, one_cell(start, shape.rows, shape.cols), shape.cells)
    rows = np.flatnonzero(2 * away.moves >= moves)
    farthest = first_cells(away.last[:, rows], shape.cols)
    grids = grids.take(rows)
    back = flood(grids.bits, one_cell(farthest, shape.rows, shape.cols), moves)
    return grids.take(np.flatnonzero(back.moves == moves))


def _far_pairs(
    grids: _Grids, rows: Cells, shape: Shape, min_path: int, rng: np.random.Generator
) -> tuple[Cells, Cells, Cells]:
    """Draw a start and a goal in each of the given grids; return those far apart: grid, start and goal."""
    pairs = grids.take(rows)
    start, goal = _random_cells(pairs.free, rng), _random_cells(pairs.free, rng)
    near = flood(pairs.bits, one_cell(start, shape.rows, shape.cols), min_path - 2)
    at_goal = one_cell(goal, shape.rows, shape.cols)
    far = np.flatnonzero((near.moves == min_path - 2) & ~(near.reached & at_goal).any(axis=0))
    # Whatever the search has not reached yet is farther, or out of reach.
    onward = flood(np.ascontiguousarray(pairs.bits[:, far]), near.last[:, far], shape.cells)
    far = far[(onward.reached & at_goal[:, far]).any(axis=0)]
    return rows[far], start[far], goal[far]


def _mazes(grids: _Grids, start: Cells, goal: Cells, shape: Shape, *, unique: bool) -> Examples:
    """Return mazes with their paths; with `unique`, only those where no other path is as short.

    Their identifiers tell which of the given grids they are made of.
    """
    puzzles = np.where(grids.free, OPEN, WALL).astype(np.uint8)
    number = np.arange(len(puzzles))
    puzzles[number, start], puzzles[number, goal] = START, GOAL
    paths = shortest_paths(grids.bits, start, goal, shape.cols)
    kept = np.flatnonzero(paths.unique) if unique else number
    return Examples(puzzles[kept], with_path(puzzles[kept], paths.cells[kept]), kept)


def _random_cells(free: Flags, rng: np.random.Generator) -> Cells:
    """Return an open cell of each grid (N, cells), each equally likely."""
    drawn = rng.integers(0, free.sum(axis=1))
    rank = np.cumsum(free, axis=1, dtype=np.int16) - 1
    found: Cells = ((rank == drawn[:, None]) & free).argmax(axis=1)
    return found
