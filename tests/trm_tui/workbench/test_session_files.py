"""A session shown from its files: finished, foreign, growing; and forked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trm_tui.fake_engine import stepped
from trm_engine.config import Config, dumps
from trm_engine.errors import SessionError, UsageError
from trm_engine.sessions import Session, Store
from trm_tui.workbench.local_workbench import LocalWorkbench
from trm_tui.workbench.recorder import Recorder
from trm_tui.workbench.session_files import SessionFiles


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "sessions")


@pytest.fixture
def session(store: Store, config: Config) -> Iterator[Session]:
    """A session that another run holds, with some records."""
    with store.create(dumps(config), "sudoku-6x6", name="baseline") as made:
        for step in (10, 20, 30):
            made.metrics.append(stepped(step).to_dict())
        made.metrics.append({"event": "eval", "step": 20, "final": False, "exact_accuracy": 0.5})
        made.log("info", "decision: threads: 4 (the physical cores)")
        made.update(status="running")
        yield made


def read(store: Store, session: Session) -> Recorder:
    recorder = Recorder(1, "?")
    SessionFiles(store, session.id, recorder).read()
    return recorder


def test_a_session_that_another_process_trains_is_shown(store: Store, session: Session) -> None:
    now = read(store, session).snapshot()
    assert (now.state, now.title, now.step, now.steps) == ("elsewhere", "baseline", 30, 3000)
    assert now.latest is not None
    assert now.latest.loss == pytest.approx(stepped(30).loss)
    assert list(now.curve("loss").steps) == [10, 20, 30]
    assert now.best is not None
    assert now.best.figures["exact_accuracy"] == 0.5
    assert now.log[-1].message == "decision: threads: 4 (the physical cores)"
    assert [(d.subject, d.choice, d.reason) for d in now.decisions] == [
        ("threads", "4", "the physical cores")
    ]
    assert now.config is not None
    assert "process" in now.reason


def test_what_is_added_is_followed(store: Store, session: Session) -> None:
    recorder = Recorder(1, "?")
    files = SessionFiles(store, session.id, recorder)
    files.read()
    before = recorder.snapshot()
    files.read()
    assert recorder.snapshot() is before, "what has not changed is not read again"
    session.metrics.append(stepped(40).to_dict())
    session.log("warning", "memory is short")
    files.read()
    now = recorder.snapshot()
    assert (now.step, list(now.curve("loss").steps)) == (40, [10, 20, 30, 40])
    assert [line.message for line in now.log].count("decision: threads: 4 (the physical cores)") == 1, (
        "no line comes twice"
    )
    assert now.log[-1].severity == "warning"


def test_a_rewind_takes_points_away(store: Store, session: Session) -> None:
    recorder = Recorder(1, "?")
    files = SessionFiles(store, session.id, recorder)
    files.read()
    session.metrics.rewind(10)
    session.metrics.append(stepped(15).to_dict())
    files.read()
    assert list(recorder.snapshot().curve("loss").steps) == [10, 15]


def test_files_say_no_more_once_a_run_trains_here(store: Store, session: Session) -> None:
    recorder = Recorder(1, "here")
    recorder.begin()
    SessionFiles(store, session.id, recorder).read()
    assert (recorder.snapshot().title, recorder.snapshot().state) == ("here", "preparing")


def test_an_interrupted_session_says_so(store: Store, session: Session) -> None:
    session.close()
    now = read(store, session).snapshot()
    assert (now.state, now.reason) == ("stopped", "unsaved")


def test_looking_opens_a_slot_and_trains_nothing(store: Store, session: Session) -> None:
    workbench = LocalWorkbench(store)
    assert workbench.view("baseline") == 1
    assert workbench.view(session.id) == 1, "the slot that holds it is shown again"
    assert workbench.ended(), "no run's thread was begun"
    with pytest.raises(UsageError):
        workbench.go_on()
    workbench.close_slot(1)
    assert workbench.slots() == ()


def test_what_another_process_runs_opens_no_slot_to_train_in(store: Store, session: Session) -> None:
    workbench = LocalWorkbench(store)
    with pytest.raises(SessionError, match="in use by"):
        workbench.resume(session.id)
    assert workbench.slots() == ()


def test_a_replay_without_records_opens_no_slot(store: Store, config: Config) -> None:
    store.create(dumps(config), "sudoku-6x6", name="blank").close()
    workbench = LocalWorkbench(store)
    with pytest.raises(UsageError, match="nothing to replay"):
        workbench.replay("blank")
    assert workbench.slots() == ()


def test_two_slots_of_one_name_are_told_apart(store: Store, config: Config) -> None:
    ids = []
    for _ in range(2):
        with store.create(dumps(config), "sudoku-6x6", name="twin") as made:
            ids.append(made.id)
    workbench = LocalWorkbench(store)
    for found in ids:
        workbench.view(found)
    titles = [slot.title for slot in workbench.slots()]
    assert titles == [f"twin ·{found[-4:]}" for found in ids]
    workbench.retitle(ids[0], "other")
    assert [slot.title for slot in workbench.slots()] == ["other", "twin"]
