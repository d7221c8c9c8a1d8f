"""What changes over a run beside the rate: recursion, exploration; and the factor of float16."""

from __future__ import annotations

import pytest
import torch

from trm_engine.config import TrainConfig, apply
from trm_engine.learning.build import build_learner
from trm_engine.learning.gradient_noise import gradient_noise
from trm_engine.learning.loss_scale import first_scale, lower_scale, raise_scale
from trm_engine.learning.schedule import exploration
from trm_engine.planning.recursion import recursion_at, recursion_stages
from trm_engine.planning.time import run_seconds
from trm_engine.tasks import build_task

GROWING = (
    "model.h_cycles=3",
    "model.l_cycles=6",
    "train.recursion_start_h=1",
    "train.recursion_start_l=2",
    "train.recursion_share=0.5",
    "train.steps=60",
)


def learner_of(config):
    return build_learner(config, build_task(config.task))


def test_recursion_grows_evenly_over_its_share_of_the_run(make_config) -> None:
    config = make_config(*GROWING)
    assert [recursion_at(config, step) for step in (0, 9, 10, 20, 29, 30, 59)] == [
        (1, 2),
        (1, 3),
        (2, 3),
        (3, 5),
        (3, 6),
        (3, 6),
        (3, 6),
    ]


def test_without_a_curriculum_recursion_is_the_configuration_s(make_config) -> None:
    config = make_config("model.h_cycles=3", "model.l_cycles=6")
    assert {recursion_at(config, step) for step in range(12)} == {(3, 6)}


def test_estimates_add_up_the_stages(make_config) -> None:
    config = make_config(*GROWING)
    stages = recursion_stages(config)
    assert sum(steps for steps, _ in stages) == 60
    full = apply(config, ["train.recursion_start_h=0", "train.recursion_start_l=0"])
    shallow = apply(full, ["model.h_cycles=1", "model.l_cycles=2"])
    assert run_seconds(shallow, 1.0) < run_seconds(config, 1.0) < run_seconds(full, 1.0)


def test_a_curriculum_trains_with_the_recursion_of_the_step(make_config) -> None:
    """Its first step is that of a model with so few cycles, bit for bit; its evaluation is not."""
    growing = learner_of(make_config(*GROWING))
    shallow = learner_of(make_config("model.h_cycles=1", "model.l_cycles=2", "train.steps=60"))
    assert growing.learn(6).sums.loss.item() == shallow.learn(6).sums.loss.item()
    torch.testing.assert_close(growing.parameters.values, shallow.parameters.values, rtol=0, atol=0)
    full = learner_of(make_config("model.h_cycles=3", "model.l_cycles=6", "train.steps=60"))
    full.parameters.values.copy_(growing.parameters.values)
    measured = [one.measure(one.task.test, final=True).cell_accuracy for one in (growing, full)]
    assert measured[0] == measured[1]


def test_exploration_moves_evenly_to_its_end() -> None:
    config = TrainConfig(steps=101, halt_exploration_start=0.3, halt_exploration_prob=0.1)
    assert [exploration(config, step) for step in (0, 50, 100, 500)] == pytest.approx([0.3, 0.2, 0.1, 0.1])
    assert exploration(TrainConfig(halt_exploration_prob=0.2), 5) == 0.2


class Scaled:
    loss_scale = first_scale("fp16")
    scaled_in_a_row = 0


def test_the_factor_of_float16_falls_at_once_and_rises_slowly() -> None:
    counters = Scaled()
    assert lower_scale(counters)
    assert counters.loss_scale == first_scale("fp16") / 2
    for _ in range(200):
        raise_scale(counters)
    assert counters.loss_scale == first_scale("fp16")
    counters.loss_scale = 1.0
    assert not lower_scale(counters)
    assert first_scale("exact") == first_scale("bf16") == 1.0


def test_gradients_in_float16_are_those_in_float32_nearly(make_config) -> None:
    exact, half = (learner_of(make_config(f"runtime.precision={name}")) for name in ("exact", "fp16"))
    norms = [one.learn(6).grad_norm for one in (exact, half)]
    assert norms[1] == pytest.approx(norms[0], rel=0.02)


def test_an_overflow_of_float16_halves_the_factor_and_moves_nothing(make_config) -> None:
    learner = learner_of(make_config("runtime.precision=fp16"))
    learner.counters.loss_scale = 2.0**60
    before = learner.parameters.values.clone()
    update = learner.learn(6)
    assert not update.applied
    assert learner.counters.loss_scale == 2.0**59
    assert learner.counters.skipped_in_a_row == 0
    assert torch.equal(learner.parameters.values, before)


def test_the_noise_of_gradients_is_measured_without_a_trace(make_config) -> None:
    measured, plain = learner_of(make_config()), learner_of(make_config())
    for one in (measured, plain):
        one.learn(6)
    noise = gradient_noise(measured, 6)
    assert gradient_noise(measured, 2) == pytest.approx(noise, rel=1e-4)
    assert noise["gradient_square_half"] >= noise["gradient_square"] > 0
    assert (noise["gradient_rows_half"], noise["gradient_rows"]) == (3, 6)
    for _ in range(2):
        assert measured.learn(6).sums.loss.item() == plain.learn(6).sums.loss.item()
