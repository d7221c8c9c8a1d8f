"""Steps that a device takes by itself: those of `learn`, whoever computes them and however many at once."""

from __future__ import annotations

import math

import pytest
import torch

import trm_engine.tasks
from trm_engine.compute.accelerator import Accelerator
from trm_engine.compute.compiler import compiler_problem
from trm_engine.learning.build import build_learner
from trm_engine.learning.counters import Update
from trm_engine.learning.learner import Learner
from trm_engine.models.layers import use_kernels
from trm_engine.models.trm import TRM, Output, State
from trm_engine.training.replay import replay
from trm_engine.training.runs import resume, start

KINDS = {
    "mlp": (),
    "attention": ("model.mixer=attention", "model.positions=rope", "model.heads=2"),
    "embedding": ("model.puzzle_emb_ndim=8",),
    "continue": ("train.continue_loss=true",),
    "growing": ("train.halt_start_steps=1", "train.halt_max_steps=4", "train.steps=8"),
    "adamw": ("train.optimizer=adamw",),
    "lion": ("train.optimizer=lion",),
    "sgd": ("train.optimizer=sgd",),
    "muon": ("train.optimizer=muon",),
    "checkpointing": ("runtime.checkpointing=true",),
    "text": ("text",),
}


def learner_of(make_config, *overrides: str) -> Learner:
    config = make_config(*overrides)
    return build_learner(config, trm_engine.tasks.build_task(config.task))


def as_on_a_device(learner: Learner, reduced: torch.dtype | None = None) -> Learner:
    """Let a learner compute as on a device of its own; here that is the processor."""
    accelerator = Accelerator(learner.model, learner.parameters, reduced=reduced)
    learner.compute_with(accelerator)
    if reduced is not None:
        runtime = learner.config.runtime.model_copy(update={"tuning": "off"})
        use_kernels(accelerator.twin, runtime)
    return learner


def advanced(learner: Learner, steps: int, micro_batch: int = 6) -> list[Update]:
    updates: list[Update] = []
    while len(updates) < steps:
        updates += learner.advance(micro_batch, most=steps - len(updates))
    return updates


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("micro_batch", [6, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_steps_launched_together_are_those_taken_one_by_one(make_config, kind: str, micro_batch: int) -> None:
    one, ahead = learner_of(make_config, *KINDS[kind]), as_on_a_device(learner_of(make_config, *KINDS[kind]))
    alone = [one.learn(micro_batch) for _ in range(8)]
    together = advanced(ahead, 8, micro_batch)
    for left, right in zip(alone, together, strict=True):
        assert left is not None
        assert right.step == left.step
        assert right.sums.figures() == pytest.approx(left.sums.figures(), rel=1e-10)
        assert right.grad_norm == pytest.approx(left.grad_norm, rel=1e-10)
    for name, tensor in one.tensors().items():
        torch.testing.assert_close(ahead.tensors()[name], tensor, rtol=1e-8, atol=1e-10)
    assert ahead.counters.updates == one.counters.updates
    assert ahead.state()["rng"] == one.state()["rng"]


def test_how_many_steps_are_launched_at_once_changes_no_bit(make_config) -> None:
    many, few = (as_on_a_device(learner_of(make_config)) for _ in range(2))
    advanced(many, 9)
    for _ in range(9):
        few.learn(6)
    assert many.counters == few.counters
    for name, tensor in many.tensors().items():
        assert torch.equal(tensor, few.tensors()[name]), name


def test_who_is_in_a_hurry_waits_for_one_step(make_config) -> None:
    learner = as_on_a_device(learner_of(make_config))
    assert len(learner.advance(6, most=9, hurried=lambda: True)) == 1


def test_reduced_precision_trains_float32_weights(make_config) -> None:
    full, half = learner_of(make_config), as_on_a_device(learner_of(make_config), torch.bfloat16)
    first = [float(learner.advance(6, most=1)[0].sums.loss) for learner in (full, half)]
    assert first[1] == pytest.approx(first[0], rel=0.05)
    assert first[1] != first[0]
    advanced(half, 4)
    assert all(tensor.dtype == torch.float32 for tensor in half.weights().values())
    assert half.tensors()["carry.z"].dtype == torch.float32


class Poison:
    """Spoils the logits at chosen forward passes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, passes: set[int]) -> None:
        self.count = 0
        whole = TRM.forward

        def spoiled(model: TRM, *args: object, **how: object) -> tuple[State, Output]:
            state, output = whole(model, *args, **how)
            self.count += 1
            return state, output._replace(logits=output.logits * (math.nan if self.count in passes else 1))

        monkeypatch.setattr(TRM, "forward", spoiled)


def test_an_unsound_step_is_undone_on_the_device(make_config, monkeypatch) -> None:
    learner = as_on_a_device(learner_of(make_config))
    advanced(learner, 2)
    before = {name: tensor.clone() for name, tensor in learner.weights().items()}
    ema, updates = learner.ema.clone(), learner.counters.updates
    Poison(monkeypatch, {1, 2})
    one, two, three = advanced(learner, 3)
    assert (one.applied, two.applied, three.applied) == (False, False, True)
    assert (one.skipped_in_a_row, two.skipped_in_a_row, three.skipped_in_a_row) == (1, 2, 0)
    assert learner.counters.updates == updates + 1
    assert not torch.equal(learner.ema, ema)
    assert any(not torch.equal(tensor, before[name]) for name, tensor in learner.weights().items())
    for tensor in (*learner.weights().values(), *learner.tensors().values()):
        assert torch.isfinite(tensor.double()).all()


def test_an_unsound_step_moves_no_weight(make_config, monkeypatch) -> None:
    learner = as_on_a_device(learner_of(make_config, "model.puzzle_emb_ndim=8"))
    advanced(learner, 2)
    before = {name: tensor.clone() for name, tensor in {**learner.weights(), **learner.tensors()}.items()}
    Poison(monkeypatch, {1})
    (update,) = learner.advance(6, most=1)
    assert not update.applied
    for name, tensor in {**learner.weights(), **learner.tensors()}.items():
        assert name.startswith("carry.") or torch.equal(tensor, before[name]), name
    assert learner.tensors()["carry.halted"].all()


@pytest.fixture
def every_run_as_on_a_device(monkeypatch) -> None:
    made: dict[int, Accelerator] = {}

    def compute(learner: Learner) -> Accelerator:
        found = made.get(id(learner.parameters))
        if found is None or found.parameters is not learner.parameters:
            made[id(learner.parameters)] = found = Accelerator(learner.model, learner.parameters)
        return found

    monkeypatch.setattr(Learner, "compute", property(compute))


@pytest.mark.usefixtures("every_run_as_on_a_device")
def test_a_run_on_a_device_records_what_is_due_and_replays(store, make_config, make_sitting, heard) -> None:
    config = make_config(
        "train.steps=14",
        "train.log_every=4",
        "eval.every=6",
        "checkpoint.every_steps=5",
        "runtime.tuning=off",
    )
    finished = start(store, config, make_sitting(), preset="tiny")
    session = store.get(finished.session)
    told = [(record["event"], record["step"]) for record in session.metrics.read()]
    assert told == [
        ("step", 4),
        ("eval", 6),
        ("step", 8),
        ("step", 12),
        ("eval", 12),
        ("step", 14),
        ("eval", 14),
    ]
    assert [event.step for event in heard.events if event.event == "checkpoint"][:4] == [0, 5, 6, 10]
    assert replay(store, session.id, make_sitting()).agrees


@pytest.mark.usefixtures("every_run_as_on_a_device")
def test_a_run_on_a_device_stops_and_goes_on_to_the_bit(store, make_config, make_sitting) -> None:
    config = make_config("train.steps=9", "runtime.tuning=off")
    whole = start(store, config, make_sitting(), preset="tiny")
    part = start(store, config, make_sitting(steps=4), preset="tiny")
    assert part.steps == 4
    assert resume(store, part.session, make_sitting()).weights_sha256 == whole.weights_sha256


@pytest.mark.filterwarnings("ignore")  # torch's compiler looks at what it then warns of
def test_compiled_blocks_compute_the_same(make_config) -> None:
    one, compiled = learner_of(make_config), learner_of(make_config)
    if (why := compiler_problem(compiled.device, compiled.config.runtime)) is not None:
        pytest.skip(why)
    accelerator = Accelerator(compiled.model, compiled.parameters)
    use_kernels(accelerator.twin, compiled.config.runtime, compiled=True)
    compiled.compute_with(accelerator)
    for left, right in zip([one.learn(6) for _ in range(2)], advanced(compiled, 2), strict=True):
        assert left is not None
        assert right.sums.figures() == pytest.approx(left.sums.figures(), rel=1e-4)
        assert right.grad_norm == pytest.approx(left.grad_norm, rel=1e-3)
