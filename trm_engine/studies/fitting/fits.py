"""A law through runs: y = a − b·x^(−c) with intervals, and whether the data say that it is one.

Weights are the inverse variances of binomial counting and of seeds; intervals come from a parametric
bootstrap round the fit: points are drawn anew from the law and its noise, and fitted again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from trm_engine.studies.fitting.laws import LEAST_POINTS, Comparison, Preferred, compare
from trm_engine.studies.fitting.points import Floats, Points, Run, gather
from trm_engine.studies.fitting.projection import C_RANGE, Bounds, PowerLaws, project

DRAWS = 400
LEVEL = 0.90
_TAIL = 100 * (1 - LEVEL) / 2
FARTHEST = 4.0
"""Times the largest x beyond which nothing is predicted: exponents are too uncertain for more."""
_AT_BOUND = 1e-6


@dataclass(frozen=True)
class Interval:
    """Between which values the truth lies, with probability `LEVEL`."""

    low: float
    high: float


def interval_of(drawn: npt.ArrayLike, method: Literal["linear", "nearest"] = "linear") -> Interval:
    """Return the interval that holds the middle `LEVEL` of values drawn by a bootstrap."""
    low, high = np.percentile(np.asarray(drawn), [_TAIL, 100 - _TAIL], method=method)
    return Interval(float(low), float(high))


@dataclass(frozen=True)
class Fit:
    """What runs say of the law; `law`, `draws` and `comparison` are None where there are too few points."""

    points: Points
    bounds: Bounds
    law: PowerLaws | None
    draws: PowerLaws | None
    comparison: Comparison | None
    variance: Floats
    remarks: tuple[str, ...]
    """What a person should know of how this was computed."""

    @property
    def preferred(self) -> Preferred:
        """Which law the data prefer."""
        return self.comparison.preferred if self.comparison else "too few"

    def interval(self, name: str) -> Interval | None:
        """Return the interval of `a`, `b` or `c`."""
        if self.draws is None:
            return None
        return interval_of(getattr(self.draws, name))

    def predict(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the law's values at x and the ends of their intervals; NaN beyond 4 × the largest x."""
        assert self.law is not None
        assert self.draws is not None
        value = self.law.at(x)[0]
        low, high = np.percentile(self.draws.at(x), [_TAIL, 100 - _TAIL], axis=0)
        far = (x > FARTHEST * self.points.x[-1]) | (x < self.points.x[0] / FARTHEST)
        return tuple(np.where(far, np.nan, part) for part in (value, low, high))  # type: ignore[return-value]

    def point_intervals(self) -> tuple[Floats, Floats]:
        """Return the ends of each point's own interval, by its variance (no width where none is known)."""
        half = 1.645 * np.sqrt(self.variance)
        return (
            np.maximum(self.points.y - half, self.bounds.low),
            np.minimum(self.points.y + half, self.bounds.high),
        )

    def to_dict(self) -> dict[str, object]:
        """Return everything as JSON values."""
        law, comparison = self.law, self.comparison
        intervals = {name: self.interval(name) for name in "abc"}
        low, high = self.point_intervals()
        rows = zip(self.points.x, self.points.y, self.points.seeds, low, high, strict=True)
        return {
            **{name: None if law is None else _number(float(getattr(law, name)[0])) for name in "abc"},
            "intervals": {
                name: None if found is None else [_number(found.low), _number(found.high)]
                for name, found in intervals.items()
            },
            "interval_level": LEVEL,
            "lack_of_fit_p": comparison.lack_of_fit if comparison else None,
            "preferred": self.preferred,
            "aicc": None if comparison is None else {k: _number(v) for k, v in comparison.aicc.items()},
            "seed_sd": math.sqrt(self.points.seed_variance) if self.points.seed_dof else None,
            "points": [
                {"x": float(x), "y": float(y), "seeds": int(s), "low": float(lo), "high": float(hi)}
                for x, y, s, lo, hi in rows
            ],
            "remarks": list(self.remarks),
        }


def fit(runs: Sequence[Run], *, draws: int = DRAWS) -> Fit:
    """Fit runs (x positive, x and y finite; at least one). Equal runs give equal results."""
    points = gather(runs)
    bounds = Bounds.of(points.y)
    remarks = _remarks(points)
    if len(points) < LEAST_POINTS:
        few = f"{len(points)} different x are too few for a law; it takes at least {LEAST_POINTS}"
        return Fit(points, bounds, None, None, None, points.variance(points.y), (*remarks, few))
    law, variance = _weighted(points, bounds)
    comparison = compare(points, law, variance)
    scatter = float(law.squares[0]) / (len(points) - 3)
    if not (variance > 0).all():
        variance = scatter / points.seeds
        drawn = _bootstrap(points, bounds, law, variance, draws, counted=False)
    elif points.seed_dof == 0 and scatter > 1:
        # Points lie further off than counting puzzles explains; how much of that is the seeds' is not known,
        # so that the scatter is taken for noise (Birge).
        variance = variance * scatter
        drawn = _bootstrap(points, bounds, law, variance, draws, counted=False)
    else:
        drawn = _bootstrap(points, bounds, law, variance, draws, counted=True)
    remarks += _limits(law, bounds)
    return Fit(points, bounds, law, drawn, comparison, variance, tuple(remarks))


def _weighted(points: Points, bounds: Bounds) -> tuple[PowerLaws, Floats]:
    """Return the law and the variances at its own values: they are not known before it is."""
    expected = points.y
    for _ in range(3):
        variance = points.variance(expected)
        known = bool((variance > 0).all())
        law = project(points.x, points.y[None, :], 1 / variance if known else points.seeds, bounds)
        expected = law.at(points.x)[0]
    return law, variance if known else np.zeros(len(points))


def _bootstrap(
    points: Points, bounds: Bounds, law: PowerLaws, variance: Floats, draws: int, *, counted: bool
) -> PowerLaws:
    """Draw the points anew round the law and fit each draw; the draws follow from the data alone.

    With `counted` the noise is that of seeds and of counting, else normal with the variance of the points.
    """
    rng = np.random.default_rng(0)
    expected = law.at(points.x)[0]
    dof = points.seed_dof if counted else len(points) - 3
    # The variance is an estimate too: each draw takes one that could have been the true one.
    factor = dof / rng.chisquare(dof, (draws, 1)) if dof else np.ones((draws, 1))
    normal = rng.standard_normal((draws, len(points)))
    if counted:
        y = expected + np.sqrt(points.seed_variance / points.seeds * factor) * normal
        y = _counted(points, y, rng)
    else:
        y = expected + np.sqrt(variance * factor) * normal
    # Points without any scatter count alike; only the ratios of weights matter.
    least = 1e-9 * float(variance.max()) or 1.0
    return project(points.x, y, least / np.maximum(variance, least), bounds)


def _counted(points: Points, expected: Floats, rng: np.random.Generator) -> Floats:
    """Return what counting puzzles makes of the expected shares (R, M); other values stay as they are."""
    if not points.counted:
        return expected
    puzzles = np.maximum(1, np.rint(points.seeds / points.per_puzzle)).astype(np.int64)
    return np.asarray(rng.binomial(puzzles, np.clip(expected, 0, 1)) / puzzles, np.float64)


def _remarks(points: Points) -> list[str]:
    found = []
    if points.seed_dof == 0:
        found.append(
            "no x was run more than once: how much seeds differ is not known, and intervals count "
            + ("puzzles only" if points.counted else "the scatter round the law only")
        )
    elif points.seeds.min() < points.seeds.max():
        found.append(f"seeds a point: {points.seeds.min():.0f} to {points.seeds.max():.0f}")
    found += [
        f"x = {run.x:g}: the run with y = {run.y:g} stands so far off its other seeds that it counts little"
        " or not at all"
        for run in points.guarded
    ]
    return found


def _limits(law: PowerLaws, bounds: Bounds) -> list[str]:
    found = []
    a, c = float(law.a[0]), float(law.c[0])
    if a in (bounds.low, bounds.high):
        found.append(f"a is held at its limit {a:g}")
    if min(abs(c - end) for end in C_RANGE) < _AT_BOUND:
        found.append(
            f"c is at the end of its range, {C_RANGE[0]:g} to {C_RANGE[1]:g}: no power of x describes it"
        )
    return found


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
