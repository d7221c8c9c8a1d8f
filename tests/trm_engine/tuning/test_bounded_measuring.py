"""No measuring takes longer than its share, whatever the machine: all by a clock that the test drives."""

from __future__ import annotations

import pytest
import torch

from trm_engine.hardware import Hardware
from trm_engine.learning.build import build_learner
from trm_engine.tasks import build_task
from trm_engine.tuning.bench.compare import StepPairs
from trm_engine.tuning.cache import TuningCache
from trm_engine.tuning.products import bf16_problem, product_rate
from trm_engine.tuning.tuner import tune

TWO_CORES = Hardware.model_validate({"cpu": {"model": "two", "usable_cores": 2, "usable_physical_cores": 2}})


class Machine:
    """A clock, and products that take their time by it: `gflops` in float32, `bf16` in bfloat16."""

    def __init__(self, gflops: float = 50.0, bf16: float = 0.19) -> None:
        self.now = 0.0
        self.rates = {torch.float32: gflops, torch.bfloat16: bf16}

    def __call__(self) -> float:
        return self.now

    def multiply(self, a: torch.Tensor, b: torch.Tensor) -> None:
        self.now += 2 * len(a) * len(b) * b.shape[1] / self.rates[a.dtype] / 1e9


@pytest.mark.parametrize("side", [256, 512, 1024])
def test_the_rate_of_a_product_is_measured(side: int) -> None:
    machine = Machine(gflops=40.0)
    rate = product_rate((side, side, side), seconds=2.0, clock=machine, multiply=machine.multiply)
    assert rate == pytest.approx(40)
    assert machine.now <= 2.5


def test_a_product_that_would_take_too_long_is_left_out_after_a_small_one() -> None:
    machine = Machine(bf16=0.19)
    sides = (2048, 2048, 2048)
    assert product_rate(sides, torch.bfloat16, seconds=2.0, clock=machine, multiply=machine.multiply) is None
    assert machine.now < 1


@pytest.mark.parametrize(("bf16", "emulated"), [(0.19, True), (4.0, True), (20.0, False), (300.0, False)])
def test_bf16_that_is_emulated_is_told_by_a_small_product(bf16: float, emulated: bool) -> None:
    machine = Machine(gflops=50.0, bf16=bf16)
    problem = bf16_problem(clock=machine, multiply=machine.multiply)
    assert (problem is not None) == emulated
    assert problem is None or f"{bf16:.2g} GFLOP/s" in problem


@pytest.mark.parametrize("row_seconds", [0.001, 0.1, 0.9, 4.0, 60.0])
def test_trials_of_the_tuner_stay_within_their_share(
    make_config, tmp_path, monkeypatch: pytest.MonkeyPatch, row_seconds: float
) -> None:
    names = ("gemm", "attention", "parallelism")
    overrides = [f"runtime.{name}=auto" for name in names]
    attention = ("model.mixer=attention", "model.positions=rope", "model.heads=2")
    config = make_config(*overrides, *attention, "runtime.threads=2")
    learner, machine = build_learner(config, build_task(config.task)), Machine()

    def rehearse(rows: int) -> None:
        machine.now += rows * row_seconds

    monkeypatch.setattr(learner, "rehearse", rehearse)
    cache = TuningCache(tmp_path / "tuning.json")
    found = tune(learner, TWO_CORES, cache=cache, seconds=30.0, clock=machine)
    words = [decision.reason for decision in found.decisions]
    first_trial = 2 * row_seconds  # a row for each thread: nothing tells before how long that takes
    assert machine.now <= 30.0 + first_trial
    assert any("not measured: trials would take" in word for word in words) == (row_seconds > 3)
    assert all(getattr(learner.config.runtime, name) != "auto" for name in names)


@pytest.mark.parametrize(
    ("row_seconds", "rows", "pairs"), [(0.01, 16, 7), (0.2, 16, 2), (0.5, 6, 2), (1.5, 1, 4), (30.0, 1, 1)]
)
def test_steps_that_take_long_are_measured_with_fewer_rows(row_seconds: float, rows: int, pairs: int) -> None:
    machine = Machine()

    def ask(command: str) -> float:
        asked = int(command.split()[1])
        machine.now += asked * row_seconds
        return asked * row_seconds

    measured = StepPairs(ask, ask, 16, 20.0, machine)
    heard: list[tuple[int, int]] = []
    tuned, plain = measured.measure(7, lambda *told: heard.append(told))
    assert measured.rows == rows
    assert len(tuned) == len(plain) == len(heard) == pairs
    assert machine.now <= max(20.0, 6 * row_seconds)
