"""The recorder: engine events become snapshots, bounded and harmless."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trm_tui.fake_engine import evaluated, started, stepped
from trm_engine.config import Config
from trm_engine.text import safe_text
from trm_engine.training.events import Event, Finished, Paused, Saved, Warned
from trm_tui.workbench.recorder import Recorder
from trm_tui.workbench.snapshot import EMPTY, Snapshot


@pytest.fixture
def recorder(config: Config) -> Recorder:
    made = Recorder(1, "sudoku-6x6", clock=lambda: "09:14:02")
    made(started("20260131-120000-sudoku-6x6-0001", config))
    return made


def finished(status: str, reason: str = "last step reached") -> Finished:
    return Finished("s", status, reason, 100, 6400, 6.0, 1000.0, "0" * 64)


def test_a_run_that_starts_is_running_and_tells_what_was_decided(recorder: Recorder) -> None:
    now = recorder.snapshot()
    assert (now.state, now.steps, now.parameters) == ("running", 3000, 412_000)
    assert [decision.subject for decision in now.decisions] == ["threads", "kernels", "precision"]
    assert any("threads: 4" in line.message for line in now.log)


def test_a_step_moves_progress_and_every_curve_of_training(recorder: Recorder) -> None:
    recorder(stepped(10))
    now = recorder.snapshot()
    assert (now.step, now.samples, now.latest and now.latest.step) == (10, 640, 10)
    assert list(now.curve("loss").steps) == [10]
    assert len(now.curve("train_exact")) == 1
    assert len(now.curve("exact_accuracy")) == 0


def test_figures_that_are_not_there_are_not_plotted(recorder: Recorder) -> None:
    recorder(stepped(10, exact_accuracy=None, rss_bytes=None))
    assert len(recorder.snapshot().curve("train_exact")) == 0
    assert len(recorder.snapshot().curve("rss_bytes")) == 0


def test_the_best_evaluation_is_remembered(recorder: Recorder) -> None:
    for step, exact in ((250, 0.2), (500, 0.6), (750, 0.5)):
        recorder(evaluated(step, exact))
    now = recorder.snapshot()
    assert (now.best and now.best.step, now.evaluated and now.evaluated.step) == (500, 750)
    assert list(now.curve("exact_accuracy").values) == [0.2, 0.6, 0.5]


def test_going_back_to_a_checkpoint_takes_back_the_curves(recorder: Recorder) -> None:
    for step in (10, 20, 30, 40):
        recorder(stepped(step))
    recorder(stepped(20))
    assert list(recorder.snapshot().curve("loss").steps) == [10, 20]


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (Paused(10, True), "paused"),
        (finished("completed"), "completed"),
        (finished("stopped"), "stopped"),
        (finished("diverged"), "diverged"),
    ],
)
def test_events_move_the_state(recorder: Recorder, event: Event, state: str) -> None:
    recorder(event)
    assert recorder.snapshot().state == state


def test_an_answer_to_a_command_does_not_hide_a_later_command(recorder: Recorder, config: Config) -> None:
    recorder.ask("stopping", "stopped by hand")
    recorder(Paused(10, False))
    assert recorder.snapshot().state == "stopping"
    recorder.ask("pausing")
    recorder(started("s", config))
    assert recorder.snapshot().state == "pausing"
    recorder(Paused(10, True))
    assert recorder.snapshot().state == "paused"
    recorder.ask("waiting")
    assert recorder.snapshot().state == "waiting"
    recorder(Paused(10, False))
    assert recorder.snapshot().state == "running"


def test_a_new_sitting_forgets_how_the_last_one_ended(recorder: Recorder) -> None:
    recorder.fail("it broke", "Traceback …")
    assert recorder.snapshot().failure is not None
    recorder.begin()
    now = recorder.snapshot()
    assert (now.state, now.failure, now.finished) == ("preparing", None, None)


def test_what_was_recorded_before_comes_back(config: Config) -> None:
    recorder = Recorder(1, "again")
    records = [
        {"event": "step", "step": 10, "samples": 640, "seconds": 1.0, "loss": 2.0, "exact_accuracy": None},
        {"event": "eval", "step": 10, "exact_accuracy": 0.5, "cell_accuracy": 0.7, "seconds_trained": 1.5},
        {"event": "step", "step": 20, "samples": 1280, "seconds": 2.0, "loss": float("nan")},
        {"event": "step", "step": "odd"},
    ]
    recorder.remember(records)
    recorder.remember(records)
    now = recorder.snapshot()
    assert list(now.curve("loss").values) == [2.0], "twice read is not twice recorded"
    assert list(now.curve("exact_accuracy").seconds) == [1.5]
    assert now.best is not None
    assert (now.best.step, now.best.figures["exact_accuracy"]) == (10, 0.5)
    recorder(started("s", config, step=10))
    assert list(recorder.snapshot().curve("loss").steps) == [10]


def test_nothing_new_gives_the_same_snapshot(recorder: Recorder) -> None:
    first = recorder.snapshot()
    assert recorder.snapshot() is first
    recorder(Saved(10, "asked"))
    second = recorder.snapshot()
    assert second.version > first.version
    assert replace(second, version=0) != replace(first, version=0)


def test_a_snapshot_does_not_change_afterwards(recorder: Recorder) -> None:
    recorder(stepped(10))
    before = recorder.snapshot()
    recorder(stepped(20))
    assert (before.step, list(before.curve("loss").steps), len(before.rates)) == (10, [10], 1)


def test_memory_is_bounded_after_a_long_run(recorder: Recorder) -> None:
    for step in range(1, 12_000):
        recorder(stepped(step, steps=50_000))
        if step % 10 == 0:
            recorder(Warned("code", f"warning {step}"))
    now = recorder.snapshot()
    assert max(len(curve) for curve in now.curves.values()) <= 4096
    assert len(now.log) <= 1000
    assert len(now.rates) <= 120
    assert now.log_count > 0


def test_the_log_counts_what_it_has_dropped(recorder: Recorder) -> None:
    before = recorder.snapshot().log_count
    for number in range(3000):
        recorder.log("info", f"line {number}")
    now = recorder.snapshot()
    assert now.log_count == before + 3000
    assert now.log[-1].message == "line 2999"


def test_many_threads_may_record_at_once(recorder: Recorder) -> None:
    def write() -> None:
        for step in range(500):
            recorder.log("info", f"{step}")
            recorder.snapshot()

    threads = [threading.Thread(target=write) for _ in range(4)]
    before = recorder.snapshot().log_count
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recorder.snapshot().log_count == before + 2000


@given(st.text())
def test_text_from_elsewhere_is_harmless(text: str) -> None:
    recorder = Recorder(1, text)
    recorder(Warned("code", text))
    recorder.log("error", text)
    recorder.prepare(text, 1, 2)
    recorder.ask("stopping", text)
    recorder.fail(text, text)
    recorder.judge(text, agrees=False)
    now = recorder.snapshot()
    assert now.preparing is None
    assert now.failure is not None
    shown = [now.title, now.reason, now.verdict, now.failure.message, now.failure.traceback]
    shown += [line.message for line in now.log]
    assert [text for text in shown if text != safe_text(text)] == []
    assert [line for line in now.log if "\n" in line.message] == []


def test_no_run_is_an_empty_snapshot() -> None:
    assert EMPTY == Snapshot()
    assert not EMPTY.active


def test_a_curve_that_was_watched_is_the_one_in_the_files(config: Config) -> None:
    """What is told between two records gives way to the next record."""
    recorder = Recorder(1, "live")
    recorder(started("s", config))
    every = config.train.log_every
    for step in (every // 2, every - 1, every, every + 1, 2 * every):
        recorder(stepped(step))
    assert list(recorder.snapshot().curve("loss").steps) == [every, 2 * every]
    recorder(stepped(2 * every + 1))
    assert list(recorder.snapshot().curve("loss").steps) == [every, 2 * every, 2 * every + 1]
