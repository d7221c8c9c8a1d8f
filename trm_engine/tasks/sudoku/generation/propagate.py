"""Constraint propagation over many boards at once: naked and hidden singles until nothing moves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.kit.search import Flags, Masks, exactly_once, settle
from trm_engine.tasks.sudoku.generation.masks import full_mask
from trm_engine.tasks.sudoku.geometry import Geometry


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
