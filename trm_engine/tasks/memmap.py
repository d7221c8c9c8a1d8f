"""Arrays that are mapped from files: read without leaving their pages in memory."""

from __future__ import annotations

import mmap
from typing import TypeVar

import numpy as np
import numpy.typing as npt

_Number = TypeVar("_Number", bound=np.generic)
_DONT_NEED: int | None = getattr(mmap, "MADV_DONTNEED", None)


def is_mapped(array: npt.NDArray[np.generic]) -> bool:
    """Tell whether an array's content is in a file."""
    return _map_of(array) is not None


def copy_rows(array: npt.NDArray[_Number], rows: npt.NDArray[np.integer] | slice) -> npt.NDArray[_Number]:
    """Return a copy of some rows; of a mapped array nothing else stays in memory."""
    copied = np.array(array[rows])
    let_go(array)
    return copied


def let_go(array: npt.NDArray[np.generic]) -> None:
    """Give back the memory that reading a mapped array has filled; the system may still cache the file.

    Without this, a process that walks through a file comes to look as large as the file. (Where the system
    has no such call, it takes the pages back by itself when it needs them.)
    """
    mapped = _map_of(array)
    if mapped is not None and _DONT_NEED is not None:
        mapped.madvise(_DONT_NEED)


def _map_of(array: npt.NDArray[np.generic]) -> mmap.mmap | None:
    """Return the map that an array, or what it is a view of, only reads."""
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) and not array.flags.writeable else None
