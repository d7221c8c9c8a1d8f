"""Where a step's arithmetic happens: who computes the rows, and how gradients and sums come together.

A learner says what is computed, its *work*: rows in, a result out, gradients added to the model's. A
`Compute` decides who does it: threads, parts in a fixed order, several processes; the learner stays as it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import torch
from torch import Tensor, nn

from trm_engine.compute.parameters import FlatParameters
from trm_engine.compute.sums import Sums, total


class Rows(ABC):
    """The rows of a step with everything that is needed to compute them; their shapes depend on no data."""

    @abstractmethod
    def part(self, start: int, stop: int) -> Rows:
        """Return rows [start, stop); all of them may be returned without a copy."""


@dataclass(frozen=True)
class Result:
    """What became of some rows, beside the gradients that they added. A kind of learner adds fields."""

    sums: Sums


Work: TypeAlias = Callable[[nn.Module, Any], Result]
"""Computes rows with a model: adds their gradients to those of the model, and changes nothing else.

It may run in several threads at once, each with a model whose gradients are its own.
"""
T = TypeVar("T", bound=Result)


class Compute(ABC):
    """Computes the parts of a step. `reduced`: type of matrix products, if not float32."""

    least_rows: int = 1
    """Rows that are computed at once at least: fewer would leave somebody without any."""

    def __init__(
        self, model: nn.Module, parameters: FlatParameters, *, reduced: torch.dtype | None = None
    ) -> None:
        self.model = model
        self.parameters = parameters
        self._reduced = reduced

    def place(self, rows: Tensor) -> Tensor:
        """Return rows that come from the data where they are computed: here they are there already."""
        return rows

    def clear(self) -> None:
        """Forget all gradients: a step begins."""
        self.parameters.grads.zero_()

    @abstractmethod
    def run(self, work: Callable[[nn.Module, Any], T], rows: Rows, start: int, stop: int) -> list[T]:
        """Compute rows [start, stop) and return the results of their parts, in the order of the rows.

        When some parts fail, the first error is raised after all have ended.
        """

    def reduce(self, results: Sequence[Result]) -> Sums:
        """Bring the gradients of a step together in `parameters.grads`; return the sums over its results."""
        return total([result.sums for result in results])

    def steady(self) -> AbstractContextManager[None]:
        """Return what an update of the weights is made in, so that it rounds the same wherever it is made."""
        return nullcontext()

    def read(self, *figures: Tensor) -> list[float]:
        """Return single numbers. The only place in a step that waits for what is computed."""
        return torch.stack([figure.double() for figure in figures]).tolist()

    def _precision(self) -> torch.autocast:
        # Casts of weights are not cached: one made in a cycle without gradient would cut the gradient later.
        reduced = self._reduced or torch.bfloat16
        return torch.autocast("cpu", reduced, enabled=self._reduced is not None, cache_enabled=False)


class Serial(Compute):
    """One part after the other, in the calling thread; torch spreads each operation over its threads."""

    def run(self, work: Callable[[nn.Module, Any], T], rows: Rows, start: int, stop: int) -> list[T]:
        """Compute rows [start, stop) as one part."""
        with self._precision():
            return [work(self.model, rows.part(start, stop))]
