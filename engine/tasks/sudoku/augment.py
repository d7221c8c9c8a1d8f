"""Random symmetries of Sudoku, drawn for each row of a batch on its way to the model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.tasks.base import Tokens
from engine.tasks.sudoku.geometry import Geometry
from engine.tasks.sudoku.text import FIRST_DIGIT

TokenGrids = npt.NDArray[np.uint8]
Lines = npt.NDArray[np.intp]


def augment(geometry: Geometry, grids: Sequence[Tokens], rng: np.random.Generator) -> list[TokenGrids]:
    """Return row i of every array in `grids` (N, n²; tokens) under one random symmetry drawn for i.

    The symmetry relabels digits and permutes bands, stacks, rows within bands and columns within stacks, each
    uniformly, and transposes every second grid where boxes are square. Padding and blank tokens keep their
    value; a negative (ignored) label becomes padding.
    """
    count, side = len(grids[0]), geometry.side
    rows, columns, digits = _draw(geometry, count, rng)
    source = (rows[:, :, None] + columns[:, None, :]).reshape(count, geometry.cells)
    source += np.arange(0, source.size, geometry.cells)[:, None]
    token = np.empty((count, FIRST_DIGIT + side), np.uint8)
    token[:, :FIRST_DIGIT] = np.arange(FIRST_DIGIT)
    token[:, FIRST_DIGIT:] = digits + FIRST_DIGIT
    first_token = np.arange(0, token.size, token.shape[1])[:, None]
    return [token.take(np.maximum(grid.take(source), 0) + first_token) for grid in grids]


def _draw(geometry: Geometry, count: int, rng: np.random.Generator) -> tuple[Lines, Lines, Lines]:
    """Draw cell offsets per row and per column, and the new digits, each (count, n).

    Cell (i, j) of the image comes from the cell number rows[i] + columns[j].
    """
    side = geometry.side
    keys = rng.random((3, count, side))
    # Whole even numbers order the bands and stacks; the fractions order the lines within each.
    bands = rng.random((count, geometry.bands)).argsort(axis=1)
    stacks = rng.random((count, geometry.stacks)).argsort(axis=1)
    keys[0] += 2 * bands.repeat(geometry.box_rows, axis=1)
    keys[1] += 2 * stacks.repeat(geometry.box_cols, axis=1)
    rows, columns, digits = keys.argsort(axis=2, kind="stable")
    rows *= side
    if geometry.square_boxes:
        transposed = rng.random((count, 1)) < 0.5
        rows, columns = np.where(transposed, columns, rows), np.where(transposed, rows, columns)
    return rows, columns, digits
