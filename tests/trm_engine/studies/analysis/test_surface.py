from __future__ import annotations

import numpy as np
import pytest

from trm_engine.studies.analysis.surface import Sample, fit_surface

SIZES, ROWS = (1e3, 1e4, 1e5, 1e6), (1e4, 1e5, 1e6)


def error(n: float, d: float) -> float:
    return float(0.1 + 20 * n**-0.4 + 300 * d**-0.6)


def samples(noise: float = 0.0, seed: int = 0) -> list[Sample]:
    rng = np.random.default_rng(seed)
    return [
        Sample(n, d, 3 * n**0.9, error(n, d) + noise * rng.standard_normal()) for n in SIZES for d in ROWS
    ]


def test_a_surface_without_noise_is_recovered() -> None:
    found = fit_surface(samples(), share=False, draws=2)
    assert found is not None
    assert (found.e, found.alpha, found.beta) == pytest.approx((0.1, 0.4, 0.6), rel=1e-5)
    assert (found.a, found.b) == pytest.approx((20, 300), rel=1e-4)
    assert found.size_exponent == pytest.approx(0.6 / (0.4 + 0.9 * 0.6))


def test_intervals_hold_the_exponents() -> None:
    held, repeats = 0, 6
    for seed in range(repeats):
        found = fit_surface(samples(0.01, seed), share=False, draws=20)
        assert found is not None
        interval = found.intervals["alpha"]
        held += interval.low <= 0.4 <= interval.high
    assert held >= 4


def test_rows_that_follow_from_weights_tell_no_surface() -> None:
    diagonal = [Sample(n, 1e9 / n, n, 0.5) for n in np.geomspace(1e3, 1e6, 8)]
    assert fit_surface(diagonal, share=False) is None
    assert fit_surface(samples()[:3], share=False) is None
