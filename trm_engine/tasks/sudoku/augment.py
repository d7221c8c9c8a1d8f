"""Random symmetries of Sudoku, drawn for each row of a batch on its way to the model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.base import Tokens
from trm_engine.tasks.kit.symmetry import Sources, Symmetry, relabelling
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.text import FIRST_DIGIT

TokenGrids = npt.NDArray[np.uint8]


def augment(geometry: Geometry, grids: Sequence[Tokens], rng: np.random.Generator) -> list[TokenGrids]:
    """Return row i of every array in `grids` (N, n²; tokens) under one random symmetry drawn for i.

    The symmetry relabels digits and permutes bands, stacks, rows within bands and columns within stacks, each
    uniformly, and transposes every second grid where boxes are square. Padding and blank tokens keep their
    value; a negative (ignored) label becomes padding.
    """
    source, token = _draw(geometry, len(grids[0]), rng)
    source += np.arange(0, source.size, geometry.cells)[:, None]
    first_token = np.arange(0, token.size, token.shape[1])[:, None]
    return [token.take(np.maximum(grid.take(source), 0) + first_token) for grid in grids]


def draw_symmetry(geometry: Geometry, rng: np.random.Generator) -> Symmetry:
    """Return one random symmetry, drawn as `augment` does, with what undoes it."""
    source, token = _draw(geometry, 1, rng)
    return relabelling(source[0], token[0])


def _draw(geometry: Geometry, count: int, rng: np.random.Generator) -> tuple[Sources, TokenGrids]:
    """Draw from where each cell of an image comes (count, n²), and what each token becomes (count, V)."""
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
    token = np.empty((count, FIRST_DIGIT + side), np.uint8)
    token[:, :FIRST_DIGIT] = np.arange(FIRST_DIGIT)
    token[:, FIRST_DIGIT:] = digits + FIRST_DIGIT
    # Cell (i, j) of the image is the cell number rows[i] + columns[j] of the grid.
    return (rows[:, :, None] + columns[:, None, :]).reshape(count, geometry.cells), token
