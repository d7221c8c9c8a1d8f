"""What an evaluation of any kind of model has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Measured(ABC):
    """Figures of a model on held-out examples."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """Examples that were measured."""

    @property
    @abstractmethod
    def score(self) -> float:
        """How good the model is: the checkpoint with the highest score is the best."""

    @abstractmethod
    def to_dict(self) -> dict[str, float]:
        """Return all figures by name."""
