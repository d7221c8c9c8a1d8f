"""Rows computed side by side: the gradients of the whole, the same bits every time, errors that arrive."""

from __future__ import annotations

import pytest
import torch

import trm_engine.tasks
from trm_engine.compute.threads import shares
from trm_engine.learning.build import build_learner
from trm_engine.learning.learner import Learner

KINDS = {
    "mlp": (),
    "attention": ("model.mixer=attention", "model.positions=rope", "model.heads=2"),
    "embedding": ("model.puzzle_emb_ndim=8",),
    "continue": ("train.continue_loss=true",),
    "text": ("text",),
}


def learner_of(make_config, kind: str, parallelism: str, threads: int, *overrides: str) -> Learner:
    config = make_config(*KINDS[kind], f"runtime.parallelism={parallelism}", *overrides)
    learner = build_learner(config, trm_engine.tasks.build_task(config.task))
    learner.use_threads(threads)
    return learner


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("threads", [2, 3, 8])
def test_rows_side_by_side_learn_what_they_learn_together(make_config, kind: str, threads: int) -> None:
    together = learner_of(make_config, kind, "operations", 1)
    apart = learner_of(make_config, kind, "rows", threads)
    for _ in range(4):
        one, other = together.learn(6), apart.learn(6)
        assert one is not None
        assert other is not None
        assert other.sums.figures() == pytest.approx(one.sums.figures(), rel=1e-10)
        assert other.grad_norm == pytest.approx(one.grad_norm, rel=1e-10)
    for name, tensor in together.tensors().items():
        torch.testing.assert_close(apart.tensors()[name], tensor, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("micro_batch", [6, 4, 2, 1])
def test_the_same_rows_give_the_same_bits(make_config, micro_batch: int) -> None:
    found = []
    for _ in range(2):
        learner = learner_of(make_config, "attention", "rows", 3)
        for _ in range(5):
            learner.learn(micro_batch)
        found.append((learner.counters.digest, learner.parameters.values.clone()))
    assert found[0][0] == found[1][0]
    assert torch.equal(found[0][1], found[1][1])


def test_threads_share_the_weights_and_follow_when_others_are_loaded(make_config) -> None:
    learner, other = (learner_of(make_config, "embedding", "rows", 2) for _ in range(2))
    for _ in range(3):
        other.learn(6)
    learner.learn(6)  # its threads are at work before the weights change under them
    learner.restore(other.weights(), other.tensors(), other.state())
    learner.learn(6)
    other.learn(6)
    assert torch.equal(learner.parameters.values, other.parameters.values)
    assert learner.counters.digest == other.counters.digest


def test_an_error_in_any_thread_undoes_the_step(make_config, monkeypatch: pytest.MonkeyPatch) -> None:
    learner = learner_of(make_config, "mlp", "rows", 2)
    learner.learn(6)
    before = learner.state()
    twin = learner.compute.twins[0][0]

    def fails(*_: object) -> None:
        raise MemoryError("no room in the second thread")

    monkeypatch.setattr(twin, "embed", fails)
    with pytest.raises(MemoryError, match="second thread"):
        learner.learn(6)
    assert learner.state() == before
    assert torch.get_num_threads() == 2


def test_kernels_that_change_reach_every_thread(make_config) -> None:
    learner = learner_of(make_config, "attention", "rows", 2)
    learner.learn(6)
    runtime = learner.config.runtime.model_copy(update={"attention": "products"})
    learner.reconfigure(learner.config.model_copy(update={"runtime": runtime}))
    learner.learn(6)
    assert all(block.mixer.products for block in learner.compute.twins[0][0].blocks)


@pytest.mark.parametrize(
    ("stretch", "count", "expected"),
    [
        ((0, 6), 1, [(0, 6)]),
        ((0, 6), 2, [(0, 3), (3, 6)]),
        ((4, 9), 2, [(4, 6), (6, 9)]),
        ((0, 2), 4, [(0, 1), (1, 2)]),
    ],
)
def test_rows_are_shared_out_evenly_and_nobody_gets_none(stretch, count, expected) -> None:
    assert shares(*stretch, count) == expected
