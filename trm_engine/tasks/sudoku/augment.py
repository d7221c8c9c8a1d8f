"""Random symmetries of Sudoku, drawn for each row of a batch on its way to the model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.examples import Tokens
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
    return _images(geometry, grids, *_draw(geometry, len(grids[0]), rng))


def augment_fixed(
    geometry: Geometry, grids: Sequence[Tokens], images: int, seed: int, rng: np.random.Generator
) -> list[TokenGrids]:
    """Return row i of every array in `grids` (N, n²; tokens) under one of its `images` symmetries.

    Which of them is drawn from `rng`; what they are follows from the puzzle (row i of the first array), the
    number of the image and `seed` alone, so that nothing is stored and fewer images are part of more.
    """
    drawn = []
    for puzzle, number in zip(grids[0], rng.integers(images, size=len(grids[0])), strict=True):
        name = hashlib.blake2b(puzzle.astype(np.uint8).tobytes(), digest_size=8).digest()
        own = np.random.default_rng([seed, int.from_bytes(name, "little"), int(number)])
        drawn.append(_draw(geometry, 1, own))
    if not drawn:
        return augment(geometry, grids, rng)
    source, token = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    return _images(geometry, grids, source, token)


def _images(
    geometry: Geometry, grids: Sequence[Tokens], source: Sources, token: TokenGrids
) -> list[TokenGrids]:
    """Return the images of grids by the cells (N, n²) they come from and what tokens (N, V) become."""
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
