"""Solve many Light Up puzzles at once, and tell those with one solution from those with none or many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.examples import Tokens
from trm_engine.tasks.kit.generated import Solutions
from trm_engine.tasks.kit.search import MANY, Masks, Owners, depth_first, settle
from trm_engine.tasks.light_up.light import BULB, Flags, Shape, Walls, touching

# The values of a cell as masks: a bulb is tried first, for it decides most.
_MAY_BULB, _MAY_BE_EMPTY = np.uint16(1), np.uint16(2)
_EITHER = np.uint16(3)
EFFORT = 400
"""Rounds of branching spent on one puzzle before giving up."""
_AT_ONCE = 1 << 12
_LOW, _HIGH = np.uint16(255), np.uint16(8)


def solve(shape: Shape, puzzles: Tokens, *, effort: int = EFFORT) -> Solutions:
    """Solve puzzles (N, cells), each until its second solution at most."""
    answers = np.array(puzzles, np.uint8)
    count = np.zeros(len(puzzles), np.int8)
    for first in range(0, len(puzzles), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        found, count[part] = search(shape, Walls.of(shape, puzzles[part]), want=MANY, effort=effort)
        answers[part] = np.where(found.T == _MAY_BULB, BULB, answers[part])
    return Solutions(answers, count)


def search(shape: Shape, walls: Walls, *, want: int, effort: int) -> tuple[Masks, npt.NDArray[np.int8]]:
    """Look for up to `want` solutions; see `trm_engine.tasks.kit.search.depth_first`."""
    boards = np.where(walls.open, _EITHER, _MAY_BE_EMPTY).reshape(shape.cells, -1)

    def narrow(work: Masks, owner: Owners) -> tuple[npt.NDArray[np.uint16], Flags]:
        mine = walls.take(owner)
        return settle(work, lambda some, decided, which: _sweep(shape, mine.take(which), some, decided))

    return depth_first(narrow, boards, values=2, want=want, effort=effort)


def _sweep(shape: Shape, walls: Walls, boards: Masks, decided: Flags) -> Flags:
    """Apply every rule once to boards (cells, M), in place; return which show no contradiction."""
    work = boards.reshape(shape.rows, shape.cols, -1)
    undecided = ~decided.reshape(work.shape)
    bulb, may = work == _MAY_BULB, (work & _MAY_BULB) != 0
    # Bulbs are counted in the low byte and places for bulbs in the high one, in one pass over the grid.
    both = bulb + may.astype(np.uint16) * np.uint16(256)
    in_view, touch = walls.along(both) - 2 * both * walls.open, touching(both)
    lit, candidates = (in_view & _LOW) > 0, (in_view >> _HIGH) + may
    bulbs, places = touch & _LOW, touch >> _HIGH
    sound: Flags = ~(bulb & lit).any(axis=(0, 1)) & (work != 0).all(axis=(0, 1))
    # A wall's number: too many bulbs, or too few places for them; just enough of either decides the rest.
    sound &= (~walls.numbered | ((bulbs <= walls.number) & (places >= walls.number))).all(axis=(0, 1))
    sound &= ~((bulbs == walls.barred) & (places == walls.barred)).any(axis=(0, 1))
    full = bulbs == walls.number
    needed = (places == walls.number) & ~full
    # A cell that only one place could light: there is a bulb.
    dark = walls.open & ~lit & ~bulb
    sound &= ~(dark & (candidates == 0)).any(axis=(0, 1))
    lonely = dark & (candidates == 1)
    forced = (touching(needed) > 0) | (walls.along(lonely.view(np.uint8)) > 0)
    work[undecided & may & forced] = _MAY_BULB
    # What may not be a bulb comes last: where both hold, the next sweep sees the contradiction.
    work[undecided & (lit | (touching(full) > 0))] = _MAY_BE_EMPTY
    return sound
