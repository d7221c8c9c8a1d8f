"""A name for the data that a run saw, so that a replay on other data is noticed."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.base import Task
from trm_engine.tasks.examples import Source, let_go

WHOLE_BYTES = 64 * 2**20
"""Arrays up to this size are hashed whole."""
_BLOCKS = 64
_CHUNK_BYTES = 2**20


def fingerprint(task: Task) -> dict[str, str]:
    """Return the sha256 of the training and of the held-out examples, as hexadecimal.

    It covers the shape, type and content of every array. Of an array above 64 MB (`WHOLE_BYTES`) the content
    is 64 blocks of 1 MB spread evenly from its first row to its last, so that the time is bounded for files
    of any size; a change between the blocks of such a file goes unseen.
    """
    return {"train": source_digest(task.train), "test": source_digest(task.test)}


def source_digest(source: Source) -> str:
    """Return the sha256 of one source of examples, as `fingerprint` describes it."""
    digest = hashlib.sha256()
    for name, array in source.content().items():
        # Files may hold either byte order: the same numbers get the same name.
        stored = array.dtype.newbyteorder("<")
        digest.update(f"{name} {stored.str} {array.shape}\n".encode())
        for first, last in _blocks(array):
            digest.update(np.ascontiguousarray(array[first:last], dtype=stored).tobytes())
        let_go(array)
    return digest.hexdigest()


def _blocks(array: npt.NDArray[np.generic]) -> list[tuple[int, int]]:
    """Return the row ranges to hash: all rows in chunks, or evenly spread blocks of a large array."""
    rows = len(array)
    per_block = max(1, _CHUNK_BYTES * rows // max(array.nbytes, 1))
    if array.nbytes <= WHOLE_BYTES:
        return [(first, min(first + per_block, rows)) for first in range(0, rows, per_block)]
    starts = np.linspace(0, max(rows - per_block, 0), _BLOCKS).astype(np.int64)
    return [(int(first), min(int(first) + per_block, rows)) for first in starts]
