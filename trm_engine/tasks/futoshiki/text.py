"""Futoshiki as text: draw, and read what people write and what programs exchange.

Two notations are read: a drawing, which may stand on one line, and a game of Simon Tatham's collection, where
it is called Unequal (`5:0,0L,3UR,…`: each cell's digit, 0 for none, and the neighbours that it is greater
than).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from trm_engine.errors import UsageError
from trm_engine.tasks.examples import Tokens
from trm_engine.tasks.futoshiki.board import BLANK, FIRST_DIGIT, Board, Clues
from trm_engine.text import safe_text

NO_SIGN = "-"
"""How a place without a sign is written on one line; in a drawing it is a space."""
_SIGNS = "<>^v"
_MORE_SIGNS = {"∧": "^", "∨": "v", "V": "v", "⌃": "^", "⌄": "v", "_": ".", " ": NO_SIGN, "0": "."}
_MAX_TEXT = 4096
_GAME = re.compile(r"(\d{1,2})([a-z0-9]*)([:#])(\S*)")
_CELL = re.compile(r"(\d{1,2})([URDL]*)")


def symbols(board: Board, tokens: Sequence[int] | Tokens) -> list[str]:
    """Return the symbol of each position; a blank cell is `.`, no sign a space, and what is none `?`."""
    known = {FIRST_DIGIT + digit: str(digit + 1) for digit in range(board.size)}
    known |= {BLANK: ".", board.no_sign: " "}
    known |= {board.no_sign + number: sign for number, sign in enumerate(_SIGNS, 1)}
    return [known.get(int(token), "?") for token in tokens]


def line(board: Board, tokens: Sequence[int] | Tokens) -> str:
    """Write a grid of tokens on one line."""
    return "".join(symbols(board, tokens)).replace(" ", NO_SIGN)


def render(board: Board, tokens: Sequence[int] | Tokens) -> str:
    """Draw a grid of tokens, two characters a position, so that it is about as high as wide."""
    words, width = symbols(board, tokens), board.width
    return "\n".join(" ".join(words[first : first + width]) for first in range(0, len(words), width))


def read(board: Board, text: str) -> Tokens:
    """Read the tokens (positions,) of a grid in either notation.

    Raises `UsageError` for other symbols, another size, or symbols where they cannot stand.
    """
    if len(text) > _MAX_TEXT:
        raise UsageError(f"the puzzle is {len(text)} characters long; {_say_size(board)}")
    game = _GAME.fullmatch(text.strip())
    if game and (game[3] == "#" or "," in game[4]):
        return _from_game(board, *game.groups())
    return _from_drawing(board, text)


def _from_drawing(board: Board, text: str) -> Tokens:
    drawn = _positions(board, text)
    codes = {symbol: token for token, symbol in enumerate(symbols(board, range(board.vocab_size))) if token}
    codes[NO_SIGN] = codes.pop(" ")
    legal = board.legal()
    tokens = np.zeros(board.positions, np.uint8)
    for place, symbol in enumerate(drawn):
        token = codes.get(_MORE_SIGNS.get(symbol, symbol))
        if token is None or not legal[place, token]:
            raise UsageError(
                f'{board.place(place)} of the puzzle is "{safe_text(symbol)}"; {_say_size(board)}'
            )
        tokens[place] = token
    return tokens


def _positions(board: Board, text: str) -> str:
    """Return the symbol of every position, one after the other; a place that is left out has no sign."""
    lines = [line.rstrip() for line in text.replace("\r", "").split("\n")]
    if len([line for line in lines if line]) == 1:
        drawn = "".join(text.split())
        if len(drawn) != board.positions:
            raise UsageError(f"the puzzle has {len(drawn)} symbols on its line; {_say_size(board)}")
        return drawn
    while lines and not lines[0]:
        del lines[0]
    while lines and not lines[-1]:
        del lines[-1]
    # A drawing may put a space between every two symbols.
    wide = max(map(len, lines), default=0) > board.width
    rows = [(line[::2] if wide else line).ljust(board.width) for line in lines]
    if len(rows) != board.width:
        raise UsageError(f"the puzzle has {len(rows)} lines; {_say_size(board)}")
    longest = max(map(len, rows))
    if longest > board.width:
        raise UsageError(f"a line of the puzzle has {longest} symbols; {_say_size(board)}")
    return "".join(rows)


def _from_game(board: Board, size: str, kind: str, mark: str, text: str) -> Tokens:
    if int(size) != board.size:
        raise UsageError(f"the puzzle is {size}×{size}; this task's are {board}")
    if mark == "#":
        raise UsageError("this is the random seed of a game; give its ID, with a colon, as 4:0,0R,…")
    if kind.startswith("a"):
        raise UsageError("this is a game of Adjacent, whose bars say something else than < and >")
    cells = [cell.strip() for cell in text.strip().rstrip(",").split(",")]
    if len(cells) != board.size**2:
        raise UsageError(f"the puzzle has {len(cells)} cells; a {board} grid has {board.size**2}")
    shape = (board.size, board.size)
    digits = np.zeros(len(cells), np.uint8)
    right, below = np.zeros((shape[0], shape[1] - 1), np.int8), np.zeros((shape[0] - 1, shape[1]), np.int8)
    for place, written in enumerate(cells):
        row, column = divmod(place, board.size)
        found = _CELL.fullmatch(written)
        if not found or int(found[1]) > board.size:
            raise UsageError(
                f'cell {place + 1} of the puzzle is "{safe_text(written[:20])}"; it is a digit, and letters '
                "of U R D L for the neighbours that are less"
            )
        digits[place] = int(found[1])
        for letter in found[2]:
            signs, at, sign = {
                "U": (below, (row - 1, column), 1),
                "D": (below, (row, column), -1),
                "L": (right, (row, column - 1), 1),
                "R": (right, (row, column), -1),
            }[letter]
            if not (0 <= at[0] < signs.shape[0] and 0 <= at[1] < signs.shape[1]):
                raise UsageError(f"cell {place + 1} of the puzzle has no neighbour on the side {letter}")
            signs[at] = sign
    tokens: Tokens = board.to_tokens(Clues(digits[None], right[None], below[None]))[0]
    return tokens


def _say_size(board: Board) -> str:
    return (
        f"a {board} grid is drawn in {board.width} lines of {board.width} symbols: digits, . for a blank, "
        "< > ^ v or nothing between them"
    )
