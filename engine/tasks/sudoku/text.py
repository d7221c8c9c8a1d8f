"""Sudoku grids as tokens and as text: encode, draw, read, and judge an answer by the rules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.errors import UsageError
from engine.tasks.base import Tokens, Verdict
from engine.tasks.sudoku.geometry import Digits, Geometry
from engine.tasks.sudoku.rules import SYMBOLS, find_repeat, place
from engine.text import safe_text

BLANK = 1
"""Token of an empty cell."""
FIRST_DIGIT = 2
"""Token of the digit 1; digit d is d + 1."""
BLANK_SYMBOLS = ".0"
"""What an empty cell may be written as."""
_FRAME = "|+-─│┌┐└┘├┤┬┴┼═║╔╗╚╝╠╣╦╩╬ \t\r\n"
_MAX_TEXT = 4096


def to_tokens(digits: Digits) -> Digits:
    """Return digits (0 for a blank) as tokens of the same shape."""
    return digits + np.uint8(BLANK)


def to_digits(tokens: Tokens) -> Digits:
    """Return tokens as digits of the same shape; blank, padding and ignored labels are 0."""
    return (np.maximum(tokens, BLANK) - BLANK).astype(np.uint8)


def symbol_values(geometry: Geometry) -> dict[str, int]:
    """Return what each symbol of a cell stands for: its digit, or 0 for a blank."""
    values = {symbol: digit for digit, symbol in enumerate(SYMBOLS[: geometry.side], 1)}
    values.update({symbol.lower(): digit for symbol, digit in values.items()})
    return values | dict.fromkeys(BLANK_SYMBOLS, 0)


def say_symbols(geometry: Geometry) -> str:
    """Say how the cells of a grid are written."""
    return f"a cell is one of {SYMBOLS[: geometry.side]}, or . or 0 for a blank"


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


def parse(geometry: Geometry, text: str) -> Digits:
    """Read the tokens (n²,) of a puzzle written in one line or as a drawing.

    Digits are 1 … 9, then A … G; `.` or `0` is a blank; frames and spaces are skipped. Raises `UsageError`
    for other symbols, another number of cells, or a digit that appears twice in a row, column or box.
    """
    if len(text) > _MAX_TEXT:
        raise UsageError(
            f"the puzzle is {len(text)} characters long; a {geometry} grid has {geometry.cells} cells"
        )
    values = symbol_values(geometry)
    cells = text.translate(dict.fromkeys(map(ord, _FRAME)))
    for number, symbol in enumerate(cells, 1):
        if symbol not in values:
            raise UsageError(f'cell {number} of the puzzle is "{safe_text(symbol)}": {say_symbols(geometry)}')
    if len(cells) != geometry.cells:
        raise UsageError(f"the puzzle has {len(cells)} cells; a {geometry} grid has {geometry.cells}")
    digits = np.array([values[symbol] for symbol in cells], np.uint8)
    repeat = find_repeat(geometry, digits)
    if repeat is not None:
        raise UsageError(f"the puzzle has no solution: {repeat}")
    return to_tokens(digits)


def check(geometry: Geometry, puzzle: Tokens, answer: Tokens) -> Verdict:
    """Judge an answer (n²,) to a puzzle (n²,), both as tokens: complete, true to the clues, no repeats."""
    empty = np.flatnonzero((answer < FIRST_DIGIT) | (answer >= FIRST_DIGIT + geometry.side))
    if len(empty):
        return Verdict(False, f"{place(geometry, empty[0])} holds no digit")
    changed = np.flatnonzero((puzzle >= FIRST_DIGIT) & (puzzle != answer))
    if len(changed):
        clue, given = (SYMBOLS[int(grid[changed[0]]) - FIRST_DIGIT] for grid in (puzzle, answer))
        return Verdict(False, f"the clue {clue} at {place(geometry, changed[0])} became {given}")
    repeat = find_repeat(geometry, to_digits(answer))
    if repeat is not None:
        return Verdict(False, repeat)
    return Verdict(True, "every row, column and box holds each digit once")
