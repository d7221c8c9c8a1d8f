"""Breadth-first search in many mazes at once.

A set of cells of N mazes is `Bits`, an array (rows, N) of words of 32 bits, or of 64 where there are more
columns: bit c of word (r, i) stands for column c of row r in maze i. One step of the search moves whole rows
with a few operations on words, for all mazes together, so that a search costs about as many operations as the
longest path has cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.unsignedinteger[Any]]
Flags = npt.NDArray[np.bool_]
Cells = npt.NDArray[np.int64]
"""Numbers of cells, counted along the rows from 0."""

_ONE = np.uint32(1)
# Which of several shortest paths is *the* path: from the start, the first of these moves (rows, columns) that
# comes nearer to the goal. This is the choice that the labels of Maze-Hard make, in all of its 1000 training
# mazes: down, left, right, up.
_MOVES = ((1, 0), (0, -1), (0, 1), (-1, 0))


@dataclass(frozen=True)
class ShortestPaths:
    """The shortest paths of N mazes.

    `cells` (N, cells) marks one path of each, its ends included; `lengths` (N,) counts its cells, 0 where the
    goal cannot be reached; `unique` (N,) tells where no other path is as short.
    """

    cells: Flags
    lengths: Cells
    unique: Flags


@dataclass(frozen=True)
class Flood:
    """What a search from some cells of N mazes has reached.

    `reached` are the cells, `last` those of them that take the most moves, and `moves` (N,) is how many.
    """

    reached: Bits
    last: Bits
    moves: Cells


def to_bits(cells: Flags, rows: int) -> Bits:
    """Return sets of cells given as flags (N, cells)."""
    grids = cells.reshape(len(cells), rows, cells.shape[1] // rows)
    word = _word(grids.shape[2])
    padded = np.zeros((len(cells), rows, 8 * word.itemsize), np.bool_)
    padded[:, :, : grids.shape[2]] = grids
    words = np.packbits(padded, axis=2, bitorder="little").view(word.newbyteorder("<"))[:, :, 0]
    return np.ascontiguousarray(words.T, word)


def _word(cols: int) -> np.dtype[np.unsignedinteger[Any]]:
    """Return the unsigned integer type with a bit for each of `cols` columns."""
    return np.dtype(np.uint32 if cols <= 32 else np.uint64)


def one_cell(cells: Cells, rows: int, cols: int) -> Bits:
    """Return sets of one cell each, given by their numbers (N,)."""
    word = _word(cols)
    bits = np.zeros((rows, len(cells)), word)
    bits[cells // cols, np.arange(len(cells))] = word.type(1) << (cells % cols).astype(word)
    return bits


def neighbours(cells: Bits) -> Bits:
    """Return the cells above, below, left and right; what falls off the right edge is no open cell."""
    found = cells << _ONE
    found |= cells >> _ONE
    found[1:] |= cells[:-1]
    found[:-1] |= cells[1:]
    return found


def flood(open_cells: Bits, start: Bits, steps: int) -> Flood:
    """Return what is reached from the cells `start` of each maze in at most `steps` moves."""
    reached, last = start.copy(), start.copy()
    moves = np.zeros(start.shape[1], np.int64)
    alive = np.arange(start.shape[1])
    seen, front, free = start, start, open_cells
    for _ in range(steps):
        following = neighbours(front) & free & ~seen
        moving = np.bitwise_or.reduce(following, axis=0) != 0
        going = np.count_nonzero(moving)
        if 4 * going < 3 * len(alive) or not going:
            # Most searches end long before the longest: what has ended is not carried along.
            ended = alive[~moving]
            reached[:, ended], last[:, ended] = seen[:, ~moving], front[:, ~moving]
            if not going:
                return Flood(reached, last, moves)
            alive, seen, free = alive[moving], seen[:, moving], free[:, moving]
            following, moving = following[:, moving], moving[moving]
        seen = seen | following
        front = following if moving.all() else np.where(moving, following, front)
        moves[alive] += moving
    reached[:, alive], last[:, alive] = seen, front
    return Flood(reached, last, moves)


def shortest_paths(open_cells: Bits, start: Cells, goal: Cells, cols: int) -> ShortestPaths:
    """Return a shortest path of each maze from `start` (N,) to `goal` (N,), both open cells.

    Of several, it is the one that goes down rather than left, left rather than right, right rather than up.
    """
    rows, count = open_cells.shape
    at_start = one_cell(start, rows, cols)
    levels = _fronts(open_cells, one_cell(goal, rows, cols), at_start)
    # An empty row above and below: a move off the grid meets no cell.
    fronts = np.zeros((len(levels), rows + 2, count), open_cells.dtype)
    np.stack(levels, out=fronts[:, 1:-1])
    found = (fronts[:, 1:-1] & at_start).any(axis=1)
    moves = np.where(found.any(axis=0), found.argmax(axis=0), -1)
    path = np.zeros((count, rows * cols), np.bool_)
    unique = moves >= 0
    at, going = start.copy(), np.flatnonzero(unique)
    path[going, at[going]] = True
    for done in range(1, len(fronts)):
        going = going[moves[going] >= done]
        at[going], choices = _move(fronts, moves[going] - done, going, at[going], cols)
        path[going, at[going]] = True
        unique[going] &= choices == 1
    return ShortestPaths(path, moves + 1, unique)


def first_cells(cells: Bits, cols: int) -> Cells:
    """Return the number of the first cell of each set (N,), counted along the rows; none may be empty."""
    row = (cells != 0).argmax(axis=0)
    word = cells[row, np.arange(cells.shape[1])]
    lowest = word & (~word + _ONE)
    found: Cells = row * cols + np.log2(lowest).astype(np.int64)
    return found


def _fronts(open_cells: Bits, start: Bits, wanted: Bits) -> list[Bits]:
    """Return the cells at 0, 1, 2, … moves from `start`, until all wanted cells within reach are found."""
    fronts = [start]
    seen = start
    while True:
        missing = ~(seen & wanted).any(axis=0)
        front = np.where(missing, neighbours(fronts[-1]) & open_cells & ~seen, np.uint32(0))
        if not front.any():
            return fronts
        fronts.append(front)
        seen = seen | front


def _move(fronts: Bits, left: Cells, mazes: Cells, at: Cells, cols: int) -> tuple[Cells, Cells]:
    """Return the next cells (n,) from `at` (n,), and how many there were to choose from.

    `fronts` (moves, rows + 2, N) are the cells by their distance from the goal; `left` (n,) moves are left
    after this one, in the given `mazes` (n,).
    """
    row, column = at // cols, (at % cols).astype(np.uint32)
    target, choices = np.zeros_like(at), np.zeros_like(at)
    for down, right in reversed(_MOVES):
        words = fronts[left, row + 1 + down, mazes]
        words = words << _ONE if right < 0 else words >> _ONE if right else words
        there = (words >> column & _ONE).astype(np.bool_)
        target = np.where(there, at + down * cols + right, target)
        choices += there
    return target, choices
