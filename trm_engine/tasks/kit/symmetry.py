"""Symmetries of puzzles: changes of a grid under which solutions stay solutions, and what undoes them.

A symmetry moves cells and renames tokens. Where a kind of puzzle has only some dozens of them, as a grid of
which each reflection and rotation is a puzzle again, `Images` holds them all: it draws them for augmentation
and for another look at a puzzle, and gives puzzles that are images of each other the same hash.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.integer]
Hashes = npt.NDArray[np.uint64]
Sources = npt.NDArray[np.intp]
VIEWS = 16
"""Looks at a puzzle, at most, where nobody says another number."""
_AT_ONCE = 1024
_MOST_TOKENS = 256


class Symmetry(NamedTuple):
    """Another look at a puzzle: `forward` makes it, and `back` brings an answer to it home.

    Both take and return tokens (…, L). An answer in the view solves the view if and only if `back` of it
    solves the puzzle. Where cells go may depend on the answer: then `places` says from which place of an
    answer (L,) to the view each place of the puzzle is taken (L,).
    """

    forward: Callable[[Tokens], Tokens]
    back: Callable[[Tokens], Tokens]
    places: Callable[[Tokens], Sources] | None = None


def relabelling(source: Sources, names: npt.NDArray[np.uint8] | None = None) -> Symmetry:
    """Return the symmetry whose image has at cell i what was at `source` (L,)[i], token t called `names`[t].

    `names` (V,) is a permutation of all tokens; none keeps them.
    """
    undone = np.argsort(source)
    if names is None:
        return Symmetry(lambda tokens: tokens[..., source], lambda tokens: tokens[..., undone])
    unnamed = np.argsort(names).astype(np.uint8)
    return Symmetry(lambda tokens: names[tokens[..., source]], lambda tokens: unnamed[tokens[..., undone]])


def places(symmetry: Symmetry, cells: int) -> Sources:
    """Return from which place of the view (L,) each place of the puzzle takes its answer.

    A symmetry only tells what it does to tokens, which it may rename. Two tokens stay two tokens, so each bit
    of a place's number can be sent through it as one of two tokens.
    """
    number = np.arange(cells)
    found = np.zeros(cells, np.intp)
    plain = symmetry.back(np.ones(cells, np.uint8))
    for bit in range(max(cells - 1, 1).bit_length()):
        sent = np.where(number >> bit & 1, 2, 1).astype(np.uint8)
        found |= (symmetry.back(sent) != plain).astype(np.intp) << bit
    return found


@dataclass(frozen=True, eq=False)
class Images:
    """All symmetries of grids of L cells, a group of K: the first leaves a grid as it is.

    Cell i of image k comes from cell `sources` (K, L)[k, i], and its token t is called `names` (K, V)[k, t];
    without names, tokens stay.
    """

    sources: Sources
    names: npt.NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.sources)

    def symmetry(self, rng: np.random.Generator) -> Symmetry:
        """Draw one of them."""
        drawn = int(rng.integers(0, len(self)))
        return relabelling(self.sources[drawn], None if self.names is None else self.names[drawn])

    def augment(self, grids: Sequence[Tokens], rng: np.random.Generator) -> list[Tokens]:
        """Return row i of every array in `grids` (N, L) under one symmetry drawn for i."""
        drawn = rng.integers(0, len(self), size=len(grids[0]))
        moved = [np.take_along_axis(grid, self.sources[drawn], axis=1) for grid in grids]
        if self.names is None:
            return moved
        return [self.names[drawn[:, None], grid] for grid in moved]

    def hashes(self, puzzles: Tokens) -> Hashes:
        """Return a number for each puzzle (N, L) that all its images share, and other puzzles do not.

        (Two others may share one by chance, of which there is one in 2^64.)
        """
        cells = self.sources.shape[1]
        words = np.random.default_rng(0).integers(0, 2**64, (_MOST_TOKENS, cells), dtype=np.uint64)
        place = np.arange(cells)
        found = np.zeros(len(puzzles), np.uint64)
        for first in range(0, len(puzzles), _AT_ONCE):
            some = np.asarray(puzzles[first : first + _AT_ONCE])
            # The sum of a random number for each token at each place; of all images, the least is kept.
            sums = []
            for number, source in enumerate(self.sources):
                moved = some[:, source]
                image = moved if self.names is None else self.names[number][moved]
                sums.append(words[image, place].sum(axis=1))
            found[first : first + _AT_ONCE] = np.minimum.reduce(sums)
        return found


@lru_cache(maxsize=16)
def reflections(rows: int, cols: int) -> Images:
    """Return the reflections and rotations of a grid of rows · cols cells: 8 of a square, 4 of others."""
    grid = np.arange(rows * cols).reshape(rows, cols)
    images = [grid, grid[::-1], grid[:, ::-1], grid[::-1, ::-1]]
    if rows == cols:
        images += [image.T for image in images]
    return Images(np.stack([image.reshape(-1) for image in images]))
