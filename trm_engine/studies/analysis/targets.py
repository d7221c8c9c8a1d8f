"""When a run first reached an accuracy: between two evaluations, or not within the run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trm_engine.studies.analysis.results import Figures, Result


@dataclass(frozen=True)
class Reach:
    """The step at which a target was reached: after `low`, by `high` (infinite: not within the run)."""

    low: float
    high: float
    step: float
    """Interpolated between the two evaluations; infinite where it was not reached."""
    seconds: float
    """Of training, interpolated likewise."""

    @property
    def reached(self) -> bool:
        """Whether it was reached at all."""
        return math.isfinite(self.high)


def reach(result: Result, target: float) -> Reach:
    """Find when a run's exact accuracy, as evaluated while it trained, was first at `target`."""
    return first_at(result.history, target, result.trial.config.train.steps)


def first_at(history: Sequence[Figures], target: float, steps: int) -> Reach:
    """Find the first evaluation at a target; before the first evaluation the accuracy is taken for 0."""
    step = seconds = accuracy = 0.0
    for figures in history:
        now = figures.get("exact_accuracy")
        if now is None:
            continue
        later, spent = figures["step"], figures.get("seconds_trained", math.nan)
        if now >= target:
            share = (target - accuracy) / (now - accuracy)
            return Reach(step, later, step + share * (later - step), seconds + share * (spent - seconds))
        step, seconds, accuracy = later, spent, now
    return Reach(float(steps), math.inf, math.inf, math.inf)
