"""Depth-first search in many puzzles at once, over candidates that a puzzle's own rules narrow.

A board is a column of *masks*: the values that each cell may still have, one bit each in 16 bits. Boards are
*cell-major*, (cells, N), so that NumPy's inner loops run over N boards however small the grid is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Masks = npt.NDArray[np.uint16]
Owners = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Propagate = Callable[[Masks, Owners], tuple[npt.NDArray[np.uint16], Flags]]
"""Narrows boards (cells, N) in place until nothing moves, given which of the puzzles (N,) each belongs to.

Returns the number of undecided cells (N,) and whether the board is without contradiction (N,). A board
without contradiction and undecided cells is a solution.
"""
Sweep = Callable[[Masks, Flags, Owners], Flags]
"""Applies every rule once to boards (cells, M), in place, given which cells are decided and which columns of
the boards that are being settled these are (M,). Returns which boards (M,) show no contradiction."""

MANY = 2
GAVE_UP = -1
_ALL_MASKS: Masks = np.arange(1 << 16, dtype=np.uint16)
POPCOUNT: npt.NDArray[np.uint8] = (
    np.unpackbits(_ALL_MASKS.view(np.uint8)).reshape(-1, 16).sum(axis=1, dtype=np.uint8)
)
"""Candidates in each mask."""
_CHUNK_ELEMENTS = 1 << 17
_NARROWEST = 64
_DECIDED = 17
_ONE = np.uint16(1)
_COMPACT_BELOW = 0.8


def depth_first(
    propagate: Propagate,
    boards: Masks,
    *,
    values: int,
    want: int,
    effort: int,
    rng: np.random.Generator | None = None,
) -> tuple[Masks, npt.NDArray[np.int8]]:
    """Look for up to `want` (1 or 2) solutions within each board (cells, N) of candidates 0 … `values` − 1.

    Returns the first solution as masks (cells, N), zeros where there is none, and the count found (N,), −1
    where more than `effort` rounds of branching decided nothing. With `rng`, values are tried in random
    order.

    Depth first over all boards together: the stack's newest branches are taken in chunks that are wide enough
    for NumPy and no wider than there are open questions, so memory stays bounded however hard a board is.
    """
    cells, total = boards.shape
    solution = np.zeros_like(boards)
    found = np.zeros(total, np.int64)
    spent = np.zeros(total, np.int64)
    widest = max(_NARROWEST, _CHUNK_ELEMENTS // cells)
    stack = _Stack(boards)
    while stack.size:
        open_questions = np.count_nonzero((found < want) & (spent <= effort))
        work, owner = stack.pop(int(np.clip(want * open_questions, _NARROWEST, widest)))
        wanted = (found[owner] < want) & (spent[owner] <= effort)
        if not wanted.all():
            work, owner = np.compress(wanted, work, axis=1), owner[wanted]
        undecided, sound = propagate(work, owner)
        solved = np.flatnonzero(sound & (undecided == 0))
        first = solved[np.unique(owner[solved], return_index=True)[1]]
        first = first[found[owner[first]] == 0]
        solution[:, owner[first]] = work[:, first]
        found += np.bincount(owner[solved], minlength=total)
        stalled = np.flatnonzero(sound & (undecided != 0))
        spent[owner[stalled]] += 1
        if len(stalled):
            stack.push(*_branch(work.take(stalled, axis=1), values, rng), owner[stalled])
    count = np.minimum(found, want)
    count[(found < want) & (spent > effort)] = GAVE_UP
    return solution, count.astype(np.int8)


def settle(boards: Masks, sweep: Sweep) -> tuple[npt.NDArray[np.uint16], Flags]:
    """Narrow the candidates of `boards` (cells, N) in place until every board stalls or contradicts itself.

    Returns what a `Propagate` does. The candidates of a board that contradicts itself mean nothing.
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
            alive = alive & sweep(work, beyond_first == 0, columns)
            before = now
    return undecided, sound


def exactly_once(parts: Sequence[Masks], full: np.uint16, sound: Flags) -> Masks:
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


class _Stack:
    """Boards still to be searched, newest last, each with the index of the board that it came from."""

    def __init__(self, boards: Masks) -> None:
        self.size = boards.shape[1]
        self._blocks = [(boards, np.arange(self.size))]

    def push(self, likely: Masks, rest: Masks, owner: Owners) -> None:
        """Put both halves of a branching on top, the `likely` ones uppermost."""
        self._blocks += [(rest, owner), (likely, owner)]
        self.size += 2 * len(owner)

    def pop(self, count: int) -> tuple[Masks, Owners]:
        """Take the newest `count` boards, or all there are, as a copy."""
        taken: list[tuple[Masks, Owners]] = []
        missing = count
        while self._blocks and missing:
            boards, owner = self._blocks.pop()
            split = max(len(owner) - missing, 0)
            if split:
                self._blocks.append((boards[:, :split], owner[:split]))
            taken.append((boards[:, split:], owner[split:]))
            missing -= len(owner) - split
        self.size -= count - missing
        return np.concatenate([b for b, _ in taken], axis=1), np.concatenate([o for _, o in taken])


def _branch(boards: Masks, values: int, rng: np.random.Generator | None) -> tuple[Masks, Masks]:
    """Split each stalled board at its cell of fewest candidates: one value there, or any of the others."""
    candidates = POPCOUNT[boards].astype(np.uint16)
    candidates[candidates == 1] = _DECIDED
    # The count in the high byte and the cell in the low one: one pass finds the first smallest cell.
    candidates <<= np.uint16(8)
    candidates |= np.arange(len(boards), dtype=np.uint16)[:, None]
    cell = np.minimum.reduce(candidates, axis=0) & np.uint16(0xFF)
    column = np.arange(boards.shape[1])
    options = boards[cell, column]
    value = options & np.negative(options) if rng is None else _random_bit(options, values, rng)
    likely, rest = boards, boards.copy()
    likely[cell, column] = value
    rest[cell, column] = options & ~value
    return likely, rest


def _random_bit(masks: Masks, values: int, rng: np.random.Generator) -> Masks:
    """Return one of the bits set in each mask (N,), drawn uniformly."""
    bits = np.arange(values, dtype=np.uint16)[:, None]
    weight = rng.random((values, len(masks))) * ((masks >> bits) & np.uint16(1))
    chosen: Masks = np.left_shift(np.uint16(1), weight.argmax(axis=0).astype(np.uint16))
    return chosen
