"""Sudoku grids as tokens and as text: encode, draw, read, and judge an answer by the rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from trm_engine.errors import UsageError
from trm_engine.tasks.base import ContradictionError, Fault, Verdict
from trm_engine.tasks.examples import Tokens
from trm_engine.tasks.sudoku.geometry import Digits, Geometry
from trm_engine.tasks.sudoku.lists.boards import Boards
from trm_engine.tasks.sudoku.lists.symbols import Symbols, Zero, ZeroEvidence, may_begin_at_zero
from trm_engine.tasks.sudoku.rules import SYMBOLS, has_repeat, place, repeats
from trm_engine.text import safe_text

BLANK = 1
"""Token of an empty cell."""
FIRST_DIGIT = 2
"""Token of the digit 1; digit d is d + 1."""
_MAX_TEXT = 4096


def to_tokens(digits: Digits) -> Digits:
    """Return digits (0 for a blank) as tokens of the same shape."""
    return digits + np.uint8(BLANK)


def to_digits(tokens: Tokens) -> Digits:
    """Return tokens as digits of the same shape; blank, padding and ignored labels are 0."""
    return (np.maximum(tokens, BLANK) - BLANK).astype(np.uint8)


def symbols(geometry: Geometry, tokens: Sequence[int] | Tokens) -> list[str]:
    """Return the symbol of each cell of a grid (n²,); a blank is `.`, a token that is no cell is `?`."""
    if len(tokens) != geometry.cells:
        raise ValueError(f"{len(tokens)} tokens are no {geometry} grid")
    known = {FIRST_DIGIT + index: symbol for index, symbol in enumerate(SYMBOLS[: geometry.side])}
    known[BLANK] = "."
    return [known.get(int(token), "?") for token in tokens]


def render(geometry: Geometry, tokens: Sequence[int] | Tokens) -> str:
    """Draw a grid (n²,) of tokens with its boxes."""
    words = symbols(geometry, tokens)
    rule = "+" + "+".join(["-" * (2 * geometry.box_cols + 1)] * geometry.stacks) + "+"
    lines = [rule]
    for row in range(geometry.side):
        first = row * geometry.side
        starts = range(first, first + geometry.side, geometry.box_cols)
        boxes = [" ".join(words[start : start + geometry.box_cols]) for start in starts]
        lines.append("| " + " | ".join(boxes) + " |")
        if (row + 1) % geometry.box_rows == 0:
            lines.append(rule)
    return "\n".join(lines)


def parse(geometry: Geometry, text: str, zero: Zero = "auto") -> Digits:
    """Read the tokens (n²,) of a puzzle written in one line or as a drawing.

    Digits are 1 … 9, then A … G; `.`, `0`, `-`, `*`, `_`, `x` or `·` is a blank; frames and what stands
    between cells are skipped. Of 0 in grids of ten and more digits see `task.zero`. Raises `UsageError` for
    other symbols, another number of cells, or a digit that appears twice in a row, column or box.
    """
    if len(text) > _MAX_TEXT:
        raise UsageError(
            f"the puzzle is {len(text)} characters long; a {geometry} grid has {geometry.cells} cells"
        )
    cells = Boards.seen_in(geometry, text.splitlines()).cells(text)
    symbols = Symbols(geometry, zero == "digit")
    for number, symbol in enumerate(cells, 1):
        if symbol not in symbols.values:
            raise UsageError(f'cell {number} of the puzzle is "{safe_text(symbol)}": {symbols}')
    if len(cells) != geometry.cells:
        raise UsageError(
            f"the puzzle has {len(cells)} cells; a {geometry} grid has {geometry.cells} (a space is not a "
            "cell: write blanks as . or 0)"
        )
    if zero == "auto":
        _require_clear_zero(geometry, cells)
    digits = np.array([symbols.values[symbol] for symbol in cells], np.uint8)
    tokens = to_tokens(digits)
    repeated = list(repeats(geometry, digits))
    if repeated:
        reason = f"the puzzle has no solution: {repeated[0].reason}"
        raise ContradictionError(reason, tokens, repeated)
    return tokens


def _require_clear_zero(geometry: Geometry, cells: str) -> None:
    """Refuse a puzzle whose 0 looks like a digit: the answer would be in other symbols than the puzzle."""
    if not may_begin_at_zero(geometry):
        return
    evidence = ZeroEvidence(geometry)
    evidence.add(cells)
    if evidence.is_digit:
        digits = Symbols(geometry).digits
        raise UsageError(
            f"the puzzle's 0 looks like a digit: {evidence.reason}.\nWrite the digits as {digits[0]} … "
            f"{digits[-1]} and blanks all alike, or train with task.zero = digit or blank."
        )


def check(geometry: Geometry, puzzle: Tokens, answer: Tokens) -> Verdict:
    """Judge an answer (n²,) to a puzzle (n²,), both as tokens: complete, true to the clues, no repeats."""
    first = next(faults(geometry, puzzle, answer), None)
    if first is not None:
        return Verdict(False, first.reason)
    return Verdict(True, "every row, column and box holds each digit once")


def faults(geometry: Geometry, puzzle: Tokens, answer: Tokens) -> Iterator[Fault]:
    """Yield what is wrong with an answer: cells without a digit, clues that changed, digits that repeat."""
    clues = puzzle >= FIRST_DIGIT
    empty = (answer < FIRST_DIGIT) | (answer >= FIRST_DIGIT + geometry.side)
    for cell in np.flatnonzero(empty).tolist():
        yield Fault((cell,), f"{place(geometry, cell)} holds no digit")
    for cell in np.flatnonzero(clues & ~empty & (puzzle != answer)).tolist():
        clue, given = (SYMBOLS[int(grid[cell]) - FIRST_DIGIT] for grid in (puzzle, answer))
        yield Fault((cell,), f"the clue {clue} at {place(geometry, cell)} became {given}")
    yield from repeats(geometry, np.where(empty, 0, to_digits(answer)))


def solved(geometry: Geometry, puzzles: Tokens, answers: Tokens) -> npt.NDArray[np.bool_]:
    """Tell which answers (N, n²) to puzzles (N, n²) `check` accepts."""
    complete = ((answers >= FIRST_DIGIT) & (answers < FIRST_DIGIT + geometry.side)).all(axis=1)
    faithful = ((puzzles < FIRST_DIGIT) | (puzzles == answers)).all(axis=1)
    right: npt.NDArray[np.bool_] = complete & faithful
    rows = np.flatnonzero(right)
    right[rows] = ~has_repeat(geometry, to_digits(answers[rows]))
    return right
