"""Light Up as text: draw, and read what people write and what puzzle sites and programs exchange.

Three notations are read: the cells themselves, on one line or as a drawing; the address of a puzzle on
puzz.link or in pzpr (`akari/7/7/…`); and a game of Simon Tatham's collection (`7x7:a1b0…`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from trm_engine.errors import UsageError
from trm_engine.tasks.examples import Tokens
from trm_engine.tasks.light_up.light import BULB, FIRST_NUMBER, OPEN, WALL, Shape
from trm_engine.text import safe_text

SYMBOLS = ".*#01234"
"""How an open cell, a bulb, a wall and the walls with numbers are written: tokens 1 to 8 in this order."""
_READ = {symbol: token for token, symbol in enumerate(SYMBOLS, 1)}
_READ |= dict.fromkeys("-_·", OPEN) | dict.fromkeys("oOL", BULB) | dict.fromkeys("xXB█", WALL)
_FRAME = "|+│┌┐└┘─ \t\r\n"
_MAX_TEXT = 4096
_SAY_CELLS = "a cell is . (open), # (wall) or 0 to 4 (a wall with that number)"
_ADDRESS = re.compile(r"(?:\S*[?/])?(?:akari|lightup|bijutsukan)/(\d{1,3})/(\d{1,3})/([0-9a-z.]*)/?")
_GAME = re.compile(r"(\d{1,3})x(\d{1,3})[a-z0-9]*([:#])(\S*)")


def line(tokens: Sequence[int] | Tokens) -> str:
    """Write a grid of tokens on one line; what is no cell is `?`."""
    return "".join(SYMBOLS[token - 1] if 1 <= token <= len(SYMBOLS) else "?" for token in map(int, tokens))


def render(shape: Shape, tokens: Sequence[int] | Tokens) -> str:
    """Draw a grid of tokens, two characters a cell, so that it is about as high as wide."""
    symbols = line(tokens)
    starts = range(0, shape.cells, shape.cols)
    return "\n".join(" ".join(symbols[start : start + shape.cols]) for start in starts)


def parse(shape: Shape, text: str) -> Tokens:
    """Read the tokens (cells,) of a puzzle: bulbs that are written in it read as open cells."""
    tokens = read(shape, text)
    return np.where(tokens == BULB, OPEN, tokens).astype(np.uint8)


def read(shape: Shape, text: str) -> Tokens:
    """Read the tokens (cells,) of a grid in any of the notations, with its bulbs.

    Raises `UsageError` for other symbols or another size.
    """
    if len(text) > _MAX_TEXT:
        raise UsageError(f"the puzzle is {len(text)} characters long; a {shape} grid has {shape.cells} cells")
    text = text.strip()
    address, game = _ADDRESS.fullmatch(text), _GAME.fullmatch(text)
    if address:
        cols, rows, cells = address.groups()
        _require_size(shape, int(rows), int(cols))
        return _from_address(shape, cells)
    if game:
        cols, rows, mark, cells = game.groups()
        _require_size(shape, int(rows), int(cols))
        if mark == "#":
            raise UsageError(
                "this is the random seed of a game; give its ID, which has a colon, as 7x7:a1b0c2"
            )
        return _from_game(shape, cells)
    return _from_cells(shape, text)


def _from_cells(shape: Shape, text: str) -> Tokens:
    cells = text.translate(dict.fromkeys(map(ord, _FRAME)))
    for number, symbol in enumerate(cells[: shape.cells]):
        if symbol not in _READ:
            raise UsageError(f'{shape.place(number)} of the puzzle is "{safe_text(symbol)}": {_SAY_CELLS}')
    if len(cells) != shape.cells:
        raise UsageError(f"the puzzle has {len(cells)} cells; a {shape} grid has {shape.cells}")
    return np.array([_READ[symbol] for symbol in cells], np.uint8)


def _from_address(shape: Shape, text: str) -> Tokens:
    """Read pzpr: 0–4 a number, 5–9 and a–e one that one or two open cells follow, g–z open cells."""
    cells: list[int] = []
    for symbol in text:
        value = int(symbol, 36) if symbol != "." else -1
        if symbol == ".":
            cells.append(WALL)
        elif value < 15:
            cells += [FIRST_NUMBER + value % 5] + [OPEN] * (value // 5)
        elif value > 15:
            cells += [OPEN] * (value - 15)
        else:
            raise UsageError('the address of the puzzle holds an "f", which stands for nothing there')
    return _filled(shape, cells)


def _from_game(shape: Shape, text: str) -> Tokens:
    """Read what Simon Tatham's collection writes: B or a number a wall, a–z one to 26 open cells."""
    cells: list[int] = []
    for symbol in text:
        if symbol in "01234":
            cells.append(FIRST_NUMBER + int(symbol))
        elif symbol == "B":
            cells.append(WALL)
        elif "a" <= symbol <= "z":
            cells += [OPEN] * (ord(symbol) - ord("a") + 1)
        else:
            raise UsageError(
                f'the game holds "{safe_text(symbol)}"; it is written with B and 0 to 4 for walls, and a to '
                "z for 1 to 26 open cells"
            )
    return _filled(shape, cells)


def _filled(shape: Shape, cells: list[int]) -> Tokens:
    """Return the tokens of a grid of which open cells at the end may have been left out."""
    if len(cells) > shape.cells:
        raise UsageError(f"the puzzle has {len(cells)} cells; a {shape} grid has {shape.cells}")
    return np.array(cells + [OPEN] * (shape.cells - len(cells)), np.uint8)


def _require_size(shape: Shape, rows: int, cols: int) -> None:
    if (rows, cols) != (shape.rows, shape.cols):
        raise UsageError(f"the puzzle has {rows} rows of {cols} cells; this task's are {shape}")
