"""Some of the rows of a source, without taking them into memory unless they are few."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.dataset_folder import IN_MEMORY_BYTES
from trm_engine.tasks.examples import Examples, Source

Rows = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Selected(Source):
    """The rows (N,) of a source without groups, in rising order."""

    source: Source
    rows: Rows

    @property
    def streamed(self) -> bool:
        """Whether the rows are read from files."""
        return self.source.streamed

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, rows: Rows | slice) -> Examples:
        """Return the given ones of the selected rows."""
        return self.source.take(self.rows[rows])

    def content(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return the whole source's arrays, and which rows of them count."""
        return {**self.source.content(), "rows": self.rows}


def select(source: Source, rows: Rows, most_bytes: int | None = None) -> Source:
    """Return rows (N,) of a source without groups: in memory, if they fit into `most_bytes`.

    By default these are `IN_MEMORY_BYTES`.
    """
    most_bytes = IN_MEMORY_BYTES if most_bytes is None else most_bytes
    if not source.streamed or len(rows) * row_bytes(source) <= most_bytes:
        return source.take(rows)
    return Selected(source, rows)


def hold(source: Source) -> Source:
    """Return a source without groups in memory, if it fits into `IN_MEMORY_BYTES`."""
    small = len(source) * row_bytes(source) <= IN_MEMORY_BYTES
    return source.take(slice(None)) if small else source


def row_bytes(source: Source) -> int:
    """Return how much memory one row of a source takes."""
    row = source.head(1)
    return row.inputs.nbytes + row.labels.nbytes + row.puzzle_ids.nbytes
