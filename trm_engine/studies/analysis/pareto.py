"""Pareto frontiers: which arms no other beats at equal or lower cost, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DRAWS = 2000
SURE = 0.9
"""Share of draws above which an arm is said to be on the frontier."""


@dataclass(frozen=True)
class Candidate:
    """One point: what it is, what it costs, what it reaches, and how uncertain both are."""

    name: str
    cost: float
    value: float
    value_error: float = 0.0
    cost_error: float = 0.0


@dataclass(frozen=True)
class Standing:
    """A candidate, whether it is undominated as measured, and in what share of draws."""

    candidate: Candidate
    undominated: bool
    share: float


@dataclass(frozen=True)
class Frontier:
    """All candidates over one cost, by rising cost."""

    cost: str
    standings: tuple[Standing, ...]


def frontier(cost: str, candidates: Sequence[Candidate], *, draws: int = DRAWS) -> Frontier:
    """Find the frontier; draws of costs and values are normal round what was measured, by a fixed seed."""
    ordered = sorted(candidates, key=lambda one: (one.cost, -one.value, one.name))
    rng = np.random.default_rng(0)
    costs, values = (np.array([getattr(c, name) for c in ordered], float) for name in ("cost", "value"))
    of_cost, of_value = (
        np.array([getattr(c, name) for c in ordered], float) for name in ("cost_error", "value_error")
    )
    shape = (draws, len(ordered))
    drawn = _undominated(
        costs + of_cost * rng.standard_normal(shape), values + of_value * rng.standard_normal(shape)
    )
    measured = _undominated(costs[None], values[None])[0]
    return Frontier(
        cost,
        tuple(
            Standing(one, bool(now), float(share))
            for one, now, share in zip(ordered, measured, drawn.mean(axis=0), strict=True)
        ),
    )


def _undominated(costs: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Return (R, M): no other is at most as dear and at least as good, and better in one of the two."""
    found = np.ones(costs.shape, np.bool_)
    for i in range(costs.shape[1]):
        cheaper, better = costs[:, i, None] >= costs, values[:, i, None] <= values
        strictly = (costs[:, i, None] > costs) | (values[:, i, None] < values)
        found[:, i] = ~(cheaper & better & strictly).any(axis=1)
    return found
