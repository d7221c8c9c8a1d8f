"""Generate Futoshiki with one solution: random Latin squares, signs at random, and digits dug away."""

from __future__ import annotations

import numpy as np

from trm_engine.tasks.examples import Examples
from trm_engine.tasks.futoshiki.board import Board, Clues, Digits, Signs
from trm_engine.tasks.futoshiki.config import FutoshikiConfig
from trm_engine.tasks.futoshiki.solver import full_mask, search, to_digits, to_masks

_EFFORT = 200
"""Rounds of branching to decide whether a digit may go: an undecided one stays."""


def generate(config: FutoshikiConfig, board: Board, count: int, rng: np.random.Generator) -> Examples:
    """Return `count` puzzles with their only solutions; the same one may come twice."""
    squares = _latin_squares(board, count, rng)
    grids = squares.reshape(-1, board.size, board.size).astype(np.int8)
    share = rng.uniform(config.sign_share_min, config.sign_share_max, (count, 1, 1))
    right, below = (
        (np.sign(np.diff(grids, axis=axis)) * (rng.random(_less_one(grids.shape, axis)) < share)).astype(
            np.int8
        )
        for axis in (2, 1)
    )
    digits = _dig(board, squares, right, below, rng)
    answers = board.to_tokens(Clues(squares, right, below))
    return Examples.of(board.to_tokens(Clues(digits, right, below)), answers)


def _less_one(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return tuple(length - (place == axis) for place, length in enumerate(shape))


def _latin_squares(board: Board, count: int, rng: np.random.Generator) -> Digits:
    """Return random Latin squares (count, n²)."""
    parts: list[Digits] = []
    missing = count
    while missing:
        free = Clues(
            np.zeros((missing, board.size**2), np.uint8),
            np.zeros((missing, board.size, board.size - 1), np.int8),
            np.zeros((missing, board.size - 1, board.size), np.int8),
        )
        empty = np.full((board.size**2, missing), full_mask(board))
        squares, found = search(board, free, empty, want=1, effort=_EFFORT, rng=rng)
        parts.append(to_digits(squares[:, found == 1]).T)
        missing -= len(parts[-1])
    return np.ascontiguousarray(np.concatenate(parts))


def _dig(board: Board, squares: Digits, right: Signs, below: Signs, rng: np.random.Generator) -> Digits:
    """Take digits (N, n²) away in random order while the solution stays the only one.

    A digit may go if and only if no solution of the others and the signs has another in its place.
    """
    count = len(squares)
    solution = to_masks(board, np.ascontiguousarray(squares.T))
    boards, columns = solution.copy(), np.arange(count)
    clues = Clues(squares, right, below)
    for cell in rng.random(boards.shape).argsort(axis=0, kind="stable"):
        trial = boards.copy()
        trial[cell, columns] = full_mask(board) & ~solution[cell, columns]
        free = search(board, clues, trial, want=1, effort=_EFFORT)[1] == 0
        boards[cell[free], columns[free]] = full_mask(board)
    return np.ascontiguousarray(np.where(boards == solution, squares.T, 0).T).astype(np.uint8)
