"""The queue starts its runs one after another, and waits while a run that somebody starts by hand trains."""

from __future__ import annotations

import pytest

from tests.trm_tui.fake_engine import FakeWorkbench
from trm_engine.config import Config, apply
from trm_engine.errors import SessionError
from trm_tui.workbench.queue.queue_file import QueueFile, queued
from trm_tui.workbench.queue.queue_runner import QueueRunner
from trm_tui.workbench.workbench import MAX_SLOTS


@pytest.fixture
def runner(bench: FakeWorkbench) -> QueueRunner:
    return QueueRunner(bench, QueueFile(bench.store.root))


def fill(runner: QueueRunner, config: Config, *names: str) -> None:
    runner.add([(config, "sudoku-6x6", name) for name in names])


def stages(runner: QueueRunner) -> list[tuple[str, str]]:
    return [(place.run.title, place.stage) for place in runner.places()]


def test_one_run_follows_another(runner: QueueRunner, bench: FakeWorkbench, config: Config) -> None:
    fill(runner, config, "a", "b")
    assert runner.waiting == 2
    for step in range(3):
        runner.step()
        assert [run.title for run in bench.runs.values()] == ["a"], step
    assert stages(runner) == [("a", "running"), ("b", "waiting")]
    bench.end(bench.run, "completed")
    runner.step()
    assert [run.title for run in bench.runs.values()] == ["a", "b"]
    assert bench.run.title == "b", "who watched the one goes on to the other"
    bench.end(bench.run, "completed")
    assert runner.step() == ["the queue is finished"]
    assert (runner.places(), runner.going, runner.step()) == ([], False, [])


def test_a_run_of_somebody_comes_first(runner: QueueRunner, bench: FakeWorkbench, config: Config) -> None:
    bench.start(config, preset="mine")
    fill(runner, config, "a")
    runner.step()
    assert [run.title for run in bench.runs.values()] == ["mine"]
    bench.end(bench.run, "completed")
    runner.step()
    assert [run.title for run in bench.runs.values()] == ["mine", "a"]
    assert bench.run.title == "mine", "the screen is not taken from who looks at it"


def test_a_run_that_was_displaced_goes_on_afterwards(
    runner: QueueRunner, bench: FakeWorkbench, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    resumed: list[str] = []
    monkeypatch.setattr(bench, "resume", lambda ref, **_: resumed.append(ref))
    fill(runner, config, "a")
    runner.step()
    bench.start(config, preset="mine")
    assert bench.runs[1].recorder.snapshot().state == "paused"
    runner.step()
    assert resumed == []
    bench.end(bench.run, "completed")
    runner.step()
    assert resumed == [bench.runs[1].recorder.snapshot().session]


def test_a_pause_by_hand_holds_the_queue(runner: QueueRunner, bench: FakeWorkbench, config: Config) -> None:
    fill(runner, config, "a", "b")
    runner.step()
    bench.pause()
    for _ in range(3):
        assert runner.step() == []
    assert stages(runner) == [("a", "paused"), ("b", "waiting")]
    assert len(bench.runs) == 1


def test_a_pause_of_another_run_starts_nothing(
    runner: QueueRunner, bench: FakeWorkbench, config: Config
) -> None:
    bench.start(config, preset="mine")
    fill(runner, config, "a")
    bench.pause()
    runner.step()
    assert len(bench.runs) == 1, "space frees the machine"
    runner.hold()
    runner.go()
    runner.step()
    assert len(bench.runs) == 2, "started after the pause, it does not wait for that run"


def test_a_stop_by_hand_holds_the_queue_and_the_run_is_resumed_later(
    runner: QueueRunner, bench: FakeWorkbench, config: Config
) -> None:
    fill(runner, config, "a", "b")
    runner.step()
    session = bench.run.recorder.snapshot().session
    bench.stop()
    assert runner.step() == ["queue held: a was stopped"]
    assert stages(runner) == [("a", "stopped"), ("b", "waiting")]
    later = QueueRunner(bench, QueueFile(bench.store.root))
    assert (stages(later), later.going) == (stages(runner), False), (
        "it outlives the app, and waits for a word"
    )
    later.go()
    later.step()
    assert bench.runs[2].asked == [f"resume {session} None []"]


def test_what_fails_is_passed_over(runner: QueueRunner, bench: FakeWorkbench, config: Config) -> None:
    missing = apply(config, ['task.data="/nowhere/x.csv"'])
    runner.add([(missing, "own", ""), (config, "six", "b"), (config, "six", "c")])
    assert "There is no /nowhere/x.csv" in runner.step()[0]
    runner.step()
    bench.run.recorder.fail("the disk is gone")
    assert runner.step() == ["queue: b failed; the next is started"]
    runner.step()
    assert bench.run.title == "c"
    assert stages(runner) == [("own", "failed"), ("b", "failed"), ("c", "running")]


def test_ended_runs_make_room(runner: QueueRunner, bench: FakeWorkbench, config: Config) -> None:
    for _ in range(MAX_SLOTS):
        bench.start(config, preset="old")
        bench.end(bench.run, "completed")
    fill(runner, config, "a")
    runner.step()
    assert "a" in [run.title for run in bench.runs.values()]
    assert len(bench.runs) == MAX_SLOTS


def test_a_closed_slot_holds_it(runner: QueueRunner, bench: FakeWorkbench, config: Config) -> None:
    fill(runner, config, "a", "b")
    runner.step()
    runner.step()
    bench.close_slot(1)
    assert runner.step() == ["queue held: a was closed"]
    assert not runner.going


def test_a_queue_that_another_process_runs_is_left_alone(
    runner: QueueRunner, bench: FakeWorkbench, config: Config
) -> None:
    fill(runner, config, "a")
    other = QueueRunner(FakeWorkbench(bench.store.root), QueueFile(bench.store.root))
    with pytest.raises(SessionError, match="another process runs this queue"):
        other.go()
    assert not other.going


def test_what_another_process_queues_is_seen(
    runner: QueueRunner, bench: FakeWorkbench, config: Config
) -> None:
    QueueFile(bench.store.root).add([queued(config, "six", name) for name in "ab"])
    assert runner.step() == []
    assert (runner.waiting, len(bench.runs)) == (2, 0), "seen, and not started unasked"
