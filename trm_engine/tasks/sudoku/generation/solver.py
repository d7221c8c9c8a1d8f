"""Solve many Sudokus at once, and tell puzzles with one solution from those with none or many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trm_engine.progress import Progress, silent
from trm_engine.tasks.kit.search import MANY, Flags, Masks, Owners, depth_first, exactly_once, settle
from trm_engine.tasks.sudoku.geometry import Digits, Geometry
from trm_engine.tasks.sudoku.rules import has_repeat

_DIGIT_OF: Digits = np.zeros(1 << 16, np.uint8)
_DIGIT_OF[1 << np.arange(16)] = np.arange(1, 17)


def full_mask(geometry: Geometry) -> np.uint16:
    """Return the mask that allows every digit."""
    return np.uint16((1 << geometry.side) - 1)


def to_masks(geometry: Geometry, digits_cell_major: Digits) -> Masks:
    """Return masks of the same shape: one bit for a given digit, every bit for a blank."""
    table = np.left_shift(np.uint16(1), np.arange(-1, geometry.side).clip(0).astype(np.uint16))
    table[0] = full_mask(geometry)
    return table[digits_cell_major]


def to_digits(masks: Masks) -> Digits:
    """Return the digit of each mask with one candidate, 0 for any other."""
    return _DIGIT_OF[masks]


def propagate(geometry: Geometry, boards: Masks) -> tuple[npt.NDArray[np.uint16], Flags]:
    """Narrow the candidates of `boards` (n², N) in place; see `trm_engine.tasks.kit.search.settle`."""
    return settle(boards, lambda work, decided, _: _sweep(geometry, work, decided))


def _sweep(geometry: Geometry, work: Masks, decided: Flags) -> Flags:
    """Apply naked, then hidden singles once, in place; return which boards show no contradiction."""
    cells = geometry.by_box(work)
    sound = _remove_decided(geometry, cells, work * decided)
    sound &= np.minimum.reduce(work, axis=0) != 0
    lines = geometry.by_line(work)
    side, full = geometry.side, full_mask(geometry)
    rows = exactly_once([lines[:, column] for column in range(side)], full, sound)
    columns = exactly_once([lines[row] for row in range(side)], full, sound)
    in_box = [(i, j) for i in range(geometry.box_rows) for j in range(geometry.box_cols)]
    boxes = exactly_once([cells[:, i, :, j] for i, j in in_box], full, sound)
    hidden = geometry.row_to_cells(rows) | geometry.column_to_cells(columns)
    hidden |= geometry.box_to_cells(boxes)
    hidden &= cells
    # Two digits that both have only this cell left contradict each other: keeping one lets the next sweep
    # see.
    first = np.negative(hidden)
    first &= hidden
    keep_all = (hidden == 0).astype(np.uint16)
    first |= np.negative(keep_all, out=keep_all)
    cells &= first
    return sound


def _remove_decided(geometry: Geometry, cells: Masks, decided: Masks) -> Flags:
    """Strike each decided digit (its mask; 0 where undecided) from the other cells of its units, in place.

    Returns which boards decide no digit twice in a unit (an odd number of times above one goes unseen here,
    and shows when another digit is left without a place).
    """
    lines, boxed = geometry.by_line(decided), geometry.by_box(decided)
    union, parity = np.bitwise_or.reduce, np.bitwise_xor.reduce
    rows, columns = union(lines, axis=1), union(lines, axis=0)
    boxes = union(union(boxed, axis=3), axis=1)
    sound: Flags = (rows == parity(lines, axis=1)).all(axis=0)
    sound &= (columns == parity(lines, axis=0)).all(axis=0)
    sound &= (boxes == parity(parity(boxed, axis=3), axis=1)).all(axis=(0, 1))
    seen = geometry.row_to_cells(rows) | geometry.column_to_cells(columns)
    seen |= geometry.box_to_cells(boxes)
    np.invert(seen, out=seen)
    seen |= boxed
    cells &= seen
    return sound


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
