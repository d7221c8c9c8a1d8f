"""Regularised recursion: the loss also says how far the updates of the last cycle move the states."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from trm_engine.config import ModelConfig, RuntimeConfig
from trm_engine.errors import ConfigError
from trm_engine.inference.scoring import Judged
from trm_engine.learning.build import build_learner
from trm_engine.learning.losses import supervision_loss
from trm_engine.models.layers import use_kernels
from trm_engine.models.trm import TRM, Output
from trm_engine.tasks import build_task


def model_of(states: int, tuning: str) -> TRM:
    config = ModelConfig.model_validate({"hidden_size": 8, "states": states, "h_cycles": 1, "l_cycles": 3})
    model = TRM(config, vocab_size=5, seq_len=4, generator=torch.Generator().manual_seed(0)).double()
    use_kernels(model, RuntimeConfig.model_validate({"tuning": tuning}))
    return model


def by_hand(model: TRM, inputs_BL: Tensor) -> Tensor:
    """The penalty as it is defined: mean over updates k of ‖z_k − sg(z_k−1)‖² / D, and likewise of y."""
    x = model.embed(inputs_BL, None)
    y, z = model.initial_state(len(inputs_BL))
    single = model.config.states == 1
    of_latent = []
    for _ in range(3):
        after = model.blocks(z + x) if single else model.blocks(z + y + x)
        of_latent.append((after - z.detach()).pow(2).sum(2).div(8).mean(0))
        z = after
    answer = model.blocks(z) if single else model.blocks(y + z)
    before = z if single else y
    return sum(of_latent) / 3 + (answer - before.detach()).pow(2).sum(2).div(8).mean(0)


@pytest.mark.parametrize("tuning", ["auto", "off"])
@pytest.mark.parametrize("states", [1, 2])
def test_movement_and_its_gradients_are_as_defined(states: int, tuning: str) -> None:
    model = model_of(states, tuning)
    inputs = torch.arange(3 * 4).view(3, 4) % 5
    movement = model(model.initial_state(3), inputs, measured=True)[1].movement
    wanted = by_hand(model, inputs)
    assert movement is not None
    torch.testing.assert_close(movement, wanted)
    weights = list(model.blocks.parameters())
    for mine, theirs in zip(
        torch.autograd.grad(movement.sum(), weights),
        torch.autograd.grad(wanted.sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs)


def test_of_several_cycles_the_last_alone_is_measured() -> None:
    model, inputs = model_of(2, "off"), torch.arange(8).view(2, 4) % 5
    state, _ = model(model.initial_state(2), inputs)
    after = model(state, inputs, measured=True)[1].movement
    through = model(model.initial_state(2), inputs, recursion=(2, 3), measured=True)[1].movement
    torch.testing.assert_close(after, through)


def test_nothing_is_measured_unless_it_is_asked_for() -> None:
    model = model_of(2, "off")
    assert model(model.initial_state(1), torch.ones(1, 4, dtype=torch.int64))[1].movement is None


def test_the_penalty_weighs_the_movement_in_the_loss() -> None:
    labels, judged = torch.tensor([[1, 2], [3, 1]]), Judged(torch.tensor([2, 2]), torch.tensor([2, 0]))
    said = torch.zeros(2, 2, 4), torch.zeros(2), torch.zeros(2)
    plain = supervision_loss(Output(*said), labels, judged, "softmax")
    moved = Output(*said, torch.tensor([1.0, 2.0]))
    losses = supervision_loss(moved, labels, judged, "softmax", recursion_penalty=0.5)
    assert losses.total.item() == pytest.approx(plain.total.item() + 1.5)
    assert (losses.lm, losses.q_halt) == (plain.lm, plain.q_halt)


def test_a_penalty_makes_states_move_less(make_config) -> None:
    found = []
    for penalty in (0, 10):
        config = make_config(f"train.recursion_penalty={penalty}", "train.lr=0.01", "train.warmup_steps=0")
        learner = build_learner(config, build_task(config.task))
        for _ in range(20):
            learner.learn(6)
        model, carry = learner.model, learner.carry
        with torch.no_grad():
            found.append(model(carry.state, carry.inputs, measured=True)[1].movement.mean().item())
    assert found[1] < 0.8 * found[0]


def test_a_text_model_has_no_such_penalty(make_config) -> None:
    with pytest.raises(ConfigError, match=r"recursion_penalty: is of puzzle models"):
        make_config("text", "train.recursion_penalty=0.1")
