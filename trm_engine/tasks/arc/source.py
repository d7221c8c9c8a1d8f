"""Rows made when they are taken: a thousand images of every pair, and none of them in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.arc.augment import Records, image
from trm_engine.tasks.arc.grids import Grid, Pair
from trm_engine.tasks.arc.text import to_tokens
from trm_engine.tasks.examples import PAD, Examples, Source


@dataclass(frozen=True)
class Block:
    """Pairs that share their images: those numbered `first_id` … `first_id + images − 1`."""

    pairs: Sequence[Pair]
    first_id: int
    images: int


class Images(Source):
    """All pairs of all blocks under all their images.

    Rows of a block follow each other, image by image and within an image pair by pair. The row's puzzle
    identifier is the image's number, which is its place in `records` (identifiers, 11). An output that nobody
    told is all padding.
    """

    def __init__(self, blocks: Sequence[Block], records: Records, size: int) -> None:
        self._size = size
        self._records = records
        self._pairs = [pair for block in blocks for pair in block.pairs]
        self._pair_count = np.array([len(block.pairs) for block in blocks], np.int64)
        self._first_pair = np.cumsum(self._pair_count) - self._pair_count
        self._first_id = np.array([block.first_id for block in blocks], np.int64)
        self._images = np.array([block.images for block in blocks], np.int64)
        self.bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(self._pair_count * self._images)])
        """Bounds (blocks + 1,) of the rows of each block."""

    def __len__(self) -> int:
        return int(self.bounds[-1])

    def take(self, rows: npt.NDArray[np.integer] | slice) -> Examples:
        """Return the given rows, each grid in the corner of its canvas."""
        wanted = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else np.asarray(rows)
        block = np.searchsorted(self.bounds, wanted, side="right") - 1
        which, pair = np.divmod(wanted - self.bounds[block], self._pair_count[block])
        ids = self._first_id[block] + which
        inputs = np.full((len(wanted), self._size**2), PAD, np.uint8)
        labels = inputs.copy()
        for row, (number, name) in enumerate(
            zip((self._first_pair[block] + pair).tolist(), ids.tolist(), strict=True)
        ):
            given, record = self._pairs[number], self._records[name]
            inputs[row] = to_tokens(image(given.input, record), self._size)
            if given.output is not None:
                labels[row] = to_tokens(image(given.output, record), self._size)
        return Examples(inputs, labels, ids.astype(np.int32))

    def content(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return cells and shapes of the pairs, the blocks, and the images that the rows are made with."""
        none = np.zeros((0, 0), np.uint8)
        grids: list[Grid] = []
        for pair in self._pairs:
            grids += [pair.input, none if pair.output is None else pair.output]
        used = [
            self._records[first : first + count]
            for first, count in zip(self._first_id.tolist(), self._images.tolist(), strict=True)
        ]
        return {
            "cells": np.concatenate([grid.ravel() for grid in grids] or [none.ravel()]),
            "shapes": np.array([grid.shape for grid in grids], np.int64).reshape(-1, 2),
            "blocks": np.stack([self._pair_count, self._first_id, self._images]),
            "images": np.concatenate(used or [self._records[:0]]),
            "size": np.array([self._size]),
        }


class Training(Images):
    """Pairs to learn from: an epoch draws one row of each block, that is an image and one of its pairs."""

    def __init__(self, blocks: Sequence[Block], records: Records, size: int) -> None:
        super().__init__(blocks, records, size)
        self.groups = self.bounds
