"""What a step counts, and its means over a window of steps."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypedDict, TypeVar

import torch
from torch import Tensor

from trm_engine.compute.precision import widest


class Means(TypedDict):
    """Means over a window, named as in `Stepped`; None is what a kind of model has not, or has not yet."""

    loss: float
    lm_loss: float | None
    q_halt_loss: float | None
    exact_accuracy: float | None
    cell_accuracy: float | None
    supervision_steps: float | None


S = TypeVar("S", bound="Sums")


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over rows, one for each of `names`: `values` (N,) in float64 (in float32 on a device without).

    They stay where they were computed, and whoever asks for figures waits for them. A kind of model that
    counts more than the loss adds names; the loss comes first.
    """

    names: ClassVar[tuple[str, ...]] = ("loss",)
    values: Tensor

    @classmethod
    def of(cls: type[S], **sums: Tensor) -> S:
        """Return sums by name; each is a single number."""
        return cls(torch.stack([widest(sums[name].detach()) for name in cls.names]))

    @property
    def loss(self) -> Tensor:
        """The summed loss."""
        return self.values[0]

    def __add__(self: S, other: S) -> S:
        return type(self)(self.values + other.values)

    def figures(self) -> dict[str, float]:
        """Return the sums as numbers, by name."""
        return dict(zip(self.names, self.values.tolist(), strict=True))

    def means(self, rows: int) -> Means:
        """Return the means over the `rows` rows that were summed."""
        return {
            "loss": self.figures()["loss"] / rows,
            "lm_loss": None,
            "q_halt_loss": None,
            "exact_accuracy": None,
            "cell_accuracy": None,
            "supervision_steps": None,
        }


def total(parts: Sequence[S]) -> S:
    """Return the sums over one or more parts, added in their order."""
    return functools.reduce(operator.add, parts)
