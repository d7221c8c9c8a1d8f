"""The rules of Light Up applied to answers: what is wrong with them, and which of many are right."""

from __future__ import annotations

import numpy as np

from trm_engine.tasks.base import Fault, Verdict
from trm_engine.tasks.examples import Tokens
from trm_engine.tasks.light_up.light import (
    BULB,
    FIRST_NUMBER,
    LAST_TOKEN,
    OPEN,
    Flags,
    Shape,
    Walls,
    touching,
)

_AT_ONCE = 1024


def check(shape: Shape, puzzle: Tokens, answer: Tokens) -> Verdict:
    """Judge an answer (cells,) to a puzzle (cells,)."""
    wrong = faults(shape, puzzle, answer)
    if wrong:
        return Verdict(False, wrong[0].reason)
    bulbs = int((answer == BULB).sum())
    return Verdict(True, f"{bulbs} {_bulbs(bulbs)} light every cell, and none shines on another")


def faults_of_puzzle(shape: Shape, puzzle: Tokens) -> list[Fault]:
    """Return the cells that belong into no puzzle (cells,)."""
    strange = (puzzle < OPEN) | (puzzle > LAST_TOKEN) | (puzzle == BULB)
    what = {BULB: "a bulb"}
    return [
        Fault((cell,), f"{shape.place(cell)} of the puzzle is {what.get(int(puzzle[cell]), 'no cell')}")
        for cell in np.flatnonzero(strange).tolist()
    ]


def contradictions(shape: Shape, puzzle: Tokens) -> list[Fault]:
    """Return numbers of a puzzle (cells,) that have fewer open cells around them than they want bulbs."""
    walls = Walls.of(shape, puzzle[None])
    room = touching(walls.open)
    found = []
    for cell in np.flatnonzero(walls.numbered & (walls.number > room)).tolist():
        number, has = int(walls.number.flat[cell]), int(room.flat[cell])
        cells = "open cell" if has == 1 else "open cells"
        found.append(Fault((cell,), f"the {number} at {shape.place(cell)} has only {has} {cells} beside it"))
    return found


def faults(shape: Shape, puzzle: Tokens, answer: Tokens) -> list[Fault]:
    """Return what is wrong with an answer: cells that changed, or else every rule that it breaks."""
    bulb = (answer == BULB) & (puzzle == OPEN)
    changed = np.flatnonzero((answer != puzzle) & ~bulb).tolist()
    if changed:
        return [Fault((cell,), f"{shape.place(cell)} is not as the puzzle has it") for cell in changed]
    walls = Walls.of(shape, puzzle[None])
    bulbs = shape.grids(bulb[None]).astype(np.bool_)
    found = []
    seen = walls.in_view(bulbs)
    facing = np.flatnonzero(bulbs & (seen > 0)).tolist()
    if facing:
        found.append(Fault(tuple(facing), f"{len(facing)} bulbs shine on each other"))
    dark = np.flatnonzero(walls.open & ~bulbs & (seen == 0)).tolist()
    if dark:
        where = shape.place(dark[0]) if len(dark) == 1 else f"{len(dark)} cells"
        found.append(Fault(tuple(dark), f"{where} {'is' if len(dark) == 1 else 'are'} not lit"))
    touch = touching(bulbs)
    for cell in np.flatnonzero(walls.numbered & (touch != walls.number)).tolist():
        number, has = int(walls.number.flat[cell]), int(touch.flat[cell])
        found.append(Fault((cell,), f"the {number} at {shape.place(cell)} has {has} {_bulbs(has)}"))
    return found


def solved(shape: Shape, puzzles: Tokens, answers: Tokens) -> Flags:
    """Tell which answers (N, cells) to puzzles (N, cells) break no rule."""
    found = np.zeros(len(puzzles), np.bool_)
    for first in range(0, len(puzzles), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        puzzle, answer = np.asarray(puzzles[part]), np.asarray(answers[part])
        bulb = (answer == BULB) & (puzzle == OPEN)
        faithful = ((answer == puzzle) | bulb).all(axis=1)
        walls, bulbs = Walls.of(shape, puzzle), shape.grids(bulb)
        lit = ~walls.open | ((walls.in_view(bulbs) > 0) != bulbs)
        counted = ~walls.numbered | (touching(bulbs) == walls.number)
        found[part] = faithful & (lit & counted).all(axis=(0, 1))
    return found


def numbered(shape: Shape, open_cells: Flags, bulbs: Flags) -> Tokens:
    """Return the puzzles (N, cells) whose walls all bear the number of bulbs (rows, cols, N) they touch."""
    tokens = np.where(open_cells, OPEN, FIRST_NUMBER + touching(bulbs)).astype(np.uint8)
    return np.ascontiguousarray(tokens.reshape(shape.cells, -1).T)


def _bulbs(count: int) -> str:
    return "bulb" if count == 1 else "bulbs"
