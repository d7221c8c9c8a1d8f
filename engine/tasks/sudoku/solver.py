"""Solve many Sudokus at once, and tell puzzles with one solution from those with none or many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.tasks.progress import Progress, silent
from engine.tasks.sudoku.geometry import Digits, Geometry
from engine.tasks.sudoku.masks import POPCOUNT, Masks, to_digits, to_masks
from engine.tasks.sudoku.propagate import propagate
from engine.tasks.sudoku.rules import has_repeat

Owners = npt.NDArray[np.intp]

MANY = 2
GAVE_UP = -1
EFFORT = 2000
"""Rounds of branching spent on one puzzle before giving up; puzzles that people publish need few."""
_CHUNK_ELEMENTS = 1 << 17
_NARROWEST = 64
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
    """Look for up to `want` (1 or 2) solutions within each board (n², N) of candidates.

    Returns the first solution as masks (n², N), zeros where there is none, and the count found (N,), −1 where
    more than `effort` rounds of branching decided nothing. With `rng`, values are tried in random order.

    Depth first over all boards together: the stack's newest branches are taken in chunks that are wide enough
    for NumPy and no wider than there are open questions, so memory stays bounded however hard a board is.
    """
    total = boards.shape[1]
    solution = np.zeros_like(boards)
    found = np.zeros(total, np.int64)
    spent = np.zeros(total, np.int64)
    widest = max(_NARROWEST, _CHUNK_ELEMENTS // geometry.cells)
    stack = _Stack(boards)
    while stack.size:
        open_questions = np.count_nonzero((found < want) & (spent <= effort))
        work, owner = stack.pop(int(np.clip(want * open_questions, _NARROWEST, widest)))
        wanted = (found[owner] < want) & (spent[owner] <= effort)
        if not wanted.all():
            work, owner = np.compress(wanted, work, axis=1), owner[wanted]
        undecided, sound = propagate(geometry, work)
        solved = np.flatnonzero(sound & (undecided == 0))
        first = solved[np.unique(owner[solved], return_index=True)[1]]
        first = first[found[owner[first]] == 0]
        solution[:, owner[first]] = work[:, first]
        found += np.bincount(owner[solved], minlength=total)
        stalled = np.flatnonzero(sound & (undecided != 0))
        spent[owner[stalled]] += 1
        if len(stalled):
            stack.push(*_branch(geometry, work.take(stalled, axis=1), rng), owner[stalled])
    count = np.minimum(found, want)
    count[(found < want) & (spent > effort)] = GAVE_UP
    return solution, count.astype(np.int8)


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


def _branch(geometry: Geometry, boards: Masks, rng: np.random.Generator | None) -> tuple[Masks, Masks]:
    """Split each stalled board at its cell of fewest candidates: one value there, or any of the others."""
    candidates = POPCOUNT[boards].astype(np.uint16)
    candidates[candidates == 1] = geometry.side + 1
    # The count in the high byte and the cell in the low one: one pass finds the first smallest cell.
    candidates <<= np.uint16(8)
    candidates |= np.arange(geometry.cells, dtype=np.uint16)[:, None]
    cell = np.minimum.reduce(candidates, axis=0) & np.uint16(0xFF)
    column = np.arange(boards.shape[1])
    options = boards[cell, column]
    value = options & np.negative(options) if rng is None else _random_bit(geometry, options, rng)
    likely, rest = boards, boards.copy()
    likely[cell, column] = value
    rest[cell, column] = options & ~value
    return likely, rest


def _random_bit(geometry: Geometry, masks: Masks, rng: np.random.Generator) -> Masks:
    """Return one of the bits set in each mask (N,), drawn uniformly."""
    bits = np.arange(geometry.side, dtype=np.uint16)[:, None]
    weight = rng.random((geometry.side, len(masks))) * ((masks >> bits) & np.uint16(1))
    chosen: Masks = np.left_shift(np.uint16(1), weight.argmax(axis=0).astype(np.uint16))
    return chosen
