from __future__ import annotations

import math

import numpy as np
import pytest

from trm_engine.studies.analysis.batch_size import critical_batch, noise_scale
from trm_engine.studies.analysis.targets import Reach, first_at

BATCHES = (16, 32, 64, 128, 256, 512)
CRITICAL, LEAST = 150.0, 200.0


def test_the_noise_scale_of_a_linear_model_with_known_covariance() -> None:
    """Gradients of rows are G + noise of covariance Σ: B_noise = tr Σ / |G|², within 5 %."""
    rng = np.random.default_rng(0)
    gradient, spread = rng.standard_normal(50), np.linspace(1, 8, 50)
    history = []
    for _ in range(3000):
        halves = [gradient + spread * rng.standard_normal(50) / math.sqrt(32) for _ in range(2)]
        history.append(
            {
                "gradient_square_half": sum(float(half @ half) for half in halves) / 2,
                "gradient_square": float(np.square((halves[0] + halves[1]) / 2).sum()),
                "gradient_rows_half": 32.0,
                "gradient_rows": 64.0,
            }
        )
    truth = float((spread**2).sum() / (gradient @ gradient))
    found = noise_scale([history])
    assert found is not None
    assert found.rows == pytest.approx(truth, rel=0.05)
    assert found.interval is not None
    assert found.interval.low <= found.rows <= found.interval.high


def test_without_gradients_there_is_no_noise_scale() -> None:
    assert noise_scale([[{"exact_accuracy": 0.5}]]) is None


def evaluated(steps: float, rows: int, share: float = 0.1) -> Reach:
    """A run of 64 000 rows, evaluated ten times, that reaches its target after `steps`."""
    total = 64_000 / rows
    every = total * share
    before = math.floor(steps / every)
    if before * every >= total:
        return Reach(total, math.inf, math.inf, math.inf)
    return Reach(before * every, (before + 1) * every, steps, steps)


def test_steps_to_a_target_without_noise_give_the_hyperbola_back() -> None:
    reaches = [Reach(s * 0.999, s * 1.001, s, s) for b in BATCHES if (s := LEAST * (1 + CRITICAL / b))]
    found = critical_batch(BATCHES, reaches, 0.8, draws=5)
    assert found is not None
    assert found.critical == pytest.approx(CRITICAL, rel=0.01)
    assert found.least_steps == pytest.approx(LEAST, rel=0.01)
    assert found.overhead_20 == pytest.approx(30, rel=0.01)
    assert not found.at_bound


def test_a_known_critical_batch_lies_in_its_interval() -> None:
    """Censored runs among them: 512 rows a batch never reach the target."""
    rng, held, repeats = np.random.default_rng(2), 0, 20
    for _ in range(repeats):
        batches = BATCHES * 3
        steps = [LEAST * (1 + CRITICAL / b) * math.exp(0.05 * rng.standard_normal()) for b in batches]
        reaches = [evaluated(s, b) for s, b in zip(steps, batches, strict=True)]
        found = critical_batch(batches, reaches, 0.8, draws=40)
        assert found is not None
        assert found.reached < found.runs
        held += found.interval.low <= CRITICAL <= found.interval.high
    assert 0.8 <= held / repeats <= 1


def test_a_target_that_two_batches_reach_tells_nothing() -> None:
    reaches = [Reach(100, 110, 105, 1), Reach(50, 60, 55, 1), *[Reach(10, math.inf, math.inf, 1)] * 4]
    assert critical_batch(BATCHES, reaches, 0.8) is None


def test_a_target_is_reached_between_two_evaluations() -> None:
    history = [
        {"step": 100.0, "exact_accuracy": 0.2, "seconds_trained": 10.0},
        {"step": 200.0, "exact_accuracy": 0.6, "seconds_trained": 20.0},
        {"step": 300.0, "exact_accuracy": 0.4, "seconds_trained": 30.0},
    ]
    found = first_at(history, 0.5, 300)
    assert (found.low, found.high, found.step, found.seconds) == pytest.approx((100, 200, 175, 17.5))
    assert not first_at(history, 0.7, 300).reached
    assert first_at(history, 0.1, 300).low == 0
