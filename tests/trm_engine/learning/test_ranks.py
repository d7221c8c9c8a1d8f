"""Several ranks compute what one does: to the bit with exact reduction, else as far as rounding lets them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.trm_engine.ranks import leading
from trm_engine.config import apply
from trm_engine.learning.build import build_learner
from trm_engine.learning.gradient_noise import gradient_noise
from trm_engine.learning.learner import Learner
from trm_engine.tasks import build_task

EMBEDDING = ("model.puzzle_emb_ndim=8", "model.registers=0", "train.optimizer=adam_atan2")
KINDS = [
    (),
    EMBEDDING,
    ("text",),
    ("train.batch_size=12", "train.micro_batch=5", "train.continue_loss=true"),
    ("train.optimizer=muon", "model.mixer=attention", "model.positions=rope", "model.heads=2"),
]


def everything(learner: Learner) -> dict[str, torch.Tensor]:
    return {name: t.clone() for name, t in {**learner.weights(), **learner.tensors()}.items()}


@pytest.mark.parametrize("kind", KINDS, ids=["mlp", "embedding", "text", "micro-batches", "attention, muon"])
def test_exact_reduction_gives_the_same_bits_with_any_number_of_ranks_and_threads(
    tmp_path: Path, make_config, kind: tuple[str, ...]
) -> None:
    config = apply(make_config(*kind), ["runtime.reduction=exact", "train.batch_size=12"])
    task = build_task(config.task)
    found = []
    for ranks, threads in ((1, 1), (1, 3), (2, 1), (4, 1)):
        with leading(tmp_path, config, task, ranks) as learner:
            learner.use_threads(threads)
            for _ in range(6):
                learner.learn(config.micro_batch)
            found.append((everything(learner), learner.counters))
    (alone, counters), *others = found
    for number, (tensors, told) in enumerate(others):
        assert told == counters
        for name, tensor in tensors.items():
            assert torch.equal(tensor, alone[name]), f"{name} of case {number + 1}"


@pytest.mark.parametrize("kind", KINDS, ids=["mlp", "embedding", "text", "micro-batches", "attention, muon"])
def test_fast_reduction_differs_by_rounding_alone(tmp_path: Path, make_config, kind: tuple[str, ...]) -> None:
    # Adam makes whole steps of gradients that are rounding alone: those of SGD are as near as gradients are.
    config = apply(make_config(*kind), ["train.optimizer=sgd"])
    task = build_task(config.task)
    found = []
    for ranks in (1, 2):
        with leading(tmp_path, config, task, ranks) as learner:
            learner.learn(config.micro_batch)
            gradient = learner.parameters.grads.clone()
            for _ in range(5):
                learner.learn(config.micro_batch)
            found.append((gradient, learner.parameters.values.clone()))
    (gradient, weights), (shared_gradient, shared_weights) = found
    assert (gradient - shared_gradient).norm() < 1e-5 * gradient.norm()
    assert torch.allclose(weights, shared_weights, rtol=1e-5, atol=1e-5)


def test_a_number_that_is_none_on_one_rank_is_skipped_on_all(tmp_path: Path, make_config) -> None:
    config, seen = make_config(), list[Learner]()

    def spoil(learner: Learner) -> None:
        seen.append(learner)
        work = learner.work

        def spoiled(model, rows):
            result = work(model, rows)
            if learner.counters.step == 2:
                learner.parameters.grads[0] = float("nan")
            return result

        learner.work = spoiled

    with leading(tmp_path, config, build_task(config.task), 2, change_follower=spoil) as learner:
        applied = [learner.learn(config.micro_batch).applied for _ in range(4)]
        learner.tensors()  # the other rank has come as far as this one when it has given its rows
    assert applied == [True, True, False, True]
    assert seen[0].counters == learner.counters
    assert torch.equal(seen[0].parameters.values, learner.parameters.values)


def test_a_rank_without_memory_undoes_the_step_on_all(tmp_path: Path, make_config) -> None:
    config, failing = make_config(), [True]

    def spoil(learner: Learner) -> None:
        work = learner.work

        def failing_once(model, rows):
            if failing.pop() if failing else False:
                raise MemoryError
            return work(model, rows)

        learner.work = failing_once

    task = build_task(config.task)
    with leading(tmp_path, config, task, 2, change_follower=spoil) as learner:
        with pytest.raises(MemoryError, match="another rank"):
            learner.learn(config.micro_batch)
        learner.learn(config.micro_batch)
        together = everything(learner)
    with leading(tmp_path, config, task, 2) as learner:
        learner.learn(config.micro_batch)
        undisturbed = everything(learner)
    assert all(torch.equal(tensor, undisturbed[name]) for name, tensor in together.items())


def test_a_step_that_rank_0_gives_up_is_undone_on_all(tmp_path: Path, make_config) -> None:
    config = make_config("train.micro_batch=3", "runtime.reduction=fast")
    task = build_task(config.task)
    with leading(tmp_path, config, task, 2) as learner:
        assert learner.learn(3, lambda: True) is None
        learner.learn(3)
        together = everything(learner)
    with leading(tmp_path, config, task, 2) as learner:
        learner.learn(3)
        undisturbed = everything(learner)
    assert all(torch.equal(tensor, undisturbed[name]) for name, tensor in together.items())


def test_a_state_goes_on_with_another_number_of_ranks(tmp_path: Path, make_config) -> None:
    config = make_config("runtime.reduction=exact", *EMBEDDING)
    task = build_task(config.task)
    straight = build_learner(config, task)
    for _ in range(9):
        straight.learn(config.micro_batch)
    weights, tensors, state = None, None, None
    for ranks in (2, 1, 2):
        with leading(tmp_path, config, task, ranks) as learner:
            if weights is not None:
                learner.restore(weights, tensors, state)
            for _ in range(3):
                learner.learn(config.micro_batch)
            weights = {name: t.clone() for name, t in learner.weights().items()}
            tensors = {name: t.clone() for name, t in learner.tensors().items()}
            state = learner.state()
    assert state == straight.state()
    for name, tensor in everything(straight).items():
        assert torch.equal(tensor, {**weights, **tensors}[name]), name


def test_a_configuration_changes_on_all_ranks(tmp_path: Path, make_config) -> None:
    config = make_config("runtime.reduction=exact", "train.batch_size=12")
    task = build_task(config.task)
    smaller = apply(config, ["train.batch_size=9", "train.micro_batch=9", "train.lr=0.001"])
    found = []
    for ranks in (1, 2):
        with leading(tmp_path, config, task, ranks) as learner:
            for _ in range(3):
                learner.learn(config.micro_batch)
            learner.reconfigure(smaller)
            learner.scale_rate(0.5)
            for _ in range(3):
                learner.learn(smaller.micro_batch)
            found.append(everything(learner))
    assert all(torch.equal(tensor, found[1][name]) for name, tensor in found[0].items())


@pytest.mark.parametrize("kind", [(), ("text",)], ids=["puzzles", "text"])
@pytest.mark.parametrize("batch", [1, 3, 100])
def test_ranks_share_an_evaluation(tmp_path: Path, make_config, kind: tuple[str, ...], batch: int) -> None:
    config = apply(make_config(*kind), [f"eval.batch_size={batch}"])
    task = build_task(config.task)
    found = []
    for ranks in (1, 3):
        with leading(tmp_path, config, task, ranks) as learner:
            learner.learn(config.micro_batch)
            with learner.averaged_weights():
                whole = learner.measure(task.test, final=True, thorough=True)
                first = learner.measure(task.test.head(2))
                stopped = learner.measure(task.test, lambda: True, final=True)
            learner.learn(config.micro_batch)
            found.append((whole, first))
            assert stopped.rows < len(task.test) or batch == 100
    for alone, shared in zip(*found, strict=True):
        assert shared.rows == alone.rows
        assert shared.solved_bits() == alone.solved_bits()
        told = {name: figure for name, figure in alone.to_dict().items() if "second" not in name}
        assert told == pytest.approx({name: shared.to_dict()[name] for name in told}, rel=1e-4)


def test_the_noise_of_gradients_is_that_of_one_rank(tmp_path: Path, make_config) -> None:
    config = make_config("train.batch_size=12")
    task = build_task(config.task)
    found = []
    for ranks in (1, 2):
        with leading(tmp_path, config, task, ranks) as learner:
            learner.learn(12)
            found.append(gradient_noise(learner, 12))
            learner.learn(12)
    assert found[0] == pytest.approx(found[1], rel=1e-4)
