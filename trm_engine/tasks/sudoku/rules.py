"""The rules of Sudoku applied to given grids: which are sound, and what is wrong with those that are not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.base import Fault
from trm_engine.tasks.sudoku.geometry import Digits, Geometry

SYMBOLS = "123456789ABCDEFG"
"""The digits 1 … 16 as they are written."""
INCOMPLETE = "the solution is incomplete"
_UNIT_KINDS = ("row", "column", "box")
_AT_ONCE = 1024


def place(geometry: Geometry, cell: int) -> str:
    """Name a cell for people, counting from 1."""
    row, column = divmod(int(cell), geometry.side)
    return f"row {row + 1}, column {column + 1}"


def repeats(geometry: Geometry, digits: Digits) -> Iterator[Fault]:
    """Yield every digit that a row, column or box of a grid (n²,) holds more than once."""
    for kind, units in zip(_UNIT_KINDS, geometry.units(), strict=True):
        for number, unit in enumerate(units, 1):
            times = np.bincount(digits[unit], minlength=2)[1:]
            for digit in np.flatnonzero(times > 1):
                cells = unit[digits[unit] == digit + 1]
                what = f"{SYMBOLS[digit]} appears {times[digit]} times in {kind} {number}"
                yield Fault(tuple(cells.tolist()), what)


def find_repeat(geometry: Geometry, digits: Digits) -> str | None:
    """Name a digit that a row, column or box of a grid (n²,) holds more than once, or return None."""
    first = next(repeats(geometry, digits), None)
    return None if first is None else first.reason


def first_fault(geometry: Geometry, puzzles: Digits, solutions: Digits) -> tuple[int, str] | None:
    """Find the first row that is no puzzle with its solution; return its index and what is wrong.

    `puzzles` and `solutions` are (N, n²) digits, 0 for a blank. A solution of blanks only counts as not
    given. Whether the solution is the only one is not asked here.
    """
    for start in range(0, len(puzzles), _AT_ONCE):
        puzzle, solution = puzzles[start : start + _AT_ONCE], solutions[start : start + _AT_ONCE]
        given = solution.any(axis=1)
        changed = (puzzle != 0) & (puzzle != solution)
        faulty = has_repeat(geometry, puzzle) | has_repeat(geometry, solution)
        faulty |= given & ((solution == 0).any(axis=1) | changed.any(axis=1))
        if faulty.any():
            row = int(faulty.argmax())
            return start + row, _explain(geometry, puzzle[row], solution[row])
    return None


def has_repeat(geometry: Geometry, digits: Digits) -> npt.NDArray[np.bool_]:
    """Tell which grids (N, n²) hold a digit twice in a unit."""
    bit = np.left_shift(np.uint32(1), np.arange(geometry.side + 1, dtype=np.uint32))
    bit[0] = 0
    cells = bit[np.ascontiguousarray(digits.T)]
    lines, boxes = geometry.by_line(cells), geometry.by_box(cells)
    repeat = np.zeros(len(digits), np.bool_)
    # A sum of distinct bits equals their union.
    for view, axes in ((lines, (1,)), (lines, (0,)), (boxes, (3, 1))):
        total = union = view
        for axis in axes:
            total = np.add.reduce(total, axis=axis, dtype=np.uint32)
            union = np.bitwise_or.reduce(union, axis=axis)
        repeat |= (total != union).reshape(geometry.side, -1).any(axis=0)
    return repeat


def _explain(geometry: Geometry, puzzle: Digits, solution: Digits) -> str:
    """Say what is wrong with a faulty puzzle (n²,) or its solution (n²,)."""
    repeat = find_repeat(geometry, puzzle)
    if repeat is not None:
        return f"the puzzle has no solution: {repeat}"
    if not solution.all():
        return f"{INCOMPLETE}: {place(geometry, int(solution.argmin()))} is blank"
    changed = np.flatnonzero((puzzle != 0) & (puzzle != solution))
    if len(changed):
        cell = int(changed[0])
        clue, other = SYMBOLS[puzzle[cell] - 1], SYMBOLS[solution[cell] - 1]
        return f"the solution has {other} at {place(geometry, cell)} where the puzzle has {clue}"
    return f"the solution breaks the rules: {find_repeat(geometry, solution)}"
