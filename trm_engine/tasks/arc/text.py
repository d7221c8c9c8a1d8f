"""ARC grids as tokens, and as text.

Tokens are 0 padding, 1 end of grid, c + 2 for colour c. A grid stands in the upper left corner of the canvas;
end-of-grid tokens follow its lower and its right edge where there is room for them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import numpy as np

from trm_engine.errors import UsageError
from trm_engine.tasks.arc.config import COLOURS, MAX_SIDE
from trm_engine.tasks.arc.grids import Grid, GridError, as_grid
from trm_engine.tasks.examples import PAD, Tokens
from trm_engine.text import safe_text

END, FIRST_COLOUR = 1, 2
_LONGEST = 20_000
_BREAKS = re.compile(r"[/\s]+")

PALETTE = {
    "0": "#000000",
    "1": "#0074d9",
    "2": "#ff4136",
    "3": "#2ecc40",
    "4": "#ffdc00",
    "5": "#aaaaaa",
    "6": "#f012be",
    "7": "#ff851b",
    "8": "#7fdbff",
    "9": "#870c25",
}
"""The colours in which ARC is customarily drawn, by digit."""


def to_tokens(grid: Grid, size: int) -> Tokens:
    """Return a grid of at most size × size cells as tokens (size²,)."""
    canvas = np.full((size, size), PAD, np.uint8)
    rows, columns = grid.shape
    canvas[:rows, :columns] = grid + FIRST_COLOUR
    canvas[rows : rows + 1, :columns] = END
    canvas[:rows, columns : columns + 1] = END
    return canvas.reshape(-1)


def to_grid(tokens: Tokens | Sequence[int], size: int) -> Grid:
    """Return the grid that tokens (size²,) mean: the largest rectangle of colours in the upper left corner.

    It may have no cells.
    """
    canvas = np.asarray(tokens).reshape(size, size)
    coloured = (canvas >= FIRST_COLOUR) & (canvas < FIRST_COLOUR + COLOURS)
    lengths = np.where(coloured.all(axis=1), size, coloured.argmin(axis=1))
    widths = np.minimum.accumulate(lengths)
    rows = int((widths * np.arange(1, size + 1)).argmax()) + 1
    columns = int(widths[rows - 1])
    return (canvas[: rows if columns else 0, :columns] - FIRST_COLOUR).astype(np.uint8)


def shift(tokens: Tokens, size: int, down: int, right: int) -> Tokens:
    """Move a grid on the canvas (size²,); ends of grid that leave it are lost."""
    canvas = tokens.reshape(size, size)
    moved = np.full_like(canvas, PAD)
    moved[down:, right:] = canvas[: size - down, : size - right]
    return moved.reshape(-1)


def parse_grid(text: str, size: int) -> Grid:
    """Read rows of digits, broken by `/` or white space, or a JSON list of lists; raise `UsageError`."""
    text = text.strip()
    if len(text) > _LONGEST:
        raise UsageError(f"that is too long for a grid of {MAX_SIDE}×{MAX_SIDE} cells")
    try:
        grid = as_grid(json.loads(text) if text.startswith("[") else _rows(text))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the grid is no JSON: {safe_text(str(error))}") from error
    except GridError as fault:
        raise UsageError(f"the grid: {fault}; write its rows as digits: 012/340") from None
    if max(grid.shape) > size:
        rows, columns = grid.shape
        raise UsageError(f"the grid is {rows}×{columns}; this task's canvas is {size}×{size} (task.size)")
    return grid


def _rows(text: str) -> list[list[object]]:
    rows = [row for row in _BREAKS.split(text) if row]
    return [[int(cell) if cell in PALETTE else cell for cell in row] for row in rows]


def symbols(tokens: Tokens | Sequence[int], size: int) -> list[list[str]]:
    """Return the canvas as rows of digits; what is no colour is empty."""
    rows = np.asarray(tokens).reshape(size, size).tolist()
    digit = {FIRST_COLOUR + colour: str(colour) for colour in range(COLOURS)}
    return [[digit.get(token, "") for token in row] for row in rows]


def lines(tokens: Tokens | Sequence[int], size: int) -> list[str]:
    """Return the grid that tokens mean as rows of digits, also where it has been shifted."""
    canvas = np.asarray(tokens).reshape(size, size)
    coloured = canvas >= FIRST_COLOUR
    if not coloured.any():
        return []
    down, right = int(coloured.any(axis=1).argmax()), int(coloured.any(axis=0).argmax())
    corner = np.full_like(canvas, PAD)
    corner[: size - down, : size - right] = canvas[down:, right:]
    return ["".join(map(str, row)) for row in to_grid(corner, size).tolist()]
