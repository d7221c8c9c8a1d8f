"""The operations of a step and their shapes are the same whatever its rows hold: a device can replay them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from trm_engine.learning.build import build_learner
from trm_engine.tasks import build_task

KINDS = {
    "mlp": (),
    "attention": ("model.mixer=attention", "model.positions=rope", "model.heads=2"),
    "puzzle embedding": ("model.puzzle_emb_ndim=8", "train.optimizer=adam_atan2"),
    "continue loss": ("train.continue_loss=true",),
    "micro-batches": ("train.micro_batch=2",),
    "text": ("text",),
}
# What reads numbers, or gives as many as the numbers say.
READING = ("_local_scalar_dense", "nonzero", "unique", "masked_select")


class Recorded(TorchDispatchMode):
    """Every operation with the shapes and types of its tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[str, tuple[object, ...]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = [one for one in tree_flatten((args, kwargs or {}))[0] if isinstance(one, torch.Tensor)]
        self.operations.append((str(func), tuple((tuple(one.shape), one.dtype) for one in tensors)))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("kind", KINDS)
def test_steps_have_the_same_operations_whichever_rows_halted(make_config, kind: str) -> None:
    config = make_config(*KINDS[kind])
    learner = build_learner(config, build_task(config.task))
    found, halted = [], []
    for _ in range(4):
        halted.append(int(learner.carry.halted.sum()) if hasattr(learner, "carry") else 0)
        with Recorded() as recorded:
            learner.learn(config.micro_batch)
        found.append(recorded.operations)
    assert kind == "text" or {0, 6} <= set(halted), "steps with and without fresh rows are compared"
    assert all(operations == found[0] for operations in found)
    names = [name for name, _ in found[0]]
    assert not [name for name in names if any(word in name for word in READING)]
    assert not [
        shapes
        for name, shapes in found[0]
        if name.startswith("aten.index") and any(dtype == torch.bool for _, dtype in shapes)
    ]


def test_every_step_draws_a_puzzle_for_every_row(make_config) -> None:
    config = make_config()
    learner = build_learner(config, build_task(config.task))
    for step in range(1, 6):
        learner.learn(6)
        assert learner.sampler.state()["cursor"] == 6 * step
