"""The images of a task that training sees: rotations and reflections, and colours permuted but 0.

An image is a record of 11 small numbers: which of the eight symmetries of the square, then the colour that
each of the ten becomes. A record is all that is kept of an image; its grids are made when they are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.arc.config import COLOURS, MAX_SIDE
from trm_engine.tasks.arc.grids import Grid, Puzzle

Records: TypeAlias = npt.NDArray[np.uint8]
"""Images (N, 11): the symmetry 0–7, and what the colours 0–9 become."""
Hashes: TypeAlias = npt.NDArray[np.uint64]
T = TypeVar("T", bound=np.generic)

SYMMETRIES = 8
_INVERSE = (0, 3, 2, 1, 4, 5, 6, 7)
_TRIES = 5  # drawn images for each one wanted: as many as the published builder tries
IDENTITY = np.concatenate([[0], np.arange(COLOURS)]).astype(np.uint8)


def turned(grid: npt.NDArray[T], symmetry: int) -> npt.NDArray[T]:
    """Return a grid under a symmetry: four rotations (0–3), two reflections (4–5), two transpositions."""
    if symmetry < 4:
        return np.rot90(grid, symmetry)
    if symmetry == 4:
        return np.fliplr(grid)
    if symmetry == 5:
        return np.flipud(grid)
    return grid.T if symmetry == 6 else np.rot90(grid, 2).T


def image(grid: Grid, record: Records) -> Grid:
    """Return the image of a grid that a record (11,) describes."""
    return turned(record[1:][grid], int(record[0]))


def preimage(grid: Grid, record: Records) -> Grid:
    """Return the grid whose image under a record (11,) is given."""
    original = np.argsort(record[1:]).astype(np.uint8)
    return original[turned_back(grid, record)]


def turned_back(grid: npt.NDArray[T], record: Records) -> npt.NDArray[T]:
    """Return what stands in the cells of an image under a record (11,) in the places of the original."""
    return turned(grid, _INVERSE[int(record[0])])


def distinct_images(puzzle: Puzzle, count: int, seed: int) -> Records:
    """Return the identity and up to `count` images (≤ count + 1, 11) under which all grids are not the same.

    At most five images are drawn for each one wanted, so that a task of few colours may have fewer. Which
    ones depends on the task, its name and the seed alone; test outputs play no part.
    """
    rng = np.random.default_rng([seed, *puzzle.name.encode()])
    sums = _colour_sums(puzzle)
    found = IDENTITY[None]
    hashes = _hashes(sums, found)
    left = _TRIES * count
    while left and len(found) <= count:
        drawn = _draw(min(count + 1 - len(found), left), rng)
        left -= len(drawn)
        hashes = np.concatenate([hashes, _hashes(sums, drawn)])
        _, first = np.unique(hashes, return_index=True)
        first.sort()
        found, hashes = np.concatenate([found, drawn])[first], hashes[first]
    return found


def _draw(count: int, rng: np.random.Generator) -> Records:
    records = np.tile(IDENTITY, (count, 1))
    records[:, 0] = rng.integers(0, SYMMETRIES, count)
    records[:, 2:] = rng.permuted(records[:, 2:], axis=1)
    return records


# --- telling images apart ---------------------------------------------------------------------------------
#
# The hash of a grid is a sum over its cells of a random number of the place times one of the colour, modulo
# 2^64. Sums over the places of each colour are worked out once for each symmetry; a permutation of colours
# then costs ten products, however large the grid.

_PLACES = 2 * MAX_SIDE * MAX_SIDE
_numbers = np.random.default_rng(20251004).integers(0, 2**64, _PLACES + COLOURS, dtype=np.uint64)
_OF_PLACE = _numbers[:_PLACES].reshape(2, MAX_SIDE, MAX_SIDE)
_OF_COLOUR = _numbers[_PLACES:] | np.uint64(1)


def _colour_sums(puzzle: Puzzle) -> npt.NDArray[np.uint64]:
    """Return the sums (8, pairs, 10) of the places that each colour takes, for each symmetry and pair."""
    pairs: Sequence[tuple[Grid, ...]] = [
        *((pair.input, pair.output) for pair in puzzle.train if pair.output is not None),
        *((pair.input,) for pair in puzzle.test),
    ]
    sums = np.zeros((SYMMETRIES, len(pairs), COLOURS), np.uint64)
    for symmetry in range(SYMMETRIES):
        for number, grids in enumerate(pairs):
            for places, grid in zip(_OF_PLACE, grids, strict=False):
                cells = turned(grid, symmetry)
                rows, columns = cells.shape
                np.add.at(sums[symmetry, number], cells.ravel(), places[:rows, :columns].ravel())
    return sums


def _hashes(sums: npt.NDArray[np.uint64], records: Records) -> Hashes:
    """Return a number (N,) for each image, the same for the same pairs in any order."""
    of_colour = _OF_COLOUR[records[:, 1:]]
    pairs = np.einsum("npc,nc->np", sums[records[:, 0]], of_colour)
    pairs ^= pairs >> np.uint64(32)
    pairs *= np.uint64(0xD6E8FEB86659FD93)
    pairs ^= pairs >> np.uint64(32)
    pairs *= np.uint64(0xD6E8FEB86659FD93)
    hashes: Hashes = pairs.sum(axis=1)
    return hashes
