"""The order in which training takes examples: shuffled epochs, resumable at the exact example."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from trm_engine.tasks.examples import Examples, Source

_STREAM = 0x5A3


class EpochSampler(ABC):
    """Draws rows epoch by epoch without replacement, one row of each group an epoch.

    An epoch's order, and the row it takes of each group, follow from the seed and the epoch's number alone,
    so that (epoch, cursor) is all there is to save.
    """

    def __init__(self, source: Source, seed: int) -> None:
        self._source = source
        self._seed = seed
        self._groups = len(source) if source.groups is None else len(source.groups) - 1
        if not self._groups:
            raise ValueError("there are no examples to draw from")
        self._epoch = 0
        self._cursor = 0

    @abstractmethod
    def next(self, count: int) -> Examples:
        """Return the next `count` rows as they are stored, going on into further epochs as needed."""

    def state(self) -> dict[str, int]:
        """Return the position: the epoch, and the rows already taken from it."""
        return {"epoch": self._epoch, "cursor": self._cursor}

    def restore(self, state: dict[str, int]) -> None:
        """Go on from a position that `state` returned; raise `ValueError` when it lies outside the data."""
        epoch, cursor = state["epoch"], state["cursor"]
        if epoch < 0 or not 0 <= cursor <= self._groups:
            raise ValueError(
                f"row {cursor} of epoch {epoch} is outside the data's {self._groups} rows an epoch"
            )
        self._go_to(epoch, cursor)

    def _go_to(self, epoch: int, cursor: int) -> None:
        """Move to a position; no rows are taken yet."""
        if epoch != self._epoch:
            self._plan(epoch)
        self._epoch, self._cursor = epoch, cursor

    @abstractmethod
    def _plan(self, epoch: int) -> None:
        """Lay down the order of another epoch."""


class Sampler(EpochSampler):
    """Shuffles each epoch as a whole."""

    def __init__(self, source: Source, seed: int) -> None:
        super().__init__(source, seed)
        self._rows = self._rows_of(0)

    def next(self, count: int) -> Examples:
        """Return the next `count` rows as they are stored, going on into further epochs as needed."""
        parts = []
        missing = count
        while missing:
            if self._cursor == self._groups:
                self._go_to(self._epoch + 1, 0)
            parts.append(self._rows[self._cursor : self._cursor + missing])
            self._cursor += len(parts[-1])
            missing -= len(parts[-1])
        return self._source.take(np.concatenate(parts) if parts else slice(0, 0))

    def _plan(self, epoch: int) -> None:
        self._rows = self._rows_of(epoch)

    def _rows_of(self, epoch: int) -> npt.NDArray[np.integer]:
        """Return the rows that an epoch takes, in order."""
        rng = np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=(_STREAM, epoch)))
        order = rng.permutation(self._groups)
        bounds = self._source.groups
        if bounds is None:
            return order
        return rng.integers(bounds[:-1], bounds[1:])[order]
