"""Gradient checkpointing: the same gradients to the bit, from what is computed twice instead of kept."""

from __future__ import annotations

import pytest
import torch

from trm_engine.learning.build import build_learner
from trm_engine.learning.learner import Learner
from trm_engine.planning.estimate import estimate
from trm_engine.tasks import build_task

ATTENTION = ("model.mixer=attention", "model.positions=rope", "model.heads=2")
KINDS = {
    "mlp": (),
    "plain operations": ("runtime.tuning=off",),
    "attention": ATTENTION,
    "products": (*ATTENTION, "runtime.attention=products"),
    "windows": (*ATTENTION, "model.attention_window=3"),
    "bf16": (*ATTENTION, "runtime.precision=bf16"),
    "single state": ("model.states=1",),
    "puzzle embedding": ("model.puzzle_emb_ndim=8",),
    "continue loss": ("train.continue_loss=true",),
    "text": ("text",),
}


def learner_of(make_config, *overrides: str) -> Learner:
    config = make_config(*overrides)
    return build_learner(config, build_task(config.task))


def kept_bytes(learner: Learner) -> int:
    """Bytes that autograd keeps of one step for the way back, outside of what is checkpointed."""
    kept = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        learner.learn(6)
    return sum(kept.values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("threads", [1, 2])
def test_gradients_are_the_same_to_the_bit(make_config, kind: str, threads: int) -> None:
    found = []
    for checkpointing in ("false", "true"):
        learner = learner_of(make_config, *KINDS[kind], f"runtime.checkpointing={checkpointing}")
        learner.use_threads(threads)
        for _ in range(4):
            learner.learn(4)
        found.append((learner.counters.digest, learner.parameters.grads, learner.parameters.values))
    (digest, *tensors), (other_digest, *others) = found
    assert digest == other_digest
    assert all(torch.equal(one, other) for one, other in zip(tensors, others, strict=True))


@pytest.mark.parametrize("kind", ["mlp", "attention", "text"])
def test_less_is_kept_for_the_way_back(make_config, kind: str) -> None:
    overrides = (*KINDS[kind], "model.l_cycles=4" if kind != "text" else "model.recursion_steps=4")
    whole, inputs = (
        kept_bytes(learner_of(make_config, *overrides, f"runtime.checkpointing={asked}"))
        for asked in ("false", "true")
    )
    assert inputs < whole / 2


def test_it_can_be_switched_on_when_a_run_goes_on(make_config) -> None:
    plain, changed = learner_of(make_config), learner_of(make_config)
    plain.learn(6), changed.learn(6)
    runtime = changed.config.runtime.model_copy(update={"checkpointing": True})
    changed.reconfigure(changed.config.model_copy(update={"runtime": runtime}))
    assert changed.model.blocks.checkpointing
    plain.learn(6), changed.learn(6)
    assert torch.equal(plain.parameters.values, changed.parameters.values)


def test_a_run_that_does_not_fit_is_offered_it(make_config) -> None:
    config = make_config("train.batch_size=512", "model.hidden_size=64", "model.l_cycles=6")
    less = make_config(
        "train.batch_size=512", "model.hidden_size=64", "model.l_cycles=6", "runtime.checkpointing=true"
    )
    needed, enough = (estimate(one).peak_rss_bytes for one in (config, less))
    assert enough < needed
    offered = estimate(config, budget_bytes=enough).alternatives
    assert ("runtime.checkpointing=true",) in [change.assignments for change in offered]
