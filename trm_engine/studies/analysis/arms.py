"""The arms of a part of a study: an experiment each, with its results over seeds and where it stands on x."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trm_engine.studies.analysis.results import Result
from trm_engine.studies.fitting.distributions import t_quantile
from trm_engine.studies.fitting.fits import LEVEL, Interval
from trm_engine.studies.fitting.points import Run, gather

SHARES = ("exact_accuracy", "cell_accuracy")


@dataclass(frozen=True)
class Arm:
    """One experiment of a part; `results` has an entry for every seed that finished."""

    name: str
    title: str
    x: float | None
    results: tuple[Result, ...]

    def values(self, figure: str) -> list[float]:
        """Return a figure of every seed that has it."""
        return [value for result in self.results if (value := result.figure(figure)) is not None]

    def cost(self, name: str) -> float:
        """Return the mean of a cost over the seeds."""
        return float(np.mean([result.costs[name] for result in self.results]))


@dataclass(frozen=True)
class Summary:
    """A figure of an arm: mean over seeds, how many, its interval (None: not known) and standard error."""

    mean: float
    seeds: int
    interval: Interval | None
    error: float


def summaries(arms: Sequence[Arm], figure: str) -> Mapping[str, Summary]:
    """Summarise a figure of each arm that has results, by name.

    The variance between seeds is pooled over the arms; that of counting puzzles comes on top.
    """
    chosen = [(arm, values) for arm in arms if (values := arm.values(figure))]
    if not chosen:
        return {}
    points = gather([run for at, (arm, _) in enumerate(chosen, 1) for run in runs_of(arm, figure, float(at))])
    variance = points.variance(points.y)
    wide = t_quantile(LEVEL, points.seed_dof or math.inf)
    found = {}
    for (arm, values), mean, square in zip(chosen, points.y, variance, strict=True):
        error = math.sqrt(square)
        low, high = float(mean) - wide * error, float(mean) + wide * error
        if figure in SHARES:
            low, high = max(low, 0.0), min(high, 1.0)
        interval = Interval(low, high) if square > 0 else None
        found[arm.name] = Summary(float(mean), len(values), interval, error)
    return found


def runs_of(arm: Arm, figure: str, x: float) -> list[Run]:
    """Return an arm's results at `x`. Only exact accuracy is counted: a puzzle's cells go together."""
    counted = figure == "exact_accuracy"
    return [
        Run(x, value, result.puzzles if counted else 0)
        for result in arm.results
        if (value := result.figure(figure)) is not None
    ]
