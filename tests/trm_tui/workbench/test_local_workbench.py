"""The workbench of this machine: slots, turns and threads, with scripted runs in place of training."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trm_tui.fake_engine import started, stepped
from tests.waiting import PATIENCE, eventually
from trm_engine.config import Config, dumps
from trm_engine.errors import SessionError, TrmError, UsageError
from trm_engine.sessions import Store
from trm_engine.training.control import Control, Next
from trm_engine.training.events import Finished, Paused, Saved
from trm_tui.workbench import local_workbench
from trm_tui.workbench.extension import end_of, extension_words
from trm_tui.workbench.jobs import Progress
from trm_tui.workbench.local_workbench import LocalWorkbench
from trm_tui.workbench.possible import possible
from trm_tui.workbench.recorder import Recorder


class Script:
    """A run that steps until it is told to stop; it notes whether another computed beside it."""

    computing: set[int] = set()  # noqa: RUF012  # shared on purpose
    crowded = False

    def __init__(self, session: str, config: Config) -> None:
        self.session = session
        self.config = config
        self.step = 0
        self.end = threading.Event()
        self.error: BaseException | None = None
        self.seen: list[str] = []

    def __call__(self, control: Control, recorder: Recorder, progress: Progress) -> Finished:
        progress("generating puzzles", 1, 2)
        recorder(started(self.session, self.config, self.step))
        self._compute(True)
        while self._may_step(control, recorder) and not self.end.wait(0.001):
            self.step += 1
            recorder(stepped(self.step))
            if control.take_checkpoint():
                recorder(Saved(self.step, "asked"))
            if control.take_evaluation():
                self.seen.append("evaluation")
            if factor := control.take_lr_factor() != 1 and "lr":
                self.seen.append(factor)
            if extra := control.take_extension():
                self.seen.append(f"extend {extra}")
            for receive in control.take_looks():
                receive(self.step, {})
            if self.error is not None:
                self._compute(False)
                raise self.error
        self._compute(False)
        recorder(Saved(self.step, "end"))
        status = "completed" if self.end.is_set() else "stopped"
        return Finished(self.session, status, control.stop_reason or "done", self.step, 0, 0.0, 0.0, "")

    def _may_step(self, control: Control, recorder: Recorder) -> bool:
        control.await_turn(lambda paused: self._paused(control, recorder, paused))
        return control.poll() is Next.CONTINUE

    def _paused(self, control: Control, recorder: Recorder, paused: bool) -> None:
        if paused:
            self._compute(False)
        recorder(Paused(self.step, paused))
        if not paused and not control.stopping:  # else it only goes on to save
            self._compute(True)

    def _compute(self, begins: bool) -> None:
        (Script.computing.add if begins else Script.computing.discard)(id(self))
        Script.crowded = Script.crowded or len(Script.computing) > 1


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch, config: Config) -> list[Script]:
    """Every run that was begun, in order. A resumed one is a new script of the same session."""
    Script.computing, Script.crowded = set(), False
    made: list[Script] = []

    def job(session: str) -> Script:
        made.append(Script(session, config))
        return made[-1]

    def begun(store: Store, config: Config, *, preset: str, name: str, **_: object) -> Script:
        with store.create(dumps(config), preset, name=name) as session:
            return job(session.id)

    monkeypatch.setattr(local_workbench, "start_job", begun)
    monkeypatch.setattr(local_workbench, "resume_job", lambda _store, session, **_: job(session))
    monkeypatch.setattr(local_workbench, "replay_job", lambda _store, session: job(f"{session}-again"))
    return made


@pytest.fixture
def workbench(tmp_path: Path, scripts: list[Script]) -> Iterator[LocalWorkbench]:
    made = LocalWorkbench(Store(tmp_path / "sessions"))
    yield made
    assert made.close(PATIENCE), "every thread has ended"
    assert not Script.crowded, "at most one run computed at any time"


def state(workbench: LocalWorkbench, slot: int) -> str:
    return next(view.state for view in workbench.slots() if view.number == slot)


def stored(workbench: LocalWorkbench, config: Config) -> str:
    """Return the id of a session that is on disk."""
    with workbench.store.create(dumps(config), "sudoku-6x6", name="kept") as session:
        session.metrics.append(stepped(1).to_dict())
        return session.id


def test_a_run_starts_in_the_first_free_slot(workbench: LocalWorkbench, config: Config) -> None:
    assert workbench.start(config, preset="sudoku-6x6") == 1
    eventually(lambda: workbench.snapshot().state == "running")
    assert [(v.number, v.title, v.active) for v in workbench.slots()] == [(1, "sudoku-6x6", True)]


def test_a_second_run_waits_until_the_first_is_saved_and_paused(
    workbench: LocalWorkbench, config: Config
) -> None:
    workbench.start(config, preset="a")
    eventually(lambda: state(workbench, 1) == "running")
    assert workbench.start(config, preset="b") == 2
    eventually(lambda: state(workbench, 2) == "running")
    assert state(workbench, 1) == "paused"


def test_looking_at_a_slot_starts_and_stops_nothing(
    workbench: LocalWorkbench, config: Config, scripts: list[Script]
) -> None:
    workbench.start(config, preset="a")
    eventually(lambda: state(workbench, 1) == "running")
    workbench.start(config, preset="b")
    eventually(lambda: state(workbench, 2) == "running")
    held = scripts[0].step
    for slot in (1, 2, 1):
        assert workbench.switch(slot)
        assert workbench.snapshot().slot == slot
        trained = scripts[1].step
        eventually(lambda trained=trained: scripts[1].step > trained)
        assert (state(workbench, 1), state(workbench, 2), scripts[0].step) == ("paused", "running", held)


def test_space_runs_what_is_shown_and_pauses_the_other(
    workbench: LocalWorkbench, config: Config, scripts: list[Script]
) -> None:
    workbench.start(config, preset="a")
    eventually(lambda: state(workbench, 1) == "running")
    workbench.start(config, preset="b")
    eventually(lambda: state(workbench, 2) == "running")
    for slot, other in ((1, 2), (2, 1), (1, 2)):
        before = scripts[slot - 1].step
        workbench.switch(slot)
        workbench.go_on()
        eventually(lambda slot=slot, before=before: scripts[slot - 1].step > before)
        assert (state(workbench, slot), state(workbench, other)) == ("running", "paused")


def test_running_to_and_fro_at_once_leaves_the_last_choice_running(
    workbench: LocalWorkbench, config: Config
) -> None:
    workbench.start(config, preset="a")
    workbench.start(config, preset="b")
    for slot in (1, 2) * 10 + (1,):
        workbench.switch(slot)
        if possible("pause", workbench.snapshot()).label == "resume":
            workbench.go_on()
    eventually(lambda: state(workbench, 1) == "running")
    eventually(lambda: state(workbench, 2) in ("paused", "waiting"))


def test_a_free_slot_cannot_be_switched_to(workbench: LocalWorkbench) -> None:
    assert not workbench.switch(3)


def test_pause_and_go_on(workbench: LocalWorkbench, config: Config, scripts: list[Script]) -> None:
    workbench.start(config, preset="a")
    eventually(lambda: state(workbench, 1) == "running")
    workbench.pause()
    eventually(lambda: state(workbench, 1) == "paused")
    step = scripts[0].step
    workbench.go_on()
    eventually(lambda: scripts[0].step > step)
    assert state(workbench, 1) == "running"


def test_a_pause_may_be_taken_back_before_it_takes_effect(workbench: LocalWorkbench, config: Config) -> None:
    workbench.start(config, preset="a")
    eventually(lambda: state(workbench, 1) == "running")
    for _ in range(20):
        workbench.pause()
        workbench.go_on()
    eventually(lambda: state(workbench, 1) == "running")


def test_a_run_that_waits_for_its_turn_can_be_stopped(workbench: LocalWorkbench, config: Config) -> None:
    workbench.start(config, preset="a")
    workbench.start(config, preset="b")
    workbench.stop()
    eventually(lambda: state(workbench, 2) == "stopped")


def test_a_stopped_run_goes_on_from_its_session(
    workbench: LocalWorkbench, config: Config, scripts: list[Script]
) -> None:
    workbench.start(config, preset="a")
    eventually(lambda: state(workbench, 1) == "running")
    workbench.stop()
    eventually(lambda: state(workbench, 1) == "stopped")
    workbench.go_on()
    eventually(lambda: state(workbench, 1) == "running")
    assert scripts[0].session == scripts[1].session


def test_a_complete_run_is_not_begun_again_but_extended(
    workbench: LocalWorkbench, config: Config, scripts: list[Script]
) -> None:
    workbench.start(config, preset="a")
    scripts[0].end.set()
    eventually(lambda: state(workbench, 1) == "completed")
    with pytest.raises(UsageError, match="more steps"):
        workbench.go_on()
    workbench.extend(500)
    eventually(lambda: state(workbench, 1) == "running")
    assert len(scripts) == 2


@pytest.mark.parametrize(
    ("step", "steps", "completed", "more", "end"),
    [(300, 600, True, 200, 500), (600, 600, True, 200, 800), (120, 600, False, 200, 800)],
)
def test_more_steps_are_counted_from_where_the_run_ends(
    step: int, steps: int, completed: bool, more: int, end: int
) -> None:
    assert end_of(step, steps, completed=completed) + more == end
    words = extension_words(str(more), step, steps, completed=completed)
    assert f"→ {end} steps" in words
    assert ("switched off" in words) is (completed and step < steps)


def test_commands_reach_the_run(workbench: LocalWorkbench, config: Config, scripts: list[Script]) -> None:
    workbench.start(config, preset="a")
    eventually(lambda: state(workbench, 1) == "running")
    workbench.checkpoint()
    workbench.evaluate()
    workbench.extend(100)
    workbench.scale_lr(0.5)
    eventually(lambda: workbench.snapshot().saved is not None and len(scripts[0].seen) == 3)
    assert sorted(scripts[0].seen) == ["evaluation", "extend 100", "lr"]


def test_weights_are_handed_over_with_their_step_and_configuration(
    workbench: LocalWorkbench, config: Config
) -> None:
    workbench.start(config, preset="a")
    eventually(lambda: state(workbench, 1) == "running")
    seen: list[local_workbench.Look] = []
    assert workbench.look(seen.append)
    eventually(lambda: len(seen) == 1)
    assert (seen[0].session, seen[0].config) == (workbench.snapshot().session, config)


def test_a_training_command_without_training_says_what_to_do(
    workbench: LocalWorkbench, config: Config
) -> None:
    with pytest.raises(UsageError, match="No run is open"):
        workbench.checkpoint()
    workbench.start(config, preset="a")
    eventually(lambda: state(workbench, 1) == "running")
    workbench.stop()
    eventually(lambda: state(workbench, 1) == "stopped")
    with pytest.raises(UsageError, match="Not training"):
        workbench.evaluate()
    assert not workbench.look(lambda _: None)


@pytest.mark.parametrize(
    ("error", "traceback"), [(SessionError("in use by another"), False), (RuntimeError("out of ideas"), True)]
)
def test_an_error_in_the_thread_is_shown_and_the_next_run_can_start(
    workbench: LocalWorkbench, config: Config, scripts: list[Script], error: Exception, traceback: bool
) -> None:
    workbench.start(config, preset="a")
    eventually(lambda: state(workbench, 1) == "running")
    scripts[0].error = error
    eventually(lambda: state(workbench, 1) == "failed")
    failure = workbench.snapshot().failure
    assert failure is not None
    assert str(error) in failure.message
    assert ("Traceback" in failure.traceback) is traceback
    workbench.start(config, preset="b")
    eventually(lambda: state(workbench, 2) == "running")


def test_nine_slots_and_no_more(workbench: LocalWorkbench, config: Config) -> None:
    for _ in range(9):
        workbench.start(config, preset="a")
    with pytest.raises(UsageError, match="close one"):
        workbench.start(config, preset="a")


def test_a_closed_slot_is_free_again_and_its_run_is_stopped(
    workbench: LocalWorkbench, config: Config, scripts: list[Script]
) -> None:
    workbench.start(config, preset="a")
    workbench.start(config, preset="b")
    eventually(lambda: state(workbench, 2) == "running")
    workbench.close_slot(2)
    assert [view.number for view in workbench.slots()] == [1]
    assert workbench.snapshot().slot == 1
    workbench.go_on()
    eventually(lambda: state(workbench, 1) == "running")
    assert workbench.start(config, preset="c") == 2


def test_a_run_whose_session_was_deleted_is_not_called_failed(
    workbench: LocalWorkbench, config: Config
) -> None:
    workbench.start(config, preset="a")
    eventually(lambda: state(workbench, 1) == "running")
    workbench.stop()
    eventually(lambda: state(workbench, 1) == "stopped")
    workbench.store.delete(workbench.snapshot().session)
    for command in (workbench.go_on, lambda: workbench.extend(100)):
        with pytest.raises(SessionError, match="in the trash"):
            command()
    assert state(workbench, 1) == "stopped"


def test_a_session_is_resumed_in_the_slot_that_holds_it(
    workbench: LocalWorkbench, config: Config, scripts: list[Script]
) -> None:
    session = stored(workbench, config)
    assert workbench.resume("kept") == 1
    eventually(lambda: state(workbench, 1) == "running")
    workbench.start(config, preset="b")
    eventually(lambda: state(workbench, 2) == "running")
    assert workbench.resume(session) == 1
    eventually(lambda: state(workbench, 1) == "running")
    with pytest.raises(SessionError, match="stop it first"):
        workbench.resume(session, checkpoint=10)


def test_a_session_that_does_not_exist_opens_no_slot(workbench: LocalWorkbench) -> None:
    with pytest.raises(TrmError):
        workbench.resume("nothing")
    assert workbench.slots() == ()


def test_a_replay_has_a_slot_of_its_own(workbench: LocalWorkbench, config: Config) -> None:
    stored(workbench, config)
    assert workbench.replay("kept") == 1
    assert workbench.slots()[0].title == "replay kept"


def test_a_log_line_goes_to_the_screen_and_to_the_session(workbench: LocalWorkbench, config: Config) -> None:
    session = stored(workbench, config)
    workbench.resume(session)
    workbench.log("info", "output: something was printed")
    assert workbench.snapshot().log[-1].message == "output: something was printed"
    assert workbench.store.get(session).events()[-1].message == "output: something was printed"


def test_stopping_all_ends_what_trains_waits_and_is_paused(workbench: LocalWorkbench, config: Config) -> None:
    for _ in range(3):
        workbench.start(config, preset="a")
    workbench.stop_all("signal 15")
    eventually(workbench.ended)
    assert {view.state for view in workbench.slots()} == {"stopped"}
