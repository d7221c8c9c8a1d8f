"""Runs gathered into points: for each value of what was varied a mean, and how much chance is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]

_OUTLIER = 5.0
"""Seeds further than so many standard deviations from their point's median count for less."""
_HUBER = 1.5
_RELATIVE_ROUNDING = 1e-9
_FAR = 10.0
"""Beyond so many they are no seed's doing and do not count at all."""


@dataclass(frozen=True)
class Run:
    """One finished run: what was varied, what was measured, and on how many puzzles (0: not a share)."""

    x: float
    y: float
    n: int = 0


@dataclass(frozen=True)
class Points:
    """Runs with the same x, as arrays over the M points in rising order of x."""

    x: Floats
    y: Floats
    """Means over seeds."""
    seeds: Floats
    """Runs that count in each mean."""
    per_puzzle: Floats
    """Mean of 1/n over a point's runs; 0 where n is not known."""
    seed_variance: float
    """Variance between seeds beyond that of counting puzzles (τ²), pooled over all points."""
    seed_dof: int
    """Degrees of freedom behind it; 0: no value was repeated, so it is not known."""
    guarded: tuple[Run, ...] = ()
    """Runs so far from the others of their point that they count for less, or not at all."""

    def __len__(self) -> int:
        return len(self.x)

    @property
    def runs(self) -> int:
        """Runs in all."""
        return int(self.seeds.sum())

    @property
    def counted(self) -> bool:
        """Whether every y is a share of a known number of puzzles."""
        return bool((self.per_puzzle > 0).all())

    def variance(self, expected: Floats) -> Floats:
        """Return the variance of each mean where `expected` (M,) are the true values; 0 where none is known.

        p(1 − p)/n of counting puzzles, and τ² of the seeds, both over the number of seeds.
        """
        # A share of exactly 0 or 1 would have no variance at all: half a puzzle is the least uncertainty.
        edge = np.where(self.per_puzzle > 0, 0.5 / (1 / np.maximum(self.per_puzzle, 1e-300) + 1), 0.0)
        p = np.clip(expected, edge, 1 - edge)
        counting = np.where(self.per_puzzle > 0, p * (1 - p) * self.per_puzzle, 0.0)
        return np.asarray((self.seed_variance + counting) / self.seeds, np.float64)


def gather(runs: Sequence[Run]) -> Points:
    """Gather runs by x. Every x and y must be finite; raises `ValueError` when there is no run."""
    if not runs:
        raise ValueError("there are no runs to gather")
    groups: dict[float, list[Run]] = {}
    for run in sorted(runs, key=lambda run: (run.x, run.y, run.n)):
        groups.setdefault(run.x, []).append(run)
    weights, guarded = _weights(groups)
    y = [float(np.average([r.y for r in group], weights=weights[x])) for x, group in groups.items()]
    counted = all(run.n > 0 for run in runs)
    per_puzzle = [
        float(np.mean([1 / run.n for run in group])) if counted else 0.0 for group in groups.values()
    ]
    variance, dof = _seed_variance(groups, weights, per_puzzle)
    return Points(
        x=np.array(list(groups), np.float64),
        y=np.array(y),
        seeds=np.array([float(np.sum(weights[x] > 0)) for x in groups]),
        per_puzzle=np.array(per_puzzle),
        seed_variance=variance,
        seed_dof=dof,
        guarded=tuple(guarded),
    )


def _weights(groups: dict[float, list[Run]]) -> tuple[dict[float, Floats], list[Run]]:
    """Return each run's weight in its point's mean: 1, or less for one that stands far off the others.

    The scale is the median of the points' own variances, so that one such run cannot widen it. Points of
    fewer than three seeds say nothing about which of them is odd.
    """
    weights = {x: np.ones(len(group)) for x, group in groups.items()}
    spread = [
        float(np.var([run.y for run in group], ddof=1)) / _median_of_chi_squared(len(group) - 1)
        for group in groups.values()
        if len(group) >= 3
    ]
    if len(spread) < 3:
        return weights, []
    guarded = []
    for x, group in groups.items():
        if len(group) < 3:
            continue
        values = np.array([run.y for run in group])
        middle = float(np.median(values))
        counting = float(np.mean([middle * (1 - middle) / run.n if run.n else 0.0 for run in group]))
        scale = float(np.sqrt(max(float(np.median(spread)), counting, 0.0)))
        away = np.abs(values - middle)
        odd = away > _OUTLIER * scale if scale > 0 else np.zeros(len(values), bool)
        less = np.where(away > _FAR * scale, 0.0, _HUBER * scale / np.maximum(away, 1e-300))
        weights[x] = np.where(odd, less, 1.0)
        guarded += [run for run, is_odd in zip(group, odd, strict=True) if is_odd]
    return weights, guarded


def _median_of_chi_squared(dof: int) -> float:
    """Return the median of χ²/dof, by Wilson and Hilferty."""
    return float((1 - 2 / (9 * dof)) ** 3)


def _seed_variance(
    groups: dict[float, list[Run]], weights: dict[float, Floats], per_puzzle: list[float]
) -> tuple[float, int]:
    """Return τ² and its degrees of freedom: the variance within points less that of counting puzzles."""
    excess, dof = 0.0, 0
    for (x, group), share in zip(groups.items(), per_puzzle, strict=True):
        kept = [run.y for run, weight in zip(group, weights[x], strict=True) if weight == 1]
        if len(kept) < 2:
            continue
        p = float(np.clip(np.mean(kept), 0, 1))
        excess += (len(kept) - 1) * (float(np.var(kept, ddof=1)) - p * (1 - p) * share)
        dof += len(kept) - 1
    if not dof:
        return 0.0, 0
    # What rounding leaves of equal values is no variance.
    rounding = _RELATIVE_ROUNDING * max(abs(run.y) for group in groups.values() for run in group)
    variance = max(0.0, excess / dof)
    return (variance if variance > rounding**2 else 0.0), dof
