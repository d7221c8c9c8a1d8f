"""Why a Sudoku has not exactly one solution, told by a cell that shows it."""

from __future__ import annotations

import numpy as np

from trm_engine.tasks.base import Fault
from trm_engine.tasks.kit.search import Masks
from trm_engine.tasks.sudoku.generation.solver import full_mask, propagate, solve, to_masks
from trm_engine.tasks.sudoku.geometry import Digits, Geometry
from trm_engine.tasks.sudoku.rules import SYMBOLS, find_repeat, place

_EFFORT = 200
_MOST_CELLS = 100
"""Blank cells that are tried: the first few of an open puzzle tell enough."""


def unsettled(geometry: Geometry, digits: Digits) -> Fault | None:
    """Return a cell of a puzzle (n²,) without a digit to hold, or with two; None where neither is found."""
    repeat = find_repeat(geometry, digits)
    if repeat is not None:
        return Fault((), repeat)
    found = solve(geometry, digits[None], effort=_EFFORT)
    count = int(found.count[0])
    if count == 0:
        return _impossible(geometry, digits)
    return _open(geometry, digits, found.solution[0]) if count > 1 else None


def _impossible(geometry: Geometry, digits: Digits) -> Fault:
    """Name a blank that can hold nothing, as the clues stand or after what follows from them."""
    for after, masks in (
        ("", _candidates(geometry, digits)),
        ("what follows from ", _narrowed(geometry, digits)),
    ):
        empty = np.flatnonzero((masks == 0) & (digits == 0))
        if len(empty):
            cell = int(empty[0])
            return Fault(
                (cell,), f"{place(geometry, cell)} can hold no digit: {after}its clues exclude every one"
            )
    return Fault((), "no grid agrees with all of its clues")


def _candidates(geometry: Geometry, digits: Digits) -> Masks:
    """Return the digits that row, column and box leave to each cell (n²,), one bit each."""
    allowed = np.full(geometry.cells, full_mask(geometry), np.uint16)
    for units in geometry.units():
        for unit in units:
            seen = np.bitwise_or.reduce(to_masks(geometry, digits[unit])[digits[unit] > 0], initial=0)
            allowed[unit] &= np.uint16(int(full_mask(geometry)) & ~int(seen))
    return allowed


def _narrowed(geometry: Geometry, digits: Digits) -> Masks:
    masks = to_masks(geometry, digits[:, None].copy())
    propagate(geometry, masks)
    return masks[:, 0]


def _open(geometry: Geometry, digits: Digits, solution: Digits) -> Fault | None:
    """Name the first blank that holds another digit in another solution."""
    blanks = np.flatnonzero(digits == 0)[:_MOST_CELLS]
    allowed = _candidates(geometry, digits)
    tries = [
        (int(cell), digit)
        for cell in blanks
        for digit in range(1, geometry.side + 1)
        if digit != solution[cell] and int(allowed[cell]) >> (digit - 1) & 1
    ]
    if not tries:
        return None
    boards = np.repeat(digits[None], len(tries), axis=0)
    for row, (cell, digit) in enumerate(tries):
        boards[row, cell] = digit
    others = solve(geometry, boards, effort=_EFFORT)
    for (cell, digit), count in zip(tries, others.count, strict=True):
        if count > 0:
            both = sorted((int(solution[cell]), digit))
            first, second = (SYMBOLS[one - 1] for one in both)
            return Fault((cell,), f"{place(geometry, cell)} can be {first} as well as {second}")
    return Fault((), "it has more than one solution")
