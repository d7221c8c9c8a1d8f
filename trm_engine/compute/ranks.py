"""Several processes as one `Compute`: each computes its share of the rows, then gradients are added up.

All ranks hold the same weights, draw the same rows and come to the same decisions, since they decide by the
same sums. A rank that cannot finish its share says so where it would have told its sums: then all give up the
step.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from trm_engine.compute.compute import Compute, Result, Rows, T
from trm_engine.compute.group import Group
from trm_engine.compute.parts import Parts, part_of, tree
from trm_engine.compute.place import PARTS
from trm_engine.compute.sums import Sums
from trm_engine.errors import LostRankError, UsageError
from trm_engine.remedies import ChangeSettings


class Word(enum.IntEnum):
    """What a rank says of its share of a step; the highest counts for all."""

    DONE = 0
    GIVEN_UP = 1
    OUT_OF_MEMORY = 2
    FAILED = 3


class GivenUpError(Exception):
    """Another rank has given the step up."""


def require_processor(device: torch.device) -> None:
    """Refuse to let several ranks compute on anything but processors."""
    if device.type != "cpu":
        raise UsageError(
            f"several ranks compute on processors, and this run computes on {device}",
            remedies=[ChangeSettings.parse(('runtime.device="cpu"',))],
        )


class Ranks(Compute):
    """Computes this rank's share with `inner`; `reduce` brings all shares together."""

    def __init__(self, inner: Compute, group: Group) -> None:
        super().__init__(inner.model, inner.parameters)
        self.inner = inner
        self.group = group
        self._exact = isinstance(inner, Parts)
        self._open = False

    @property
    def least_rows(self) -> int:  # type: ignore[override]  # fixed for each object
        """Rows at once that leave no rank without any."""
        return PARTS if self._exact else self.group.place.size

    def place(self, rows: Tensor) -> Tensor:
        """Return rows where they are computed."""
        return self.inner.place(rows)

    def clear(self) -> None:
        """Forget all gradients: a step begins, of which every rank will hear."""
        self._open = True
        self.inner.clear()

    def run(self, work: Callable[[nn.Module, Any], T], rows: Rows, start: int, stop: int) -> list[T]:
        """Compute this rank's share of rows [start, stop)."""
        if not self._exact:
            start, stop = part_of(start, stop, self.group.place.rank, self.group.place.size)
        return self.inner.run(work, rows, start, stop) if stop > start else []

    def reduce(self, results: Sequence[Result]) -> Sums:
        """Add up gradients and sums of all ranks.

        Raises `GivenUpError`, `MemoryError` or `LostRankError` where another rank could not do its share.
        """
        own = self.inner.reduce(results) if results else None  # of few rows, this rank may have none
        told = self._exchange(Word.DONE, own.values.tolist() if own else [])
        grads, length = self.parameters.grads, max(map(len, told))
        sums = [torch.tensor(part or [0.0] * length, dtype=torch.float64) for part in told]
        if self._exact:
            parts = self.group.collect(grads)
            tree(parts)
            tree(sums)
            grads.copy_(parts[0])
        else:
            self.group.add(grads)
            for part in sums[1:]:
                sums[0].add_(part)
        return (type(own) if own else Sums)(sums[0])

    def give_up(self, word: Word) -> None:
        """Say that this rank gives the step up, if the others wait to hear of it."""
        if self._open:
            self._exchange(word, [], heed=False)

    def read(self, *figures: Tensor) -> list[float]:
        """Return single numbers."""
        return self.inner.read(*figures)

    def steady(self) -> AbstractContextManager[None]:
        """Return what an update of the weights is made in."""
        return self.inner.steady()

    def _exchange(self, word: Word, sums: list[float], *, heed: bool = True) -> list[list[float]]:
        self._open = False
        shares = self.group.share([word, self.group.signal, *sums])
        self.group.signal = max(int(share[1]) for share in shares)
        worst = max(Word(int(share[0])) for share in shares)
        if heed and worst is Word.GIVEN_UP:
            raise GivenUpError
        if heed and worst is Word.OUT_OF_MEMORY:
            raise MemoryError("another rank of the run is out of memory")
        if heed and worst is Word.FAILED:
            raise LostRankError("another rank of the run has failed: what it met is in its own messages")
        return [share[2:] for share in shares]
