"""Solve many Futoshiki at once, and tell those with one solution from those with none or many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.examples import Tokens
from trm_engine.tasks.futoshiki.board import Board, Clues
from trm_engine.tasks.kit.generated import Solutions
from trm_engine.tasks.kit.search import MANY, Flags, Masks, Owners, depth_first, exactly_once, settle

EFFORT = 400
"""Rounds of branching spent on one puzzle before giving up."""
_AT_ONCE = 1 << 12
_VALUES = 9
_DIGIT_OF = np.zeros(1 << _VALUES, np.uint8)
_DIGIT_OF[1 << np.arange(_VALUES)] = np.arange(1, _VALUES + 1)
_NO_MASK = np.uint16((1 << _VALUES) - 1)


def _tables() -> tuple[Masks, Masks]:
    """Return, of each mask, the values below its highest one and those above its lowest."""
    masks = np.arange(1 << _VALUES, dtype=np.uint16)
    bits = (masks[:, None] >> np.arange(_VALUES, dtype=np.uint16)) & np.uint16(1)
    highest = _VALUES - 1 - bits[:, ::-1].argmax(axis=1)
    below = (1 << highest) - 1
    above = ~((2 << bits.argmax(axis=1)) - 1) & int(_NO_MASK)
    empty = masks == 0
    return np.where(empty, 0, below).astype(np.uint16), np.where(empty, 0, above).astype(np.uint16)


_BELOW, _ABOVE = _tables()


def solve(board: Board, puzzles: Tokens) -> Solutions:
    """Solve puzzles (N, positions), each until its second solution at most."""
    answers = np.array(puzzles, np.uint8)
    count = np.zeros(len(puzzles), np.int8)
    for first in range(0, len(puzzles), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        clues = board.to_clues(puzzles[part])
        masks = to_masks(board, np.ascontiguousarray(clues.digits.T))
        found, count[part] = search(board, clues, masks, want=MANY, effort=EFFORT)
        answers[part] = board.to_tokens(clues._replace(digits=to_digits(found).T))
    return Solutions(answers, count)


def full_mask(board: Board) -> np.uint16:
    """Return the mask that allows every digit."""
    return np.uint16((1 << board.size) - 1)


def to_masks(board: Board, digits: npt.NDArray[np.uint8]) -> Masks:
    """Return masks of the same shape: one bit for a digit, every bit for a blank."""
    table = np.left_shift(np.uint16(1), np.arange(-1, board.size).clip(0).astype(np.uint16))
    table[0] = full_mask(board)
    return table[digits]


def to_digits(masks: Masks) -> npt.NDArray[np.uint8]:
    """Return the digit of each mask with one candidate, 0 for any other."""
    return _DIGIT_OF[masks]


def search(
    board: Board,
    clues: Clues,
    masks: Masks,
    *,
    want: int,
    effort: int,
    rng: np.random.Generator | None = None,
) -> tuple[Masks, npt.NDArray[np.int8]]:
    """Look for up to `want` solutions within candidates (n², N) under the signs of `clues`.

    See `trm_engine.tasks.kit.search.depth_first`.
    """
    right, below = (np.ascontiguousarray(np.moveaxis(signs, 0, -1)) for signs in (clues.right, clues.below))

    def narrow(work: Masks, owner: Owners) -> tuple[npt.NDArray[np.uint16], Flags]:
        mine = right.take(owner, axis=2), below.take(owner, axis=2)

        def sweep(some: Masks, decided: Flags, which: Owners) -> Flags:
            return _sweep(board, some, decided, *(signs.take(which, axis=2) for signs in mine))

        return settle(work, sweep)

    return depth_first(narrow, masks, values=board.size, want=want, effort=effort, rng=rng)


def _sweep(
    board: Board,
    boards: Masks,
    decided: Flags,
    right: npt.NDArray[np.int8],
    below: npt.NDArray[np.int8],
) -> Flags:
    """Apply every rule once to boards (n², M), in place; return which show no contradiction."""
    size, full = board.size, full_mask(board)
    work = boards.reshape(size, size, -1)
    fixed = (boards * decided).reshape(work.shape)
    # Each decided digit leaves the other cells of its lines. A sum of distinct bits equals their union.
    in_row, in_column = np.bitwise_or.reduce(fixed, axis=1), np.bitwise_or.reduce(fixed, axis=0)
    sound: Flags = (in_row == fixed.sum(axis=1, dtype=np.uint16)).all(axis=0)
    sound &= (in_column == fixed.sum(axis=0, dtype=np.uint16)).all(axis=0)
    work &= ~(in_row[:, None] | in_column[None]) | fixed
    # Signs bound both cells, and each may bound the next.
    for first, second, signs in (
        (work[:, :-1], work[:, 1:], right),
        (work[:-1], work[1:], below),
    ):
        less, greater = signs == 1, signs == -1
        first &= np.where(less, _BELOW[second], np.where(greater, _ABOVE[second], _NO_MASK))
        second &= np.where(less, _ABOVE[first], np.where(greater, _BELOW[first], _NO_MASK))
    sound &= (work != 0).all(axis=(0, 1))
    # A digit with one place left in a line goes there.
    rows = exactly_once([work[:, column] for column in range(size)], full, sound)
    columns = exactly_once([work[row] for row in range(size)], full, sound)
    hidden = (rows[:, None] | columns[None]) & work
    first_bit = hidden & np.negative(hidden)
    np.copyto(work, first_bit, where=hidden != 0)
    return sound
