"""What a step learns from: rows that are computed part by part, and then accepted or rejected as a whole."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import nn

from trm_engine.compute.sums import Sums


class Part(ABC):
    """Some rows of a batch, ready to be computed."""

    @abstractmethod
    def backward(self, model: nn.Module) -> None:
        """Add the gradients of these rows to those of `model`, and change nothing else of it.

        Parts may be computed in several threads at once, each with a model whose gradients are its own.
        """

    @abstractmethod
    def merge(self) -> None:
        """Put what was computed into the batch; parts are merged one after the other, in their order."""


class Batch(ABC):
    """The rows of one step. Until it is accepted it changes nothing of its learner but the gradients."""

    result: Sums
    """Sums over the rows so far."""

    @abstractmethod
    def part(self, start: int, stop: int) -> Part:
        """Return rows [start, stop); they are taken in order, each once."""

    @abstractmethod
    def accept(self, scale: float) -> None:
        """Take over what the step leads to; the weights have moved with `scale` times the peak rates."""

    @abstractmethod
    def reject(self) -> None:
        """Leave the rows behind: their loss or gradient was not sound, and no weight has moved."""
