"""Stopping, resuming, extending and replaying lose nothing, to the last bit."""

from __future__ import annotations

import dataclasses

import pytest
import torch

import trm_engine.tasks
from trm_engine.config import loads
from trm_engine.errors import ConfigError, SessionError
from trm_engine.learning.build import build_learner
from trm_engine.learning.learner import Learner
from trm_engine.sessions import Store
from trm_engine.training.control import Control
from trm_engine.training.replay import replay
from trm_engine.training.runs import resume, start

ATTENTION = ("model.mixer=attention", "model.positions=rope", "model.heads=2")
PUZZLE_EMBEDDING = ("model.puzzle_emb_ndim=8", "model.registers=0", "train.optimizer=adam_atan2")


def everything(learner: Learner) -> dict[str, torch.Tensor]:
    return {**learner.weights(), **learner.tensors()}


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ATTENTION,
        PUZZLE_EMBEDDING,
        ("model.states=1",),
        ("train.continue_loss=true",),
        ("train.halt_start_steps=1",),
        ("train.micro_batch=4",),
        ("text",),
        ("text", "train.micro_batch=4", "model.tied_head=false", "model.positions=learned"),
    ],
    ids=[
        "mlp",
        "attention",
        "puzzle embedding",
        "single state",
        "continue loss",
        "growing supervision",
        "micro-batches",
        "text",
        "text in micro-batches",
    ],
)
def test_resuming_after_any_step_continues_bit_for_bit(make_config, overrides: tuple[str, ...]) -> None:
    config = make_config(*overrides)
    task = trm_engine.tasks.build_task(config.task)
    straight = build_learner(config, task)
    for _ in range(8):
        straight.learn(config.micro_batch)
    for stop in range(8):
        first, second = build_learner(config, task), build_learner(config, task)
        for _ in range(stop):
            first.learn(config.micro_batch)
        weights = {name: tensor.clone() for name, tensor in first.weights().items()}
        tensors = {name: tensor.clone() for name, tensor in first.tensors().items()}
        second.restore(weights, tensors, first.state())
        for _ in range(8 - stop):
            second.learn(config.micro_batch)
        for name, tensor in everything(straight).items():
            assert torch.equal(tensor, everything(second)[name]), f"{name} after resuming at {stop}"
        assert second.counters == straight.counters


@pytest.mark.parametrize("kind", [(), ("text",)], ids=["puzzles", "text"])
def test_a_stopped_and_resumed_run_ends_with_the_same_weights(
    store: Store, make_config, make_sitting, kind: tuple[str, ...]
) -> None:
    whole = start(store, make_config(*kind), make_sitting(), preset="tiny")
    half = start(store, make_config(*kind), make_sitting(steps=5), preset="tiny")
    assert half.status == "stopped"
    rest = resume(store, half.session, make_sitting())
    assert rest.status == "completed"
    assert rest.steps == 12
    assert rest.weights_sha256 == whole.weights_sha256


def test_the_seconds_of_a_resumed_sitting_are_its_own(store: Store, make_config, make_sitting) -> None:
    half = start(store, make_config(), make_sitting(steps=5), preset="tiny")
    rest = resume(store, half.session, dataclasses.replace(make_sitting(), seconds=0.0))
    assert (rest.status, rest.steps, rest.reason) == ("stopped", 5, "0 seconds are over")


def test_the_record_of_a_resumed_run_equals_that_of_a_straight_one(
    store: Store, make_config, make_sitting
) -> None:
    whole = start(store, make_config("train.log_every=1"), make_sitting(), preset="tiny")
    half = start(store, make_config("train.log_every=1"), make_sitting(steps=5), preset="tiny")
    resume(store, half.session, make_sitting())
    losses = [
        [
            (r["step"], r["loss"], r["loss_digest"])
            for r in store.get(ref).metrics.read()
            if r["event"] == "step"
        ]
        for ref in (whole.session, half.session)
    ]
    assert losses[0] == losses[1]
    assert [step for step, _, _ in losses[0]] == list(range(1, 13))


def test_resuming_from_an_earlier_checkpoint_forgets_what_came_after(
    store: Store, make_config, make_sitting
) -> None:
    run = start(store, make_config("checkpoint.every_steps=4"), make_sitting(steps=10), preset="tiny")
    again = resume(store, run.session, make_sitting(steps=1), checkpoint=8)
    assert again.steps == 9
    steps = [record["step"] for record in store.get(run.session).metrics.read()]
    assert max(steps) == 9


def test_a_run_can_be_extended_and_its_history_says_so(store: Store, make_config, make_sitting) -> None:
    run = start(store, make_config(), make_sitting(), preset="tiny")
    longer = resume(store, run.session, make_sitting(), overrides=["train.steps=15"])
    assert (longer.status, longer.steps) == ("completed", 15)
    session = store.get(run.session)
    assert [(entry.step, entry.reason) for entry in session.history.entries()] == [
        (0, "created"),
        (12, "resumed with train.steps = 15"),
    ]
    assert loads(session.config_text, "config.toml").train.steps == 15


def test_extending_through_control_happens_at_the_step_and_is_replayed(
    store: Store, make_config, make_sitting
) -> None:
    control = Control()
    control.extend(3)
    run = start(store, make_config(), make_sitting(control=control), preset="tiny")
    assert run.steps == 15
    assert replay(store, run.session, make_sitting()).agrees


@pytest.mark.parametrize("change", ["model.layers=3", "task.clues=7", "train.batch_size=8", "train.seed=9"])
def test_what_decides_the_state_cannot_change_on_resume(
    store: Store, make_config, make_sitting, change: str
) -> None:
    run = start(store, make_config(), make_sitting(steps=2), preset="tiny")
    with pytest.raises(ConfigError, match=change.partition("=")[0]):
        resume(store, run.session, make_sitting(), overrides=[change])


@pytest.mark.parametrize("kind", [(), ("text",)], ids=["puzzles", "text"])
def test_replay_agrees_bit_for_bit(store: Store, make_config, make_sitting, kind: tuple[str, ...]) -> None:
    run = start(store, make_config(*kind, "train.seed=5"), make_sitting(steps=7), preset="tiny")
    outcome = replay(store, run.session, make_sitting())
    assert outcome.agrees
    assert outcome.compared == 3  # steps 3, 6 and the last, 7
    assert outcome.finished.weights_sha256 == run.weights_sha256
    parent = store.get(outcome.finished.session).record.parent
    assert parent is not None
    assert (parent.session, parent.how) == (run.session, "replayed")


def test_replay_names_the_step_where_losses_differ(store: Store, make_config, make_sitting) -> None:
    run = start(store, make_config(), make_sitting(), preset="tiny")
    session = store.get(run.session)
    records = session.metrics.read()
    tampered = [{**r, "loss_digest": "00"} if r["event"] == "step" and r["step"] == 9 else r for r in records]
    (session.path / "metrics.jsonl").unlink()
    for record in tampered:
        session.metrics.append(record)
    outcome = replay(store, run.session, make_sitting())
    assert not outcome.agrees
    assert outcome.first_difference == 9


def test_changed_data_are_refused_by_name(store: Store, make_config, make_sitting, tmp_path) -> None:
    puzzles = tmp_path / "puzzles.txt"
    lines = [line.replace(" ", "") for line in FOUR_BY_FOUR.split()]
    puzzles.write_text("\n".join(lines))
    config = make_config(f'task.data="{puzzles}"', "task.test_size=2", "task.train_size=4")
    run = start(store, config, make_sitting(steps=2), preset="tiny")
    puzzles.write_text("\n".join([*lines[1:], lines[0]]))
    with pytest.raises(SessionError, match=r"train data|test data"):
        resume(store, run.session, make_sitting())


FOUR_BY_FOUR = """
.321..3..4..21..
14......321.4.2.
..1....4.24..421
.3..21.....11.43
.1.22.3.4...1.2.
.132.3.1....1.2.
"""


def test_a_damaged_checkpoint_is_passed_over_with_a_word(
    store: Store, make_config, make_sitting, heard
) -> None:
    whole = start(store, make_config(), make_sitting(), preset="tiny")
    run = start(store, make_config("checkpoint.every_steps=4"), make_sitting(steps=9), preset="tiny")
    weights = store.get(run.session).path / "checkpoints" / "000000009" / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-3] ^= 4
    weights.write_bytes(bytes(data))
    again = resume(store, run.session, make_sitting())
    assert again.weights_sha256 == whole.weights_sha256
    assert any("step 9 is damaged" in getattr(event, "message", "") for event in heard.events)


@pytest.mark.parametrize("kind", [(), ("text",)], ids=["puzzles", "text"])
def test_an_interrupted_step_is_as_if_it_had_never_begun(make_config, kind: tuple[str, ...]) -> None:
    config = make_config(*kind, "train.micro_batch=2")
    task = trm_engine.tasks.build_task(config.task)
    plain, disturbed = build_learner(config, task), build_learner(config, task)
    for _ in range(6):
        plain.learn(2)
        assert disturbed.learn(2, interrupted=lambda: True) is None
        disturbed.learn(2)
    assert all(torch.equal(everything(plain)[name], tensor) for name, tensor in everything(disturbed).items())


@pytest.mark.parametrize("kind", [(), ("text",)], ids=["puzzles", "text"])
def test_micro_batches_are_the_same_mathematics(make_config, kind: tuple[str, ...]) -> None:
    config = make_config(*kind)
    task = trm_engine.tasks.build_task(config.task)
    whole, split = build_learner(config, task), build_learner(config, task)
    for _ in range(4):
        whole.learn(6)
        split.learn(2)
    assert whole.counters.samples == split.counters.samples
    for name, tensor in whole.weights().items():
        torch.testing.assert_close(split.weights()[name], tensor, atol=2e-5, rtol=1e-4)


def test_a_checkpoint_of_a_stranger_shape_is_refused(store: Store, make_config, make_sitting) -> None:
    run = start(store, make_config(), make_sitting(steps=2), preset="tiny")
    with store.open(run.session) as session:
        good = session.load()[0]
        wrong = {name: tensor[:1] if tensor.dim() == 2 else tensor for name, tensor in good.weights.items()}
        session.save(dataclasses.replace(good, step=3, weights=wrong))
    with pytest.raises(SessionError, match="does not belong to its configuration"):
        resume(store, run.session, make_sitting())
