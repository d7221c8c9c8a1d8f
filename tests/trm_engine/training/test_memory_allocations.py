"""Allocations that fail while a run trains: steps taken again on fewer rows, or a run that stops saved."""

from __future__ import annotations

import pytest

from tests.trm_engine.training.short_memory import SMALL, FullMachine, in_flight
from trm_engine.learning.counters import Update
from trm_engine.learning.learner import Learner
from trm_engine.learning.optimizers import Adam
from trm_engine.training.events import Evaluated, Stepped
from trm_engine.training.replay import replay
from trm_engine.training.reporter import Reporter
from trm_engine.training.runs import resume, start

TORCH_ERROR = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")
NO_EVALUATION = ("eval.batch_size=1", "memory.guard=false")


def test_a_step_that_memory_cannot_hold_is_undone_and_taken_on_fewer_rows(
    store, make_config, make_sitting, heard, monkeypatch
) -> None:
    start(store, make_config(*SMALL, *NO_EVALUATION), make_sitting(), preset="tiny")
    undisturbed = [event.loss for event in heard.of(Stepped)]
    heard.events.clear()
    with monkeypatch.context() as patch:
        FullMachine(patch, 3, TORCH_ERROR, passes=6)
        finished = start(store, make_config(*SMALL, *NO_EVALUATION), make_sitting(), preset="tiny")
    assert in_flight(heard) == [8] * 5 + [2] * 7
    assert heard.warnings() == ["micro-batch-reduced"] * 2
    assert [event.loss for event in heard.of(Stepped)] == pytest.approx(undisturbed, rel=1e-4)
    assert replay(store, finished.session, make_sitting()).agrees


def test_where_not_even_one_row_fits_any_more_the_run_stops_saved(
    store, make_config, make_sitting, heard, monkeypatch
) -> None:
    config = make_config(*SMALL, *NO_EVALUATION)
    with monkeypatch.context() as patch:
        FullMachine(patch, 0, MemoryError(), passes=6)
        stopped = start(store, config, make_sitting(), preset="tiny")
    assert (stopped.status, stopped.exit_code, stopped.steps) == ("stopped", 6, 5)
    assert heard.warnings()[-1] == "out-of-memory"
    assert resume(store, stopped.session, make_sitting()).status == "completed"


def test_half_an_update_is_given_up_for_the_last_checkpoint(
    store, make_config, make_sitting, heard, monkeypatch
) -> None:
    whole = Adam.step
    steps = 0

    def broken(adam: Adam, *args: object) -> None:
        nonlocal steps
        steps += 1
        if steps == 7:
            adam.values.mul_(0.5)
            raise MemoryError
        whole(adam, *args)

    config = make_config(*SMALL, *NO_EVALUATION, "checkpoint.every_steps=5")
    undisturbed = start(store, config, make_sitting(), preset="tiny")
    losses = {event.step: event.loss for event in heard.of(Stepped)}
    heard.events.clear()
    monkeypatch.setattr(Adam, "step", broken)
    finished = start(store, config, make_sitting(), preset="tiny")
    assert [event.step for event in heard.of(Stepped)] == [*range(1, 7), *range(6, 13)]
    assert {event.step: event.loss for event in heard.of(Stepped)} == pytest.approx(losses, rel=1e-4)
    assert finished.steps == undisturbed.steps


def test_an_evaluation_that_memory_cannot_hold_takes_fewer_puzzles_at_once(
    store, make_config, make_sitting, heard, monkeypatch
) -> None:
    config = make_config("eval.every=6", "train.micro_batch=2")
    start(store, config, make_sitting(), preset="tiny")
    undisturbed = [event.figures["cell_accuracy"] for event in heard.of(Evaluated)]
    heard.events.clear()
    FullMachine(monkeypatch, 4, MemoryError())
    finished = start(store, config, make_sitting(), preset="tiny")
    assert heard.warnings() == ["evaluation-reduced"] * 6  # 250 → 3
    assert finished.status == "completed"
    assert [event.figures["cell_accuracy"] for event in heard.of(Evaluated)] == pytest.approx(undisturbed)


def test_a_lack_of_memory_anywhere_else_ends_the_run_with_what_is_saved(
    store, make_config, make_sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    observe = Reporter.observe

    def fail(reporter: Reporter, learner: Learner, update: Update) -> None:
        if learner.counters.step == 9:
            raise MemoryError
        observe(reporter, learner, update)

    with monkeypatch.context() as between_steps:
        between_steps.setattr(Reporter, "observe", fail)
        stopped = start(store, make_config("checkpoint.every_steps=4"), make_sitting(), preset="tiny")
    assert (stopped.status, stopped.exit_code) == ("stopped", 6)
    assert "step 8" in stopped.reason
    assert resume(store, stopped.session, make_sitting()).steps == 12
