"""Examples as rows of tokens: in memory, mapped from files, or some of the rows of another source."""

from __future__ import annotations

import mmap
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


Tokens = npt.NDArray[np.integer]
IGNORE_LABEL = -100
PAD = 0


class Source(ABC):
    """Examples that can be taken by row: held in memory, kept in files, or made when asked for."""

    groups: Tokens | None = None
    """Bounds (G + 1,) of G runs of rows, of which an epoch draws one row each; None: every row is a run."""
    notes: Sequence[str] = ()
    """What a person should know of how the rows were read: a choice between two readings, rows left out."""

    @property
    def streamed(self) -> bool:
        """Whether rows are read from files when asked for, and are cheap only next to each other."""
        return False

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of rows."""

    @abstractmethod
    def take(self, rows: npt.NDArray[np.integer] | slice) -> Examples:
        """Return the given rows in memory, in the order asked for, without groups."""

    @abstractmethod
    def content(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """Return the arrays that decide every row, by name: what a fingerprint of the data covers."""

    def head(self, count: int) -> Examples:
        """Return the first `count` rows."""
        return self.take(slice(0, count))


@dataclass(frozen=True)
class Examples(Source):
    """Puzzles as rows of tokens.

    `inputs` and `labels` have shape (N, L) in any integer type (files are memory-mapped as they are); label
    0 (padding) is not scored. `puzzle_ids` has shape (N,).
    """

    inputs: Tokens
    labels: Tokens
    puzzle_ids: Tokens
    groups: Tokens | None = None
    notes: Sequence[str] = field(default=(), kw_only=True)

    @classmethod
    def of(cls, inputs: Tokens, labels: Tokens) -> Examples:
        """Build from tokens alone: no puzzle identifiers (all 0), every row its own group."""
        return cls(inputs, labels, np.zeros(len(inputs), np.int32))

    @property
    def streamed(self) -> bool:
        """Whether the tokens are mapped from a file."""
        return is_mapped(self.inputs)

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, rows: npt.NDArray[np.integer] | slice) -> Examples:
        """Return the given rows, copied out of any memory map."""
        return Examples(
            copy_rows(self.inputs, rows), copy_rows(self.labels, rows), copy_rows(self.puzzle_ids, rows)
        )

    def content(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return the tokens and identifiers, and the bounds of groups where there are any."""
        arrays: dict[str, npt.NDArray[np.generic]] = {
            "inputs": self.inputs,
            "labels": self.labels,
            "puzzle_ids": self.puzzle_ids,
        }
        return arrays if self.groups is None else arrays | {"groups": self.groups}
