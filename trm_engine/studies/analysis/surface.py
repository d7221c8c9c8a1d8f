"""The surface y = e + A·N^(−α) + B·D^(−β) over weights N and training rows D, and what is best at equal work.

For fixed exponents it is linear: both are searched on a grid, then ever finer ones, with A and B not negative
and the asymptote e within its bounds (variable projection; parabolas through runs of equal work are biased
even without noise, arXiv 2603.22339). Accuracies are fitted as errors, 1 − accuracy.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trm_engine.studies.fitting.fits import Interval, interval_of

DRAWS = 100
LEAST_POINTS = 6
_RANGE = (0.02, 3.0)
_GRID = 17
_FINER = 7
_ROUNDS = 14

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """One run: weights, rows it was trained on, operations of a row, and the error or loss it ended with."""

    parameters: float
    rows: float
    flops_per_row: float
    error: float


@dataclass(frozen=True)
class Surface:
    """The fitted surface, with intervals by name of its parameters."""

    e: float
    a: float
    b: float
    alpha: float
    beta: float
    intervals: dict[str, Interval]
    size_exponent: float
    """How the best number of weights grows with the operations of a run: N* ∝ C^this."""
    cost: tuple[float, float]
    """Operations of a row as u·N^v: (log u, v)."""
    runs: int

    def at(self, parameters: Floats, rows: Floats) -> Floats:
        """Return the predicted error for a number of weights and of training rows."""
        found = self.e + self.a * parameters**-self.alpha + self.b * rows**-self.beta
        return np.asarray(found, np.float64)


def fit_surface(samples: Sequence[Sample], *, share: bool, draws: int = DRAWS) -> Surface | None:
    """Fit a surface; `share`: errors between 0 and 1. None where weights and rows are not both varied."""
    n, d, flops, y = (
        np.array([getattr(one, name) for one in samples], float)
        for name in ("parameters", "rows", "flops_per_row", "error")
    )
    different = len(set(zip(n.tolist(), d.tolist(), strict=True)))
    if different < LEAST_POINTS or min(len(set(n)), len(set(d))) < 3:
        return None
    if np.linalg.matrix_rank(np.stack([np.ones(len(n)), np.log(n), np.log(d)])) < 3:
        return None  # rows follow from weights: the two cannot be told apart
    logs = np.stack([np.log(n), np.log(d)])
    centres = logs.mean(axis=1)
    logs = logs - centres[:, None]
    most = 1.0 if share else math.inf
    exponents, coefficients = _projected(logs, y, most)
    fitted = _columns(exponents[None], logs)[0] @ coefficients
    scatter = math.sqrt(float(((y - fitted) ** 2).sum()) / max(len(y) - 5, 1))
    v, log_u = np.polyfit(np.log(n), np.log(flops), 1)
    rng = np.random.default_rng(0)
    drawn = [
        _named(*_projected(logs, fitted + scatter * rng.standard_normal(len(y)), most), centres, float(v))
        for _ in range(draws)
    ]
    found = _named(exponents, coefficients, centres, float(v))
    intervals = {name: interval_of([one[name] for one in drawn]) for name in found}
    return Surface(**found, intervals=intervals, cost=(float(log_u), float(v)), runs=len(y))


def _named(exponents: Floats, coefficients: Floats, centres: Floats, v: float) -> dict[str, float]:
    alpha, beta = (float(one) for one in exponents)
    return {
        "e": float(coefficients[0]),
        "a": float(coefficients[1] * math.exp(alpha * centres[0])),
        "b": float(coefficients[2] * math.exp(beta * centres[1])),
        "alpha": alpha,
        "beta": beta,
        "size_exponent": beta / (alpha + v * beta),
    }


def _projected(logs: Floats, y: Floats, most: float) -> tuple[Floats, Floats]:
    """Return the exponents (2,) and coefficients (3,) of the least squares."""
    axes = [np.geomspace(*_RANGE, _GRID)] * 2
    for _ in range(_ROUNDS):
        asked = np.array(list(itertools.product(*axes)))
        squares = _linear(asked, logs, y, most)[1].reshape(len(axes[0]), len(axes[1]))
        at = np.unravel_index(int(squares.argmin()), squares.shape)
        axes = [
            np.geomspace(axis[max(i - 1, 0)], axis[min(i + 1, len(axis) - 1)], _FINER)
            for axis, i in zip(axes, map(int, at), strict=True)
        ]
    asked = np.array(list(itertools.product(*axes)))
    coefficients, least = _linear(asked, logs, y, most)
    best = int(least.argmin())
    return asked[best], coefficients[best]


def _columns(exponents_K2: Floats, logs: Floats) -> Floats:
    powers = np.exp(-exponents_K2[:, None, :] * logs.T[None])
    return np.concatenate([np.ones((*powers.shape[:2], 1)), powers], axis=2)


def _linear(exponents_K2: Floats, logs: Floats, y: Floats, most: float) -> tuple[Floats, Floats]:
    """Return coefficients (K, 3) not below 0, the first not above `most`, and sums of squares (K,)."""
    columns = _columns(exponents_K2, logs)
    best = np.zeros((len(columns), 3))
    least = np.full(len(columns), np.inf)
    for kept in ((0, 1, 2), (1, 2), (0, 1), (0, 2), (0,), (1,), (2,)):
        part = columns[:, :, kept]
        found = np.zeros((len(columns), 3))
        found[:, kept] = np.linalg.pinv(part) @ y
        residual = y - np.einsum("kmc,kc->km", columns, found)
        squares = (residual * residual).sum(axis=1)
        allowed = (found >= 0).all(axis=1) & (found[:, 0] <= most)
        better = allowed & (squares < least)
        best[better], least[better] = found[better], squares[better]
        if kept == (0, 1, 2) and allowed.all():
            break
    return best, least
