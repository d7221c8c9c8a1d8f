"""The saturating power law y = a − b·x^(−c), fitted by bounded variable projection.

For a fixed exponent c the law is linear in a and b, so that only c is searched: a grid, then ever finer grids
between the neighbours of the best. There are no start values and no local minima to fall into, and since x is
divided by its geometric mean, its unit does not matter. Many sets of y over the same x (a bootstrap's draws)
are fitted at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trm_engine.studies.fitting.points import Floats

C_RANGE = (0.02, 3.0)
"""Exponents that are looked for: below, the law is a logarithm; above, it is a step."""
_GRID = 49
_FINER = 17
_ROUNDS = 11


@dataclass(frozen=True)
class Bounds:
    """Between which values the asymptote a may lie."""

    low: float = -np.inf
    high: float = np.inf

    @classmethod
    def of(cls, y: Floats) -> Bounds:
        """Return what measured values suggest: shares end between 0 and 1, losses do not end below 0."""
        if y.min() < 0:
            return cls()
        return cls(0.0, 1.0 if y.max() <= 1 else np.inf)


@dataclass(frozen=True)
class PowerLaws:
    """Laws y = a − b·x^(−c), one an entry of the arrays (R,), with their weighted sums of squares."""

    a: Floats
    b: Floats
    """In the unit of x: b·x^(−c) is taken from a."""
    c: Floats
    squares: Floats

    def at(self, x: Floats) -> Floats:
        """Return the laws' values (R, len(x))."""
        return np.asarray(self.a[:, None] - self.b[:, None] * x[None, :] ** -self.c[:, None], np.float64)


def project(x: Floats, y_RM: Floats, weights: Floats, bounds: Bounds) -> PowerLaws:
    """Fit each row of `y_RM` over `x` (M,), all positive, with weights 1/variance (M,)."""
    logs = np.log(x)
    centre = float(np.mean(logs))
    logs = logs - centre
    rows = np.arange(len(y_RM))
    asked = np.broadcast_to(np.geomspace(*C_RANGE, _GRID), (len(y_RM), _GRID))
    for _ in range(_ROUNDS):
        squares = _linear(asked, logs, y_RM, weights, bounds)[2]
        best = squares.argmin(axis=1)
        low = asked[rows, np.maximum(best - 1, 0)]
        high = asked[rows, np.minimum(best + 1, asked.shape[1] - 1)]
        asked = np.linspace(low, high, _FINER, axis=1)
    squares = _linear(asked, logs, y_RM, weights, bounds)[2]
    c = asked[rows, squares.argmin(axis=1)]
    a, b, least = (found[:, 0] for found in _linear(c[:, None], logs, y_RM, weights, bounds))
    return PowerLaws(a, b * np.exp(c * centre), c, least)


def _linear(
    c_RK: Floats, logs: Floats, y_RM: Floats, weights: Floats, bounds: Bounds
) -> tuple[Floats, Floats, Floats]:
    """Return a, b and the sum of squares (R, K) of y = a − b·x^(−c) for given exponents, a within its bounds.

    Written round the weighted mean of u = x^(−c): for small exponents u is nearly constant, and plain normal
    equations would cancel.
    """
    u, y = np.exp(-c_RK[..., None] * logs), y_RM[:, None, :]
    share = weights / weights.sum()
    mean_u, mean_y = u @ share, y @ share
    du = u - mean_u[..., None]
    b = -((du * (y - mean_y[..., None])) @ weights) / ((du * du) @ weights)
    a = mean_y + b * mean_u
    held = np.clip(a, bounds.low, bounds.high)
    b = np.where(a == held, b, (u * (held[..., None] - y)) @ weights / ((u * u) @ weights))
    residual = y - held[..., None] + b[..., None] * u
    return held, b, (residual * residual) @ weights
