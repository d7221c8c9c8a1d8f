"""Generate Light Up puzzles with one solution: walls and bulbs at random, then numbers dug away."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.examples import Examples, Tokens
from trm_engine.tasks.light_up.config import LightUpConfig
from trm_engine.tasks.light_up.light import BULB, FIRST_NUMBER, OPEN, WALL, Flags, Shape, Walls
from trm_engine.tasks.light_up.rules import numbered
from trm_engine.tasks.light_up.solver import search, solve

_TRIES = 4
"""Grids drawn for each puzzle that is asked for: with all its numbers, one in some has one solution only."""
_EFFORT = 60
"""Rounds of branching to decide whether a number may go: an undecided one stays."""


def generate(config: LightUpConfig, shape: Shape, count: int, rng: np.random.Generator) -> Examples:
    """Return at most `count` puzzles with their only solutions; the same one may come twice."""
    free = _random_grids(config, shape, _TRIES * count, rng)
    bulbs = _random_bulbs(shape, free, rng)
    puzzles = numbered(shape, free, bulbs)
    one = np.flatnonzero(solve(shape, puzzles, effort=_EFFORT).count == 1)[:count]
    puzzles = puzzles[one]
    lights = np.ascontiguousarray(bulbs.reshape(shape.cells, -1)[:, one].T)
    dug = _dig(config, shape, puzzles, rng)
    return Examples.of(dug, np.where(lights, BULB, dug).astype(np.uint8))


def _random_grids(config: LightUpConfig, shape: Shape, count: int, rng: np.random.Generator) -> Flags:
    """Return open cells (rows, cols, count), at least one in each grid."""
    share = rng.uniform(config.wall_share_min, config.wall_share_max, count)
    thrown = rng.random((shape.rows, shape.cols, count))
    free: Flags = (thrown >= share) | (thrown == thrown.max(axis=(0, 1)))
    return free


def _random_bulbs(shape: Shape, free: Flags, rng: np.random.Generator) -> Flags:
    """Place bulbs (rows, cols, N) on unlit cells in random order until every open cell is lit."""
    cells, count = shape.cells, free.shape[2]
    open_cells = free.reshape(cells, count)
    row_of, column_of = _stretch_numbers(free), _stretch_numbers(free.swapaxes(0, 1)).swapaxes(0, 1)
    row_of, column_of = row_of.reshape(cells, count), column_of.reshape(cells, count)
    lit = np.zeros((2, cells, count), np.bool_)
    bulbs = np.zeros((cells, count), np.bool_)
    grid = np.arange(count)
    for cell in rng.random((cells, count)).argsort(axis=0, kind="stable"):
        row, column = row_of[cell, grid], column_of[cell, grid]
        fits = open_cells[cell, grid] & ~lit[0, row, grid] & ~lit[1, column, grid]
        bulbs[cell, grid] = fits
        lit[0, row, grid] |= fits
        lit[1, column, grid] |= fits
    return bulbs.reshape(free.shape)


def _stretch_numbers(free: Flags) -> npt.NDArray[np.intp]:
    """Give each stretch of open cells along the first axis of (n, m, N) a number below n · m."""
    lines, width = free.shape[:2]
    number = np.empty(free.shape, np.intp)
    for line in range(lines):
        number[line] = (line * width + np.arange(width))[:, None]
        if line:
            number[line] = np.where(free[line] & free[line - 1], number[line - 1], number[line])
    return number


def _dig(config: LightUpConfig, shape: Shape, puzzles: Tokens, rng: np.random.Generator) -> Tokens:
    """Take numbers away in random order while the solution stays the only one and enough are left."""
    puzzles = puzzles.copy()
    numbers = (puzzles != OPEN).sum(axis=1)
    keep = np.ceil(config.number_share * numbers)
    left = numbers.copy()
    order = np.where(puzzles >= FIRST_NUMBER, rng.random(puzzles.shape), 2.0).argsort(axis=1, kind="stable")
    for turn in range(int(numbers.max(initial=0))):
        digging = np.flatnonzero((turn < numbers) & (left > keep))
        if not len(digging):
            break
        cell = order[digging, turn]
        number = puzzles[digging, cell] - FIRST_NUMBER
        trial = puzzles[digging]
        trial[np.arange(len(digging)), cell] = WALL
        # The number may go if and only if the other numbers allow no solution that has another there.
        walls = Walls.of(shape, trial)
        walls.barred.reshape(shape.cells, -1)[cell, np.arange(len(digging))] = number
        may_go = search(shape, walls, want=1, effort=_EFFORT)[1] == 0
        puzzles[digging[may_go], cell[may_go]] = WALL
        left[digging[may_go]] -= 1
    return puzzles
