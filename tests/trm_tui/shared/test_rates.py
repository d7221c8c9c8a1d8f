"""A rate that was measured on a busy machine is shown as a range, with what disturbed it."""

from __future__ import annotations

import pytest

from trm_engine.hardware import Hardware
from trm_tui.shared.rates import disturbance


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.3, "other programs took 70% of the cores: 15 to 50 GFLOP/s"), (0.95, ""), (None, "")],
)
def test_a_disturbed_rate_is_a_range(share: float | None, words: str) -> None:
    machine = Hardware(gemm_gflops=15.0, gemm_share=share)
    assert words in disturbance(machine)
    assert bool(disturbance(machine)) is bool(words)
