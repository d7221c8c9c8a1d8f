"""What an evaluation of any kind of model has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from trm_engine.config.kinds import Score


class Measured(ABC):
    """Figures of a model on held-out examples."""

    judged_by: ClassVar[Score]
    """The figure that counts."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """Examples that were measured."""

    @property
    def score(self) -> float:
        """How good the model is: the checkpoint with the highest score is the best."""
        return self.judged_by.of(self.to_dict()[self.judged_by.figure])

    def solved_bits(self) -> bytes:
        """Return which examples were solved, one bit each in their order; empty where that is no question."""
        return b""

    @abstractmethod
    def to_dict(self) -> dict[str, float]:
        """Return all figures by name."""
