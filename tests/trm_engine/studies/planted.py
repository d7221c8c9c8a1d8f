"""Runs whose truth is known: accuracies drawn from a law, with puzzles counted and seeds that differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from trm_engine.studies.fitting.points import Run

SIZES = tuple(size * 1e6 for size in (1.48, 2.67, 5.03, 9.75, 17.6, 38.1))
A, C = 0.93, 0.35
B = 0.12 * 7e6**C


def law(x: float) -> float:
    """Return the planted accuracy."""
    return A - B * x**-C


def valley(x: float) -> float:
    """Return an accuracy that is best in the middle."""
    return float(0.87 - 0.03 * np.log(x / 7e6) ** 2)


def drawn(
    truth: Callable[[float], float],
    rng: np.random.Generator,
    *,
    n: int = 500,
    seeds: int = 3,
    seed_sd: float = 0.013,
) -> list[Run]:
    """Return runs at the six sizes: an accuracy counted on `n` puzzles, `seeds` a size."""
    return list(_drawn(truth, rng, n, seeds, seed_sd))


def _drawn(
    truth: Callable[[float], float], rng: np.random.Generator, n: int, seeds: int, seed_sd: float
) -> Iterator[Run]:
    for x in SIZES:
        for _ in range(seeds):
            p = float(np.clip(truth(x) + seed_sd * rng.standard_normal(), 0, 1))
            yield Run(x, rng.binomial(n, p) / n, n)
