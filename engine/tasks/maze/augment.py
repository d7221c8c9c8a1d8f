"""The symmetries of a grid: drawn for each maze on its way to the model, and seen through when comparing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from engine.tasks.base import Tokens
from engine.tasks.maze.rules import Shape

Sources = npt.NDArray[np.intp]
Hashes = npt.NDArray[np.uint64]
_TOKENS = 6
_AT_ONCE = 1024


@lru_cache(maxsize=16)
def symmetries(shape: Shape) -> Sources:
    """Return from which cell each cell of an image comes (images, cells): 8 images of a square, else 4.

    The first is the grid as it is.
    """
    grid = np.arange(shape.cells).reshape(shape.rows, shape.cols)
    images = [grid, grid[::-1], grid[:, ::-1], grid[::-1, ::-1]]
    if shape.rows == shape.cols:
        images += [image.T for image in images]
    return np.stack([image.reshape(-1) for image in images])


def augment(shape: Shape, grids: Sequence[Tokens], rng: np.random.Generator) -> list[Tokens]:
    """Return row i of every array in `grids` (N, cells) under one symmetry drawn for i."""
    images = symmetries(shape)
    drawn = images[rng.integers(0, len(images), size=len(grids[0]))]
    return [np.take_along_axis(grid, drawn, axis=1) for grid in grids]


def symmetry_hashes(shape: Shape, puzzles: Tokens) -> Hashes:
    """Return a number for each maze (N, cells) that all its images share, and other mazes do not."""
    words = np.random.default_rng(0).integers(0, 2**64, (shape.cells, _TOKENS), dtype=np.uint64)
    images = symmetries(shape)
    found = []
    for first in range(0, len(puzzles), _AT_ONCE):
        some = np.asarray(puzzles[first : first + _AT_ONCE])
        # The sum of a random number for each token at each place; of all images, the least is kept.
        sums = [words[np.arange(shape.cells), some[:, image]].sum(axis=1) for image in images]
        found.append(np.minimum.reduce(sums))
    return np.concatenate(found) if found else np.zeros(0, np.uint64)
