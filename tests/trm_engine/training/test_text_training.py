"""A run that learns text: its figures, its best checkpoint, its target, and what divergence does to it."""

from __future__ import annotations

import json
import math

import pytest
import torch

import trm_engine.tasks
from trm_engine.errors import SessionError, UsageError
from trm_engine.inference.evaluate_text import evaluate_text
from trm_engine.inference.load import load
from trm_engine.inference.puzzle_model import PuzzleModel
from trm_engine.inference.text_model import TextModel
from trm_engine.learning.build import build_learner
from trm_engine.learning.text_learner import TextLearner
from trm_engine.models.text import RecursiveText
from trm_engine.sessions import Store
from trm_engine.training.events import Evaluated, Stepped
from trm_engine.training.runs import resume, start


def learner_of(config) -> TextLearner:
    made = build_learner(config, trm_engine.tasks.build_task(config.task))
    assert isinstance(made, TextLearner)
    return made


def test_a_small_text_is_learned(make_config) -> None:
    learner = learner_of(make_config("text", "train.steps=60", "model.hidden_size=32", "train.lr=0.01"))
    losses = [float(learner.learn(6).sums.loss) / 6 for _ in range(60)]
    assert losses[0] == pytest.approx(math.log(learner.task.vocab_size), rel=0.25)
    assert sum(losses[-5:]) / 5 < 0.75 * losses[0]


def test_unknown_characters_are_not_scored(make_config) -> None:
    learner = learner_of(make_config("text", "task.max_vocabulary=5"))
    measured = evaluate_text(learner.model, learner.task.test, batch_size=3)
    labels = learner.task.test.take(slice(0, len(learner.task.test))).labels
    assert measured.characters == (labels != 0).sum() < labels.size


def test_the_loss_is_the_mean_over_characters_whatever_the_batch(make_config) -> None:
    learner = learner_of(make_config("text"))
    one, many = (evaluate_text(learner.model, learner.task.test, batch_size=size) for size in (1, 100))
    assert one.val_loss == pytest.approx(many.val_loss, rel=1e-5)
    assert one.bits_per_character == pytest.approx(one.val_loss / 0.693147, rel=1e-4)
    assert one.windows == len(learner.task.test)


def test_events_have_the_figures_of_text_and_no_accuracy(
    store: Store, make_config, make_sitting, heard
) -> None:
    finished = start(store, make_config("text", "eval.every=6"), make_sitting(), preset="tiny")
    for event in heard.of(Stepped):
        assert (event.exact_accuracy, event.cell_accuracy, event.lm_loss, event.q_halt_loss) == (None,) * 4
    for event in heard.of(Evaluated):
        assert {"val_loss", "bits_per_character", "windows"} <= set(event.figures)
        assert not any("accuracy" in name for name in event.figures)
    assert finished.eval["val_loss"] > 0
    for event in heard.events:
        json.dumps(event.to_dict(), allow_nan=False)


def test_the_lowest_loss_is_the_best_checkpoint(store: Store, make_config, make_sitting, monkeypatch) -> None:
    losses = iter([2.0, 1.2, 1.9, 1.3, 1.4])
    _measure_as(monkeypatch, losses)
    config = make_config("text", "eval.every=3", "checkpoint.every_steps=1")
    session = store.get(start(store, config, make_sitting(), preset="tiny").session)
    assert session.best is not None
    assert (session.best.step, session.best.score) == (6, -1.2)
    assert session.record.summary["best_val_loss"] == 1.2
    assert "best_exact_accuracy" not in session.record.summary
    assert load(store, session.id, "best").step == 6


def test_training_stops_when_the_loss_is_low_enough(
    store: Store, make_config, make_sitting, monkeypatch
) -> None:
    _measure_as(monkeypatch, iter([2.0, 1.5, 1.5]))
    config = make_config("text", "eval.every=4", "eval.target_loss=1.5")
    finished = start(store, config, make_sitting(), preset="tiny")
    assert (finished.status, finished.steps, finished.reason) == ("completed", 8, "target loss reached")


def _measure_as(monkeypatch, losses) -> None:
    from dataclasses import replace

    def measured(model, windows, **options):
        return replace(evaluate_text(model, windows, batch_size=100), val_loss=next(losses))

    monkeypatch.setattr(TextLearner, "measured_by", staticmethod(measured))


def test_the_characters_stay_with_the_session(store: Store, make_config, make_sitting) -> None:
    config = make_config("text")
    run = start(store, config, make_sitting(), preset="tiny")
    record = store.get(run.session).record
    assert record.vocabulary == trm_engine.tasks.build_task(config.task).vocabulary
    assert record.facts["source"].startswith("verse.txt: ")


def test_a_trained_model_needs_its_text_no_more(store: Store, make_config, make_sitting, tmp_path) -> None:
    run = start(store, make_config("text"), make_sitting(), preset="tiny")
    (tmp_path / "verse.txt").unlink()
    model = load(store, run.session, expect=TextModel)
    assert model.vocabulary.characters == store.get(run.session).record.vocabulary
    with pytest.raises(UsageError, match=r"there is no text file .*verse\.txt"):
        resume(store, run.session, make_sitting(), overrides=["train.steps=20"])


def test_a_changed_text_is_refused(store: Store, make_config, make_sitting, tmp_path) -> None:
    run = start(store, make_config("text"), make_sitting(steps=2), preset="tiny")
    file = tmp_path / "verse.txt"
    file.write_text(file.read_text().replace("fox", "cat", 1))
    with pytest.raises(SessionError, match=r"train data \(task\.data"):
        resume(store, run.session, make_sitting())


def test_each_kind_of_model_is_loaded_by_its_own(store: Store, make_config, make_sitting) -> None:
    text = start(store, make_config("text"), make_sitting(steps=1), preset="tiny")
    puzzles = start(store, make_config(), make_sitting(steps=1), preset="tiny")
    with pytest.raises(UsageError, match="has learned text"):
        load(store, text.session, expect=PuzzleModel)
    with pytest.raises(UsageError, match="has learned puzzles"):
        load(store, puzzles.session, expect=TextModel)


def test_a_vocabulary_that_does_not_fit_the_weights_is_refused(
    store: Store, make_config, make_sitting
) -> None:
    run = start(store, make_config("text"), make_sitting(steps=1), preset="tiny")
    store.get(run.session).update(vocabulary="abc")
    with pytest.raises(SessionError, match="do not belong to its configuration and vocabulary"):
        load(store, run.session)


# --- divergence -------------------------------------------------------------------------------------------


def poison(monkeypatch, value: float, passes_spoiled: set[int]) -> None:
    whole, passes = RecursiveText.forward, 0

    def spoiled(model: RecursiveText, inputs: torch.Tensor) -> torch.Tensor:
        nonlocal passes
        passes += 1
        logits = whole(model, inputs)
        return logits * value if passes in passes_spoiled else logits

    monkeypatch.setattr(RecursiveText, "forward", spoiled)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e8])
def test_an_unsound_step_changes_no_weight(make_config, monkeypatch, value: float) -> None:
    learner = learner_of(make_config("text"))
    poison(monkeypatch, value, {2})
    learner.learn(6)
    before = {name: tensor.clone() for name, tensor in learner.weights().items()}
    assert not learner.learn(6).applied
    assert all(torch.equal(tensor, learner.weights()[name]) for name, tensor in before.items())
    assert learner.learn(6).applied


def test_three_unsound_steps_go_back_with_a_lower_rate(
    store, make_config, make_sitting, heard, monkeypatch
) -> None:
    config = make_config("text", "checkpoint.every_steps=5", "memory.guard=false")
    poison(monkeypatch, math.nan, {7, 8, 9})
    assert start(store, config, make_sitting(), preset="tiny").status == "completed"
    assert heard.warnings() == ["skipped-step"] * 3 + ["rollback"]
