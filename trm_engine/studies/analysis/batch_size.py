"""The critical batch: by the noise of gradients, and by how steps to a target fall as the batch grows.

Noise scale: B_noise = tr Σ / |G|², from the squared norms of the gradients of a batch and of its halves
(arXiv 1812.06162, appendix A). Steps to a target: S(B) = S_min · (1 + B_crit / B), fitted to log S, where a
run tells an interval between two evaluations, or only that it took longer than it ran. At B = 0.2 · B_crit a
batch takes 20 % more samples than the smallest one (the definition of arXiv 2410.21676).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trm_engine.studies.analysis.results import Figures
from trm_engine.studies.analysis.targets import Reach
from trm_engine.studies.fitting.fits import Interval, interval_of

DRAWS = 100
_GRID = 41
_FINER = 17
_NEAR = 30.0
"""Draws are looked for so far round what was fitted."""
_SPAN = 100.0
"""B_crit is looked for so far beyond the smallest and the largest batch."""
_ROUNDS = 30

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class NoiseScale:
    """B_noise in rows, and the number of measurements behind it."""

    rows: float
    interval: Interval | None
    measurements: int


@dataclass(frozen=True)
class CriticalBatch:
    """The fitted hyperbola for one target."""

    target: float
    critical: float
    """B_crit in rows."""
    interval: Interval
    least_steps: float
    """S_min."""
    overhead_20: float
    """Rows at which 20 % more samples are taken than by the smallest batch."""
    reached: int
    """Runs that reached the target."""
    runs: int
    at_bound: bool
    """B_crit is at an end of what was looked for: the data do not tell it."""


def noise_scale(histories: Iterable[Sequence[Figures]], *, draws: int = DRAWS) -> NoiseScale | None:
    """Estimate B_noise from evaluations that measured gradients; None where it has no value.

    Both averages are taken before they are divided. The interval resamples evaluations.
    """
    squares, traces = [], []
    for figures in (figures for history in histories for figures in history):
        if "gradient_square" not in figures:
            continue
        large, small = figures["gradient_square"], figures["gradient_square_half"]
        rows, half = figures["gradient_rows"], figures["gradient_rows_half"]
        squares.append((rows * large - half * small) / (rows - half))
        traces.append((small - large) / (1 / half - 1 / rows))
    if not squares:
        return None
    g, s = np.array(squares), np.array(traces)
    if g.mean() <= 0 or s.mean() <= 0:
        return None
    interval = None
    if len(g) > 3:
        at = np.random.default_rng(0).integers(0, len(g), (draws, len(g)))
        over, under = s[at].mean(axis=1), g[at].mean(axis=1)
        drawn = np.where((under > 0) & (over > 0), over / np.where(under > 0, under, 1), np.inf)
        interval = interval_of(drawn, "nearest")  # a mean of infinities would be none
    return NoiseScale(float(s.mean() / g.mean()), interval, len(g))


def critical_batch(
    batches: Sequence[int], reaches: Sequence[Reach], target: float, *, draws: int = DRAWS
) -> CriticalBatch | None:
    """Fit the hyperbola to when runs reached a target; None with fewer than three batches that did."""
    rows = np.array(batches, float)
    low = np.array([max(one.low, 0.5) for one in reaches])
    high = np.array([one.high for one in reaches])
    reached = np.isfinite(high)
    if len(set(rows[reached])) < 3:
        return None
    grid = np.geomspace(rows.min() / _SPAN, rows.max() * _SPAN, _GRID)
    critical, least, sigma = _fitted(rows, np.log(low), np.log(high), grid)
    drawn = _bootstrap(rows, low, high, (critical, least, sigma), draws)
    edge = min(abs(math.log(critical / end)) for end in (grid[0], grid[-1])) < 1e-3
    return CriticalBatch(
        target=target,
        critical=critical,
        interval=interval_of(drawn),
        least_steps=math.exp(least),
        overhead_20=0.2 * critical,
        reached=int(reached.sum()),
        runs=len(rows),
        at_bound=edge,
    )


def _bootstrap(
    rows: Floats, low: Floats, high: Floats, law: tuple[float, float, float], draws: int
) -> Floats:
    """Draw runs anew round the law, cut into the same intervals as they were evaluated in, and fit them."""
    critical, least, sigma = law
    count = int(np.isfinite(high).sum())
    dof = max(count - 2, 1)  # two parameters took their part of the scatter
    # Runs that are evaluated seldom agree by chance: what lies between evaluations is the least scatter.
    seen = np.log(high[np.isfinite(high)] / low[np.isfinite(high)])
    sigma = max(sigma, float(np.median(seen)) / math.sqrt(12))
    rng = np.random.default_rng(0)
    expected = least + np.log1p(critical / rows)
    finite = np.isfinite(high)
    # The width of the interval between two evaluations, and the end of the run for those that went on.
    width = np.where(finite, high - low, np.median((high - low)[finite]))
    end = np.where(finite, np.inf, low)
    found = np.empty(draws)
    near = np.geomspace(critical / _NEAR, critical * _NEAR, _GRID)
    for draw in range(draws):
        # The scatter is an estimate too: each draw takes one that could have been the true one.
        spread = sigma * math.sqrt(count / rng.chisquare(dof))
        steps = np.exp(expected + spread * rng.standard_normal(len(rows)))
        before = np.floor(steps / width) * width
        upper = np.where(steps > end, np.inf, before + width)
        lower = np.where(steps > end, end, np.maximum(before, 0.5))
        if np.isfinite(upper).sum() < 3:
            found[draw] = near[-1]
            continue
        found[draw] = _fitted(rows, np.log(lower), np.log(upper), near)[0]
    return found


def _fitted(rows: Floats, low: Floats, high: Floats, grid: Floats) -> tuple[float, float, float]:
    """Return B_crit, log S_min and the scatter σ of log S, by greatest likelihood over a grid of B_crit."""
    for asked in range(2):
        least, sigma, likelihood = _likelihoods(rows, low, high, grid)
        at = int(likelihood.argmax())
        if not 0 < at < len(grid) - 1:
            return float(grid[at]), float(least[at]), float(sigma[at])
        if asked == 0:
            grid = np.geomspace(grid[at - 1], grid[at + 1], _FINER)
    # The vertex of the parabola through the best three: the grid's own width would show in intervals.
    before, best, after = likelihood[at - 1 : at + 2]
    bend = before - 2 * best + after
    shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
    step = math.log(grid[1] / grid[0])
    slope = (least[at + 1] - least[at - 1]) / 2
    return float(grid[at] * math.exp(shift * step)), float(least[at] + shift * slope), float(sigma[at])


def _likelihoods(rows: Floats, low: Floats, high: Floats, grid: Floats) -> tuple[Floats, Floats, Floats]:
    """Maximise the likelihood of intervals of log S at each B_crit of the grid, by expectation–maximisation.

    Returns log S_min, σ and the logarithm of the likelihood of each.
    """
    shape_GR = np.log1p(grid[:, None] / rows)
    finite = np.isfinite(high)
    middle = np.where(finite, (low + np.where(finite, high, low)) / 2, low)
    least = (middle - shape_GR).mean(axis=1)
    sigma = np.maximum((middle - shape_GR).std(axis=1), 0.05)
    for _ in range(_ROUNDS):
        mean = least[:, None] + shape_GR
        expected, variance = _truncated(low, high, mean, sigma[:, None])
        least = (expected - shape_GR).mean(axis=1)
        off = expected - shape_GR - least[:, None]
        sigma = np.sqrt(np.maximum((off * off + variance).mean(axis=1), 1e-6))
    inside = _normal(high, least[:, None] + shape_GR, sigma) - _normal(low, least[:, None] + shape_GR, sigma)
    return least, sigma, np.log(np.maximum(inside, 1e-12)).sum(axis=1)


def _truncated(low: Floats, high: Floats, mean: Floats, sigma: Floats) -> tuple[Floats, Floats]:
    """Return mean and variance of normal values known to lie between `low` and `high`."""
    a = np.clip((low - mean) / sigma, -8, 8)
    b = np.clip((high - mean) / sigma, -8, 8)
    mass = np.maximum(_cdf(b) - _cdf(a), 1e-12)
    pa, pb = _density(a), _density(b)
    shift = (pa - pb) / mass
    expected = np.clip(mean + sigma * shift, low, high)
    variance = sigma**2 * np.clip(1 + (a * pa - b * pb) / mass - shift**2, 0, 1)
    return expected, variance


def _normal(value: Floats, mean: Floats, sigma: Floats) -> Floats:
    return _cdf((value - mean) / sigma[:, None])


def _density(z: Floats) -> Floats:
    return np.asarray(np.exp(-z * z / 2) / math.sqrt(2 * math.pi), np.float64)


def _cdf(z: Floats) -> Floats:
    """Return the normal distribution, to 1e-7 (Abramowitz and Stegun 26.2.17): NumPy has no erf."""
    positive = np.abs(np.clip(z, -40, 40))
    t = 1 / (1 + 0.2316419 * positive)
    series = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    upper = 1 - _density(positive) * series
    return np.asarray(np.where(z >= 0, upper, 1 - upper), np.float64)
