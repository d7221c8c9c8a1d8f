"""Optimizers against plain arithmetic and against torch's own."""

from __future__ import annotations

import math

import pytest
import torch

from trm_engine.compute.parameters import FlatParameters
from trm_engine.config import TrainConfig
from trm_engine.learning.optimizers import Adam, Lion, MomentumSGD, sign_sgd
from trm_engine.learning.schedule import halt_steps, lr_scale


def test_adamw_agrees_with_torch() -> None:
    config = TrainConfig(optimizer="adamw", weight_decay=0.3, beta1=0.8, beta2=0.9)
    ours = torch.linspace(-1, 1, 9)
    theirs = ours.clone().requires_grad_()
    adam = Adam(ours, config)
    reference = torch.optim.AdamW([theirs], lr=0.01, betas=(0.8, 0.9), eps=1e-8, weight_decay=0.3)
    for step in range(5):
        gradient = torch.sin(torch.arange(9.0) + step)
        adam.step(gradient, 0.01)
        theirs.grad = gradient
        reference.step()
    torch.testing.assert_close(ours, theirs.detach())


def test_adam_atan2_takes_the_angle_of_the_two_means() -> None:
    values = torch.tensor([1.0, -2.0])
    Adam(values, TrainConfig(optimizer="adam_atan2", weight_decay=0.5)).step(torch.tensor([3.0, 0.0]), 0.1)
    # First step: both corrected means equal the gradient and its square, so the angle is π/4 (and 0 for 0).
    assert values.tolist() == pytest.approx([0.95 - 0.1 * math.pi / 4, -2.0 * 0.95])


def test_adam_atan2_does_not_care_about_the_scale_of_gradients() -> None:
    small, large = torch.ones(4), torch.ones(4)
    config = TrainConfig(optimizer="adam_atan2")
    first, second = Adam(small, config), Adam(large, config)
    for step in range(3):
        gradient = torch.cos(torch.arange(4.0) + step)
        first.step(gradient * 2**-10, 0.01)
        second.step(gradient * 2**10, 0.01)
    torch.testing.assert_close(small, large)


def test_lion_moves_by_the_sign_of_what_it_looks_ahead_to() -> None:
    values = torch.tensor([1.0, 1.0, 1.0])
    lion = Lion(values, TrainConfig(optimizer="lion", weight_decay=0.5, beta1=0.9, beta2=0.5))
    lion.step(torch.tensor([4.0, -4.0, 0.0]), 0.1)
    assert values.tolist() == pytest.approx([0.85, 1.05, 0.95])
    # The mean is now (2, -2, 0): a gradient of -1 does not turn 0.9 · 2 - 0.1.
    lion.step(torch.tensor([-1.0, -1.0, 1.0]), 0.1)
    assert values.tolist() == pytest.approx([0.85 * 0.95 - 0.1, 1.05 * 0.95 + 0.1, 0.95 * 0.95 - 0.1])


def test_sgd_with_momentum_agrees_with_torch() -> None:
    ours = torch.linspace(-1, 1, 9)
    theirs = ours.clone().requires_grad_()
    sgd = MomentumSGD(ours, TrainConfig(optimizer="sgd", weight_decay=0, beta1=0.8))
    reference = torch.optim.SGD([theirs], lr=0.01, momentum=0.8)
    for step in range(5):
        gradient = torch.sin(torch.arange(9.0) + step)
        sgd.step(gradient, 0.01)
        theirs.grad = gradient
        reference.step()
    torch.testing.assert_close(ours, theirs.detach())


def test_sign_sgd_moves_each_used_row_once_by_the_sign_of_its_sum() -> None:
    embeddings = torch.tensor([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    gradients = torch.tensor([[1.0, -5.0], [-3.0, 1.0], [0.5, 0.0]])
    sign_sgd(embeddings, torch.tensor([2, 2, 0]), gradients, lr=0.1, weight_decay=0.5)
    # Row 2 has the sum (-2, -4), row 0 the gradient (0.5, 0), row 1 was not used.
    expected = [[0.95 - 0.1, 0.95], [2.0, 2.0], [2.85 + 0.1, 2.85 + 0.1]]
    assert embeddings.flatten().tolist() == pytest.approx([x for row in expected for x in row])


def test_flat_parameters_are_what_the_model_computes_with() -> None:
    model = torch.nn.Linear(3, 2)
    flat = FlatParameters(model)
    flat.values.fill_(1.0)
    assert model(torch.ones(1, 3)).tolist() == [[4.0, 4.0]]
    model(torch.ones(1, 3)).sum().backward()
    assert {name: g.flatten().tolist() for name, g in flat.split(flat.grads).items()} == {
        "weight": [1.0] * 6,
        "bias": [1.0] * 2,
    }


def test_learning_rate_warms_up_and_follows_the_cosine_to_its_floor() -> None:
    config = TrainConfig(steps=110, warmup_steps=10, lr_min_ratio=0.2)
    assert lr_scale(config, 0) == pytest.approx(0.1)
    assert lr_scale(config, 9) == pytest.approx(1.0)
    assert lr_scale(config, 60) == pytest.approx(0.6)
    assert lr_scale(config, 110) == pytest.approx(0.2)
    assert lr_scale(config, 500) == pytest.approx(0.2)


def test_ratio_one_keeps_the_rate_constant_after_the_warm_up() -> None:
    config = TrainConfig(steps=100, warmup_steps=5, lr_min_ratio=1.0)
    assert {lr_scale(config, step) for step in range(5, 100)} == {1.0}


@pytest.mark.parametrize(
    ("settings", "shares"),
    [
        ({"schedule": "linear"}, {10: 1.0, 60: 0.6, 110: 0.2, 500: 0.2}),
        ({"schedule": "constant"}, {10: 1.0, 60: 1.0, 109: 1.0}),
        ({"schedule": "wsd"}, {10: 1.0, 88: 1.0, 99: 0.6, 110: 0.2, 500: 0.2}),
        ({"schedule": "wsd", "decay_steps": 50}, {60: 1.0, 85: 0.6, 110: 0.2}),
    ],
)
def test_schedules_begin_at_the_peak_and_end_at_their_floor(settings: dict, shares: dict[int, float]) -> None:
    config = TrainConfig(steps=110, warmup_steps=10, lr_min_ratio=0.2, **settings)
    assert lr_scale(config, 4) == pytest.approx(0.5)
    assert {step: lr_scale(config, step) for step in shares} == pytest.approx(shares)


def test_supervision_steps_grow_in_equal_shares_of_the_run() -> None:
    growing = TrainConfig(steps=100, halt_start_steps=2, halt_max_steps=5)
    assert [halt_steps(growing, step) for step in (0, 24, 25, 49, 50, 74, 75, 99)] == [2, 2, 3, 3, 4, 4, 5, 5]
    assert halt_steps(growing, 1000) == 5
    assert {halt_steps(TrainConfig(steps=100, halt_max_steps=5), step) for step in range(100)} == {5}
