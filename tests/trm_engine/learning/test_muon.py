"""Muon: orthogonal updates for the matrices of the blocks, Adam for the rest."""

from __future__ import annotations

import pytest
import torch

import trm_engine.tasks
from trm_engine.config import TrainConfig
from trm_engine.learning.build import build_learner
from trm_engine.learning.optimizers import Adam, Muon, build_optimizer, orthogonal
from trm_engine.sessions import Store
from trm_engine.training.replay import replay
from trm_engine.training.runs import resume, start

ATTENTION = ("model.mixer=attention", "model.positions=rope", "model.heads=2")


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 8, 8), (2, 8, 24), (1, 64, 192)])
def test_singular_values_come_near_one(shape) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(matrices))
    assert values.max() < 1.25
    # The quintic lifts even singular values of a few hundredths of the largest above a half.
    assert values.min() > 0.5 or matrices.svd().S.min() < 0.02 * matrices.norm()


def test_directions_stay_and_scale_does_not_matter() -> None:
    matrix = torch.diag(torch.tensor([4.0, 1.0, 2.0])).unsqueeze(0)
    found = orthogonal(matrix)
    torch.testing.assert_close(orthogonal(matrix * 1000), found, rtol=1e-4, atol=1e-5)
    assert torch.equal(found[0] != 0, matrix[0] != 0)
    assert (found[0].diagonal() > 0.6).all()


def test_a_matrix_of_zeros_moves_nothing() -> None:
    assert torch.equal(orthogonal(torch.zeros(1, 3, 5)), torch.zeros(1, 3, 5))


@pytest.mark.parametrize("mixer", [(), ATTENTION], ids=["mlp", "attention"])
def test_blocks_move_by_orthogonal_updates_and_the_rest_by_adam(make_config, mixer) -> None:
    config = make_config(*mixer, "train.optimizer=muon", "train.weight_decay=0")
    learner = build_learner(config, trm_engine.tasks.build_task(config.task))
    flat = learner.parameters
    before = flat.values.clone()
    grads = torch.randn(flat.values.shape, generator=torch.Generator().manual_seed(1))
    assert isinstance(learner.optimizer, Muon)
    learner.optimizer.step(grads, 0.1)
    plain = before.clone()
    Adam(plain, config.train).step(grads, 0.1)
    moved, adam = flat.split(flat.values - before), flat.split(plain - before)
    for name, change in moved.items():
        if not name.startswith("blocks."):
            assert torch.equal(change, adam[name])
            continue
        parts = change.chunk({"gate_up": 2, "qkv": 3}.get(name.split(".")[-1], 1))
        for part in parts:
            size = 0.1 * 0.2 * max(part.shape) ** 0.5
            values = torch.linalg.svdvals(part) / size
            assert values.max() < 1.3
            assert values.min() > 0.3


def test_weights_decay_as_adams_do(make_config) -> None:
    config = make_config("train.optimizer=muon", "train.weight_decay=0.5")
    learner = build_learner(config, trm_engine.tasks.build_task(config.task))
    before = learner.parameters.values.clone()
    learner.optimizer.step(torch.zeros_like(before), 0.1)
    torch.testing.assert_close(learner.parameters.values, before * 0.95)


def test_a_run_with_muon_resumes_and_replays_bit_for_bit(store: Store, make_config, make_sitting) -> None:
    config = make_config("train.optimizer=muon")
    whole = start(store, config, make_sitting(), preset="p")
    stopped = start(store, config, make_sitting(steps=5), preset="p")
    assert resume(store, stopped.session, make_sitting()).weights_sha256 == whole.weights_sha256
    assert replay(store, whole.session, make_sitting()).agrees


def test_a_run_may_go_on_with_another_optimizer_and_keeps_its_moments(make_config) -> None:
    config = make_config()
    learner = build_learner(config, trm_engine.tasks.build_task(config.task))
    for _ in range(3):
        learner.learn(6)
    mean = learner.optimizer.mean
    train = config.train.model_copy(update={"optimizer": "muon"})
    learner.reconfigure(config.model_copy(update={"train": train}))
    assert isinstance(learner.optimizer, Muon)
    assert learner.optimizer.mean is mean
    assert learner.optimizer.updates == 3


def test_the_configuration_names_the_optimizer(make_config) -> None:
    learner = build_learner(make_config(), trm_engine.tasks.build_task(make_config().task))
    assert type(build_optimizer(learner.parameters, TrainConfig())) is Adam
    assert type(build_optimizer(learner.parameters, TrainConfig(optimizer="muon"))) is Muon
