"""What a step counts, and its means over a window of steps."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TypedDict


class Means(TypedDict):
    """Means over a window, named as in `Stepped`; None is what a kind of model has not, or has not yet."""

    loss: float
    lm_loss: float | None
    q_halt_loss: float | None
    exact_accuracy: float | None
    cell_accuracy: float | None
    supervision_steps: float | None


@dataclass
class Sums:
    """Sums over the rows of a batch. A kind of model that counts more than the loss adds fields."""

    loss: float = 0.0

    def __iadd__(self, other: Sums) -> Sums:
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))
        return self

    def means(self, rows: int) -> Means:
        """Return the means over the `rows` rows that were summed."""
        return {
            "loss": self.loss / rows,
            "lm_loss": None,
            "q_halt_loss": None,
            "exact_accuracy": None,
            "cell_accuracy": None,
            "supervision_steps": None,
        }
