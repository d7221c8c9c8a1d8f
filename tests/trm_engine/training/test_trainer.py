"""What happens around a step: evaluation, targets, limits, pauses, divergence, signals, events."""

from __future__ import annotations

import dataclasses
import math
import signal

import pytest
import torch

import trm_engine.tasks
from trm_engine.errors import FitError
from trm_engine.inference.evaluate import evaluate
from trm_engine.learning.build import build_learner
from trm_engine.learning.puzzle_learner import PuzzleLearner
from trm_engine.models.trm import TRM, Output, State
from trm_engine.sessions import Store
from trm_engine.training.control import Control
from trm_engine.training.events import Evaluated, Finished, Paused, Saved, Started, Stepped
from trm_engine.training.runs import resume, start


def test_a_run_tells_its_story_in_order(store: Store, make_config, make_sitting, heard) -> None:
    # However long an evaluation takes, the next step is told only when its turn comes.
    sitting = dataclasses.replace(make_sitting(), clock=lambda: 0.0)
    finished = start(store, make_config("eval.every=6"), sitting, preset="tiny")
    names = [event.event for event in heard.events if event.event != "checkpoint"]
    assert names == ["started", "step", "step", "eval", "step", "step", "eval", "eval", "finished"]
    started, *_, last = heard.events
    assert isinstance(started, Started)
    assert started.config.train.steps == 12
    assert last is finished
    assert finished.status == "completed"
    assert finished.samples == 12 * 6
    assert finished.eval["puzzles"] == 12
    assert {"peak_rss_bytes", "mean_cpu_percent", "min_available_bytes", "batch_reductions"} <= set(
        finished.resources
    )


def test_events_are_plain_json(store: Store, make_config, make_sitting, heard) -> None:
    import json

    start(store, make_config("eval.every=6"), make_sitting(), preset="tiny")
    for event in heard.events:
        assert json.loads(json.dumps(event.to_dict(), allow_nan=False))["event"] == event.event


def test_the_summary_stays_with_the_session(store: Store, make_config, make_sitting) -> None:
    finished = start(store, make_config(), make_sitting(), preset="tiny", name="mine")
    record = store.get("mine").record
    assert record.status == "completed"
    assert record.summary["weights_sha256"] == finished.weights_sha256
    assert record.versions.keys() >= {"torch", "numpy", "python"}
    assert record.data.keys() == {"train", "test"}
    assert record.hardware


def test_training_stops_when_the_target_is_reached(
    store: Store, make_config, make_sitting, monkeypatch
) -> None:
    perfect = evaluate_as(1.0)
    monkeypatch.setattr(PuzzleLearner, "measured_by", staticmethod(perfect))
    config = make_config("eval.every=4", "eval.target_accuracy=0.9")
    finished = start(store, config, make_sitting(), preset="tiny")
    assert (finished.status, finished.steps, finished.reason) == ("completed", 4, "target accuracy reached")


def evaluate_as(accuracy: float):
    def measured(model, examples, **options):
        return dataclasses.replace(
            evaluate(model, examples.head(1), max_steps=1, batch_size=1),
            exact_accuracy=accuracy,
            puzzles=len(examples),
        )

    return measured


def test_the_best_checkpoint_is_kept_beside_the_newest(
    store: Store, make_config, make_sitting, monkeypatch
) -> None:
    scores = iter([0.2, 0.7, 0.1, 0.3, 0.3])
    monkeypatch.setattr(
        PuzzleLearner,
        "measured_by",
        staticmethod(lambda *args, **options: evaluate_as(next(scores))(*args, **options)),
    )
    config = make_config("eval.every=3", "checkpoint.every_steps=1")
    finished = start(store, config, make_sitting(), preset="tiny")
    session = store.get(finished.session)
    assert session.best is not None
    assert (session.best.step, session.best.score) == (6, 0.7)
    assert [info.step for info in session.checkpoints()] == [6, 11, 12]


def test_evaluation_leaves_training_as_it_was(store: Store, make_config, make_sitting) -> None:
    without = start(store, make_config(), make_sitting(), preset="tiny")
    often = start(store, make_config("eval.every=1"), make_sitting(), preset="tiny")
    assert without.weights_sha256 == often.weights_sha256


def test_checkpoints_come_by_step_and_when_asked(store: Store, make_config, make_sitting, heard) -> None:
    control = Control()
    control.checkpoint()
    start(store, make_config("checkpoint.every_steps=5"), make_sitting(control=control), preset="tiny")
    assert [(event.step, event.reason) for event in heard.of(Saved)] == [
        (0, "start"),
        (1, "asked"),
        (5, "steps"),
        (10, "steps"),
        (12, "end"),
    ]


def test_a_pause_holds_the_run_and_saves_it(store: Store, make_config, make_sitting, heard) -> None:
    control = Control()
    control.pause()

    def let_go(event: object) -> None:
        if isinstance(event, Paused) and event.paused:
            control.resume()

    sitting = make_sitting(control=control)
    finished = start(
        store, make_config(), dataclasses.replace(sitting, listeners=[heard, let_go]), preset="tiny"
    )
    assert [event.paused for event in heard.of(Paused)] == [True, False]
    assert finished.status == "completed"


def test_puzzles_stay_longer_as_supervision_grows(make_config) -> None:
    config = make_config("train.halt_start_steps=1", "train.halt_exploration_prob=0")
    learner = build_learner(config, trm_engine.tasks.build_task(config.task))
    stayed = []
    for _ in range(config.train.steps):
        learner.learn(config.micro_batch)
        stayed.append(learner.carry.steps.tolist())
    assert stayed == [[steps] * 6 for steps in (1, 1, 1, 1, 1, 2, 1, 2, 1, 2, 3, 1)]


def test_a_signal_stops_cleanly_and_the_run_can_go_on(store: Store, make_config, make_sitting, heard) -> None:
    whole = start(store, make_config(), make_sitting(), preset="tiny")
    control = Control()

    def interrupt(event: object) -> None:
        if isinstance(event, Stepped) and event.step == 6:
            control.stop_by_signal(signal.SIGTERM)

    sitting = dataclasses.replace(make_sitting(control=control), listeners=[interrupt])
    stopped = start(store, make_config(), sitting, preset="tiny")
    assert (stopped.status, stopped.steps, stopped.reason) == ("stopped", 6, "signal 15")
    assert resume(store, stopped.session, make_sitting()).weights_sha256 == whole.weights_sha256


class PowerCutError(BaseException):
    """Ends the process, as far as a run can tell."""


def test_an_error_leaves_a_session_that_can_be_resumed(store: Store, make_config, make_sitting) -> None:
    whole = start(store, make_config(), make_sitting(), preset="tiny")

    def fail(event: object) -> None:
        if isinstance(event, Stepped) and event.step == 9:
            raise PowerCutError("the power went")

    with pytest.raises(PowerCutError, match="the power went"):
        start(
            store,
            make_config("checkpoint.every_steps=4"),
            dataclasses.replace(make_sitting(), listeners=[fail]),
            preset="tiny",
            name="broken",
        )
    assert store.get("broken").record.status == "failed"
    assert resume(store, "broken", make_sitting()).weights_sha256 == whole.weights_sha256


def test_what_cannot_fit_is_refused_with_alternatives(store: Store, make_config, make_sitting) -> None:
    with pytest.raises(FitError, match="try: ") as caught:
        start(
            store,
            make_config("model.hidden_size=512", "train.batch_size=256", "memory.budget_gb=0.5"),
            make_sitting(),
            preset="tiny",
        )
    assert caught.value.exit_code == 4
    assert store.list() == []


# --- divergence -------------------------------------------------------------------------------------------


class Poison:
    """Spoils the logits of the model at chosen forward passes, as a bad batch or a broken kernel would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, value: float, steps: set[int]) -> None:
        self.passes = 0
        whole = TRM.forward

        def spoiled(model: TRM, *args: object, **how: object) -> tuple[State, Output]:
            state, output = whole(model, *args, **how)
            self.passes += 1
            if self.passes in steps:
                output = output._replace(logits=output.logits * value)
            return state, output

        monkeypatch.setattr(TRM, "forward", spoiled)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e8])
def test_an_unsound_step_changes_no_weight(make_config, monkeypatch, value: float) -> None:
    config = make_config()
    learner = build_learner(config, trm_engine.tasks.build_task(config.task))
    Poison(monkeypatch, value, {3})
    learner.learn(6)
    learner.learn(6)
    before = {name: tensor.clone() for name, tensor in learner.weights().items()}
    update = learner.learn(6)
    assert update is not None
    assert not update.applied
    assert all(torch.equal(tensor, learner.weights()[name]) for name, tensor in before.items())
    assert learner.learn(6).applied
    for tensor in (*learner.weights().values(), *learner.tensors().values()):
        assert torch.isfinite(tensor.double()).all()


def test_three_unsound_steps_go_back_with_a_lower_rate(
    store, make_config, make_sitting, heard, monkeypatch
) -> None:
    Poison(monkeypatch, math.nan, {7, 8, 9})
    finished = start(store, make_config("checkpoint.every_steps=5"), make_sitting(), preset="tiny")
    assert finished.status == "completed"
    assert heard.warnings() == ["skipped-step"] * 3 + ["rollback"]
    checkpoint, _ = store.get(finished.session).load()
    assert checkpoint.state["learner"]["counters"]["lr_scale"] == 0.5


def test_a_run_that_keeps_diverging_ends_as_diverged(
    store, make_config, make_sitting, heard, monkeypatch
) -> None:
    Poison(monkeypatch, math.nan, set(range(6, 1000)))
    finished = start(store, make_config("checkpoint.every_steps=5"), make_sitting(), preset="tiny")
    assert finished.status == "diverged"
    assert "train.lr" in finished.reason
    assert heard.warnings().count("rollback") == 3
    checkpoint, _ = store.get(finished.session).load()
    assert checkpoint.step == 5


# --- evaluation -------------------------------------------------------------------------------------------


def test_early_halting_agrees_with_the_answers_at_the_first_positive_logit(make_config) -> None:
    config = make_config("train.halt_max_steps=4")
    task = trm_engine.tasks.build_task(config.task)
    learner = build_learner(config, task)
    for _ in range(5):
        learner.learn(6)
    with torch.no_grad():
        learner.model.q_bias.zero_()
        learner.model.q_head.normal_(generator=torch.Generator().manual_seed(0))
    full = evaluate(learner.model, task.test, max_steps=4, batch_size=5)
    early = evaluate(learner.model, task.test, max_steps=4, batch_size=5, early_halt=True)
    assert full.ran_steps == 4
    assert early.ran_steps == early.mean_steps == full.mean_steps < 4
    assert early.exact_accuracy == early.early_exact_accuracy == full.early_exact_accuracy


def test_evaluation_does_not_depend_on_the_batch_size(make_config) -> None:
    config = make_config()
    task = trm_engine.tasks.build_task(config.task)
    model = build_learner(config, task).model
    one, many = (evaluate(model, task.test, max_steps=3, batch_size=size) for size in (1, 12))
    figures = [dataclasses.replace(run, seconds=0.0).to_dict() for run in (one, many)]
    # Products of other shapes round otherwise, and recursion amplifies that; what is counted does not change.
    losses = [run.pop("lm_loss") for run in figures]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert figures[0] == pytest.approx(figures[1])


def test_the_final_evaluation_is_over_all_held_out_puzzles(store, make_config, make_sitting, heard) -> None:
    start(store, make_config("eval.every=6", "eval.puzzles=5"), make_sitting(), preset="tiny")
    assert [(event.final, event.figures["puzzles"]) for event in heard.of(Evaluated)] == [
        (False, 5),
        (False, 5),
        (True, 12),
    ]
    assert isinstance(heard.events[-1], Finished)


def test_a_pause_within_a_step_saves_nothing_half_done(
    store, make_config, make_sitting, heard, monkeypatch
) -> None:
    whole = start(store, make_config("train.micro_batch=2"), make_sitting(), preset="tiny")
    control = Control()
    passes = 0
    forward = TRM.forward

    def pausing(model: TRM, *args: object, **how: object) -> tuple[State, Output]:
        nonlocal passes
        passes += 1
        if passes == 8:  # after the dry run: the first of the three micro-batches of step 3
            control.pause()
        return forward(model, *args, **how)

    def let_go(event: object) -> None:
        heard(event)
        if isinstance(event, Paused) and event.paused:
            control.resume()

    monkeypatch.setattr(TRM, "forward", pausing)
    sitting = dataclasses.replace(make_sitting(control=control), listeners=[let_go])
    paused = start(store, make_config("train.micro_batch=2"), sitting, preset="tiny")
    assert [event.paused for event in heard.of(Paused)] == [True, False]
    assert "pause" not in [event.reason for event in heard.of(Saved)]
    assert paused.weights_sha256 == whole.weights_sha256


def test_the_last_evaluation_measures_what_it_is_asked_for(store: Store, make_config, make_sitting) -> None:
    config = make_config(
        'eval.depths="1 4"', 'eval.halt_thresholds="-2 2"', "eval.raw_weights=true", "eval.noise_scale=true"
    )
    finished = start(store, config, make_sitting(), preset="tiny")
    assert {
        "exact_accuracy_at_1",
        "exact_accuracy_at_4",
        "exact_accuracy_over_-2",
        "mean_steps_over_2",
        "raw_exact_accuracy",
        "gradient_square_half",
    } <= set(finished.eval)
    session = store.get(finished.session)
    solved = sum(byte.bit_count() for byte in session.solved_bits())
    assert solved / 12 == pytest.approx(finished.eval["exact_accuracy"])
