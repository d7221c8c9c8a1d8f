"""Trials on other machines: what a job does of its own accord, and what its runner hears of it."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tiny import STUDY, write_study

from trm_engine.config import dumps
from trm_engine.errors import SessionError, UsageError
from trm_engine.sessions import Store
from trm_engine.studies.catalogue import select
from trm_engine.studies.claims import claim, claim_away, is_claimed
from trm_engine.studies.launchers.away import Messages, run_away
from trm_engine.studies.launchers.base import ELSEWHERE, Request
from trm_engine.studies.launchers.choose import launcher
from trm_engine.studies.launchers.followed import FollowedTrial
from trm_engine.studies.launchers.local import Local
from trm_engine.studies.plan import Trial, build_plan
from trm_engine.studies.state import look
from trm_engine.studies.stop import stop_trial


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "sessions")


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return build_plan(select(str(write_study(tmp_path, STUDY)))).trials[0]


def _request(store: Store, trial: Trial, resume: str = "") -> Request:
    return Request(str(store.root), "ta", trial.name, dumps(trial.config), resume, threads=2)


def _session(store: Store, trial: Trial, status: str) -> str:
    with store.create(dumps(trial.config), "ta", trial=trial.digest) as session:
        session.update(status=status)
        return session.id


def test_a_request_travels_as_text(store: Store, trial: Trial) -> None:
    request = Request("/s", "p", "n", "c", "r", ("train.steps=3",), 4)
    assert Request.from_json(request.to_json()) == request


def test_a_trial_away_is_claimed_by_itself_and_by_its_runner(store: Store, trial: Trial) -> None:
    runner = claim(store.root, trial.digest)
    job = claim_away(store.root, trial.digest)
    assert runner is not None
    assert job is not None
    assert claim_away(store.root, trial.digest) is None
    runner.release()  # the runner is killed: the trial is running all the same
    assert claim(store.root, trial.digest) is None
    assert is_claimed(store.root, trial.digest)
    assert [one.stage for one in look(store, [trial])] == ["running"]
    job.release()
    assert not is_claimed(store.root, trial.digest)


def test_a_job_that_waited_for_long_looks_what_is_left(store: Store, trial: Trial) -> None:
    held = claim_away(store.root, trial.digest)
    assert held is not None
    assert run_away(_request(store, trial).to_json())[0] == ELSEWHERE
    held.release()
    diverged = _session(store, trial, "diverged")
    assert run_away(_request(store, trial).to_json())[0] == 5
    _session(store, trial, "completed")
    assert run_away(_request(store, trial, diverged).to_json()) == (0, "")
    assert len(store.list()) == 2


class Job:
    """A job that has ended, or waits for ever."""

    def __init__(self, outcome: Callable[[], tuple[int, str]] | None = None) -> None:
        self.outcome = outcome
        self.cancelled = False

    def done(self) -> bool:
        return self.outcome is not None

    def result(self) -> tuple[int, str]:
        assert self.outcome is not None
        return self.outcome()

    def cancel(self) -> None:
        self.cancelled = True
        self.outcome = _lost


def _lost() -> tuple[int, str]:
    raise RuntimeError("the worker died\nunexpectedly")


def _heard(told: queue.SimpleQueue[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    events = [told.get(timeout=60)]
    while events[-1]["event"] != "ended":
        events.append(told.get(timeout=60))
    return events


@pytest.fixture
def messages(tmp_path: Path) -> Messages:
    messages = Messages(tmp_path, "d-1")
    messages.clear()
    return messages


def test_a_runner_hears_what_a_trial_tells_and_how_it_ended(messages: Messages) -> None:
    told: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
    messages.tell({"event": "started", "session": "s"})
    messages.tell({"event": "finished", "reason": "last step reached"})
    FollowedTrial(Job(lambda: (6, "no memory")), messages, told.put)
    assert [event["event"] for event in _heard(told)] == ["started", "finished", "ended"]
    assert not messages.events.exists()


def test_a_job_that_is_lost_ends_its_trial(messages: Messages) -> None:
    told: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
    FollowedTrial(Job(_lost), messages, told.put)
    assert _heard(told) == [
        {"event": "ended", "code": 1, "why": "the job was lost: RuntimeError: the worker died unexpectedly"}
    ]


@pytest.mark.parametrize("begun", [True, False])
def test_stopping_asks_who_has_begun_and_takes_back_who_has_not(messages: Messages, begun: bool) -> None:
    told: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
    job = Job()
    trial = FollowedTrial(job, messages, told.put)
    if begun:
        messages.tell({"event": "started", "session": "s"})
    trial.stop()
    assert messages.stop_asked() or job.cancelled
    assert job.cancelled is not begun
    job.outcome = (lambda: (143, "")) if begun else _lost
    assert _heard(told)[-1]["code"] == 143


@pytest.mark.parametrize(("where", "package"), [("ray", "ray"), ("slurm", "submitit"), ("ray://h:1", "ray")])
def test_a_missing_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UsageError, match=rf'{package}, which is not installed: pip install "trm-tui\[\w+\]"'):
        launcher(where, tmp_path, 1)


def test_a_trial_elsewhere_is_stopped_by_its_name(tmp_path: Path, store: Store, trial: Trial) -> None:
    session = _session(store, trial, "stopped")
    messages = Messages(store.root, trial.digest)
    messages.clear()
    with pytest.raises(SessionError, match="not running on this machine"):
        stop_trial(store, str(tmp_path / "tiny.toml"), trial.name)
    held = claim_away(store.root, trial.digest)
    assert held is not None
    assert stop_trial(store, str(tmp_path / "tiny.toml"), trial.name) == session
    assert messages.stop_asked()
    held.release()


def test_a_place_is_local_unless_it_is_named(tmp_path: Path) -> None:
    assert isinstance(launcher("local", tmp_path, 3), Local)
    with pytest.raises(UsageError, match=r'slurm or slurm:local, and not on "moon"'):
        launcher("moon", tmp_path, 1)
