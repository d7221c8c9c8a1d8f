"""Constraint propagation over many boards at once: naked and hidden singles until nothing moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.search import Masks
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.masks import full_mask

Flags = npt.NDArray[np.bool_]
_ONE = np.uint16(1)
_COMPACT_BELOW = 0.8


def propagate(geometry: Geometry, boards: Masks) -> tuple[npt.NDArray[np.uint16], Flags]:
    """Narrow the candidates of `boards` (n², N) in place until every board stalls or contradicts itself.

    Returns the number of undecided cells (N,) and whether the board is sound (N,). A sound board with none
    undecided is a solution; the candidates of an unsound one mean nothing.
    """
    undecided = np.zeros(boards.shape[1], np.uint16)
    sound = np.ones(boards.shape[1], np.bool_)
    columns = np.arange(boards.shape[1])
    work = boards
    before = np.full(boards.shape[1], np.iinfo(np.uint16).max, np.uint16)
    alive = sound
    while len(columns):
        beyond_first = work & (work - _ONE)
        now = np.add.reduce((beyond_first != 0).view(np.uint8), axis=0, dtype=np.uint16)
        # A sweep that decided no cell found nothing that the next one could use: the board has stalled.
        moving = (now != before) & alive
        count = np.count_nonzero(moving)
        if count < _COMPACT_BELOW * len(columns):
            rest = ~moving
            undecided[columns[rest]] = now[rest]
            sound[columns[rest]] = alive[rest]
            if work is not boards:
                boards[:, columns[rest]] = work[:, rest]
            keep = np.flatnonzero(moving)
            columns, now, alive = columns[keep], now[keep], alive[keep]
            work, beyond_first = work.take(keep, axis=1), beyond_first.take(keep, axis=1)
        if count:
            alive = alive & _sweep(geometry, work, beyond_first == 0)
            before = now
    return undecided, sound


def _sweep(geometry: Geometry, work: Masks, decided: Flags) -> Flags:
    """Apply naked, then hidden singles once, in place; return which boards show no contradiction."""
    cells = geometry.by_box(work)
    sound = _remove_decided(geometry, cells, work * decided)
    sound &= np.minimum.reduce(work, axis=0) != 0
    lines = geometry.by_line(work)
    side, full = geometry.side, full_mask(geometry)
    rows = _exactly_once([lines[:, column] for column in range(side)], full, sound)
    columns = _exactly_once([lines[row] for row in range(side)], full, sound)
    in_box = [(i, j) for i in range(geometry.box_rows) for j in range(geometry.box_cols)]
    boxes = _exactly_once([cells[:, i, :, j] for i, j in in_box], full, sound)
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


def _exactly_once(parts: Sequence[Masks], full: np.uint16, sound: Flags) -> Masks:
    """Return the digits with one place left in each unit, given the units' cells one by one.

    Boards where some unit has no place left for a digit are struck from `sound` in place.
    """
    once = np.zeros(parts[0].shape, np.uint16)
    twice, both = np.zeros_like(once), np.empty_like(once)
    for part in parts:
        np.bitwise_and(once, part, out=both)
        twice |= both
        once |= part
    sound &= np.bitwise_and.reduce(once.reshape(-1, len(sound)), axis=0) == full
    np.invert(twice, out=twice)
    once &= twice
    return once
