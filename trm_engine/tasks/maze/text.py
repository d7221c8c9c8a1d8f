"""Mazes as tokens and as text: encode, draw and read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trm_engine.errors import UsageError
from trm_engine.tasks.base import ContradictionError, Fault
from trm_engine.tasks.examples import Tokens
from trm_engine.text import safe_text

WALL, OPEN, START, GOAL, PATH = range(1, 6)
"""Tokens of the cells; 0 is padding."""
SYMBOLS = "# SGo"
"""How wall, open cell, start, goal and path are written; they are tokens 1 to 5 in this order."""
_READ = {symbol: token for token, symbol in enumerate(SYMBOLS, 1)} | {
    **dict.fromkeys(".·", OPEN),
    "█": WALL,
    "s": START,
    # The end, target, finish of other tools; X is the path that maze-dataset draws.
    **dict.fromkeys("gEeTtFf", GOAL),
    "X": PATH,
}
_DRAWN = {WALL: "██", OPEN: "  ", START: "S ", GOAL: "G ", PATH: "o "}
_FRAME = "│┌┐└┘─┃┏┓┗┛━║╔╗╚╝═"
_SAY_CELLS = "a cell is # (wall), a space or . (open), S (start) or G (goal)"
_MAX_TEXT = 8192

Grids = npt.NDArray[np.uint8]

# What a byte of a line stands for; 0 is no cell.
_TOKEN_OF_BYTE = np.zeros(256, np.uint8)
_TO_ASCII = str.maketrans({"█": "#", "·": "."})
LOST_SPACES = "spaces are cells; where they get lost, write open cells as ."
"""What to say where a maze has too few cells."""
for _symbol, _token in _READ.items():
    if _symbol.isascii():
        _TOKEN_OF_BYTE[ord(_symbol)] = _token


def line(tokens: Sequence[int] | Tokens) -> str:
    """Write a grid of tokens on one line, its spaces included; what is no cell is `?`."""
    return "".join(SYMBOLS[token - 1] if 1 <= token <= len(SYMBOLS) else "?" for token in map(int, tokens))


def grid(tokens: Sequence[int] | Tokens, cols: int) -> list[list[str]]:
    """Return the rows of symbols of a grid of tokens."""
    symbols = line(tokens)
    return [list(symbols[first : first + cols]) for first in range(0, len(symbols), cols)]


def render(tokens: Sequence[int] | Tokens, cols: int) -> str:
    """Draw a grid of tokens in a frame, two characters a cell, so that it is about as high as wide."""
    cells = [_DRAWN.get(int(token), "? ") for token in tokens]
    rows = ("".join(cells[first : first + cols]) for first in range(0, len(cells), cols))
    edge = "─" * (2 * cols)
    return "\n".join([f"┌{edge}┐", *(f"│{row}│" for row in rows), f"└{edge}┘"])


def to_tokens(lines: Sequence[str], cells: int) -> Grids:
    """Return lines of exactly `cells` symbols as tokens (N, cells), 0 where a symbol is none."""
    # Beyond ASCII few signs are cells: each other one becomes one "?".
    written = "".join(lines).translate(_TO_ASCII).encode("ascii", "replace")
    return _TOKEN_OF_BYTE[np.frombuffer(written, np.uint8)].reshape(len(lines), cells)


def parse(rows: int, cols: int, text: str, *, keep_path: bool = False) -> Tokens:
    """Read the tokens (rows · cols,) of a maze written on one line, in lines, or as a drawing.

    `#` or `█` is a wall, a space or `.` an open cell, `S` the start, `G`, `E`, `T` or `F` the goal; frames
    are skipped and cells may be drawn two characters wide. A path (`o` or `X`) reads as open cells: what is
    asked for is to find it; with `keep_path` an answer is read.
    Raises `UsageError` for other symbols, another number of cells, or another number of starts and goals.
    """
    cells = rows * cols
    if len(text) > _MAX_TEXT:
        raise UsageError(f"the maze is {len(text)} characters long; it has {cells} cells")
    symbols = _cells_of(rows, cols, text)
    for number, symbol in enumerate(symbols):
        if symbol not in _READ:
            raise UsageError(
                f'row {number // cols + 1}, column {number % cols + 1} of the maze is "{safe_text(symbol)}": '
                f"{_SAY_CELLS}"
            )
    tokens = np.array([_READ[symbol] for symbol in symbols], np.uint8)
    if not keep_path:
        tokens[tokens == PATH] = OPEN
    for token, name in ((START, "start (S)"), (GOAL, "goal (G)")):
        count = int((tokens == token).sum())
        if count != 1:
            path = " (X is read as a path)" if "X" in symbols else ""
            reason = f"the maze has {count} cells that are a {name}; it needs exactly one{path}"
            places = tuple(np.flatnonzero(tokens == token).tolist())
            raise ContradictionError(reason, tokens, [Fault(places, reason)])
    return tokens


def is_edge(line: str) -> bool:
    """Tell whether a line is an edge of a frame, and no row."""
    return bool(line) and not inside(line)


def inside(line: str) -> str:
    """Return a row without the frame at its ends."""
    return line.strip(_FRAME)


def _cells_of(rows: int, cols: int, text: str) -> str:
    """Return the symbols of all cells, one after the other."""
    lines = text.replace("\r", "").strip("\n").split("\n")
    lines = [inside(line) for line in lines if not is_edge(line)]
    if len(lines) == 1:
        if len(lines[0]) != rows * cols:
            raise UsageError(
                f"the maze has {len(lines[0])} cells on its line; {rows}×{cols} has {rows * cols} "
                f"({LOST_SPACES})"
            )
        return lines[0]
    if len(lines) != rows:
        raise UsageError(
            f"the maze has {len(lines)} rows; this task's have {rows} rows of {cols} cells ({LOST_SPACES})"
        )
    found = []
    for number, written in enumerate(lines, 1):
        row = written[::2] if len(written) == 2 * cols else written
        if len(row) != cols:
            raise UsageError(
                f"row {number} of the maze has {len(row)} cells instead of {cols} ({LOST_SPACES})"
            )
        found.append(row)
    return "".join(found)
