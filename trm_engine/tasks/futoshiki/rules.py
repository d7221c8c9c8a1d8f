"""The rules of Futoshiki applied to answers: what is wrong with them, and which of many are right."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.base import Fault, Verdict
from trm_engine.tasks.examples import Tokens
from trm_engine.tasks.futoshiki.board import FIRST_DIGIT, Board


def check(board: Board, puzzle: Tokens, answer: Tokens) -> Verdict:
    """Judge an answer (positions,) to a puzzle (positions,)."""
    wrong = next(faults(board, puzzle, answer), None)
    if wrong is not None:
        return Verdict(False, wrong.reason)
    return Verdict(True, "every row and column holds each digit once, and every sign is met")


def faults_of_puzzle(board: Board, puzzle: Tokens) -> list[Fault]:
    """Return the positions of a puzzle (positions,) that hold what cannot stand there."""
    known = (puzzle >= 0) & (puzzle < board.vocab_size)
    legal = known & board.legal()[np.arange(board.positions), np.where(known, puzzle, 0)]
    return [
        Fault((place,), f"{board.place(place)} of the puzzle holds what cannot stand there")
        for place in np.flatnonzero(~legal).tolist()
    ]


def faults(board: Board, puzzle: Tokens, answer: Tokens) -> Iterator[Fault]:
    """Yield what is wrong with an answer: what changed, cells without a digit, repeats, signs not met."""
    cells = board.cells
    is_cell = np.zeros(board.positions, np.bool_)
    is_cell[cells] = True
    blank = is_cell & ((answer < FIRST_DIGIT) | (answer >= board.no_sign))
    given = ~is_cell | (puzzle >= FIRST_DIGIT)
    for place in np.flatnonzero(blank).tolist():
        yield Fault((place,), f"{board.place(place)} holds no digit")
    for place in np.flatnonzero(given & ~blank & (answer != puzzle)).tolist():
        yield Fault((place,), f"{board.place(place)} is not as the puzzle has it")
    yield from _broken(board, puzzle, np.where(blank, 0, answer)[cells])


def contradictions(board: Board, puzzle: Tokens) -> Iterator[Fault]:
    """Yield digits that a puzzle (positions,) repeats, and signs that its digits do not meet."""
    digits = puzzle[board.cells]
    yield from _broken(board, puzzle, np.where(digits >= FIRST_DIGIT, digits, 0))


def _broken(board: Board, puzzle: Tokens, of_cells: Tokens) -> Iterator[Fault]:
    """Yield the rules that the digits (n²,; as tokens, 0 for none) of a puzzle break."""
    digits = of_cells.reshape(board.size, board.size)
    places = board.cells.reshape(board.size, board.size)
    for kind, lines, of_lines in (("row", digits, places), ("column", digits.T, places.T)):
        for number, (line, where) in enumerate(zip(lines, of_lines, strict=True), 1):
            values, times = np.unique(line[line > 0], return_counts=True)
            for value in values[times > 1].tolist():
                repeated = where[line == value].tolist()
                what = f"{value - 1} appears {len(repeated)} times in {kind} {number}"
                yield Fault(tuple(repeated), what)
    yield from _unmet_signs(board, puzzle, digits)


def _unmet_signs(board: Board, puzzle: Tokens, digits: npt.NDArray[np.integer]) -> Iterator[Fault]:
    """Yield the signs of a puzzle that digits (n, n; below 1 for none) do not meet."""
    clues = board.to_clues(puzzle[None])
    places = np.arange(board.positions).reshape(board.width, board.width)
    signed = digits.astype(np.int16)
    for signs, axis, between in (
        (clues.right[0], 1, places[::2, 1::2]),
        (clues.below[0], 0, places[1::2, ::2]),
    ):
        step = 1 if axis else board.width
        known = np.minimum(*_neighbours(signed, axis)) > 0
        unmet = known & (signs != 0) & (np.sign(np.diff(signed, axis=axis)) != signs)
        for place in between[unmet].tolist():
            yield Fault((place - step, place, place + step), f"{board.place(place)} is not met")


def _neighbours(
    grid: npt.NDArray[np.int16], axis: int
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Return the first and the second of each two neighbours along an axis of (n, n)."""
    return (grid[:, :-1], grid[:, 1:]) if axis else (grid[:-1], grid[1:])


def solved(board: Board, puzzles: Tokens, answers: Tokens) -> npt.NDArray[np.bool_]:
    """Tell which answers (N, positions) to puzzles (N, positions) break no rule."""
    cells = board.cells
    is_cell = np.zeros(board.positions, np.bool_)
    is_cell[cells] = True
    given = ~is_cell | (puzzles >= FIRST_DIGIT)
    right: npt.NDArray[np.bool_] = (~given | (answers == puzzles)).all(axis=1)
    clues = board.to_clues(puzzles)
    digits = board.to_clues(answers).digits.reshape(-1, board.size, board.size).astype(np.int16)
    in_order = np.arange(1, board.size + 1, dtype=np.int16)
    right &= (np.sort(digits, axis=1) == in_order[:, None]).all(axis=(1, 2))
    right &= (np.sort(digits, axis=2) == in_order).all(axis=(1, 2))
    for signs, axis in ((clues.right, 2), (clues.below, 1)):
        met = (signs == 0) | (np.sign(np.diff(digits, axis=axis)) == signs)
        right &= met.all(axis=(1, 2))
    return right
