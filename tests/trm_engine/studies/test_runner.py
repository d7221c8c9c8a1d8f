"""The runner with trials that are no processes: what it starts, and what it makes of how they end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tiny import STUDY, write_study

from trm_engine.sessions import Store
from trm_engine.studies.catalogue import select
from trm_engine.studies.claims import Claim, claim, is_claimed
from trm_engine.studies.forecast import Forecast
from trm_engine.studies.launchers.base import Request, Tell
from trm_engine.studies.plan import Plan, build_plan
from trm_engine.studies.runner import Outcome, Runner
from trm_engine.studies.state import look

Play = Callable[[Request], int]


class FakeTrial:
    def stop(self) -> None:
        pass


class FakeLauncher:
    """Plays each trial to its end when it is started: writes its session and tells its exit code."""

    def __init__(self, store: Store, plan: Plan, play: Play | None = None, slots: int = 1) -> None:
        self.slots = slots
        self.requests: list[Request] = []
        self._store, self._play = store, play or (lambda _: 0)
        self._digests = {trial.name: trial.digest for trial in plan.trials}

    def start(self, request: Request, claim: Claim, tell: Tell) -> FakeTrial:
        self.requests.append(request)
        code = self._play(request)
        session = request.resume or self._begun(request)
        tell({"event": "started", "session": session})
        status = {0: "completed", 5: "diverged"}.get(code, "stopped")
        self._store.get(session).update(status=status, trial=self._digests[request.name])
        tell({"event": "ended", "code": code, "why": f"code {code}"})
        return FakeTrial()

    def close(self) -> None:
        pass

    def _begun(self, request: Request) -> str:
        with self._store.create(request.config, request.preset, trial=self._digests[request.name]) as session:
            return session.id


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "sessions")


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return build_plan(select(str(write_study(tmp_path, STUDY))))


def ran(
    store: Store, plan: Plan, play: Play | None = None, **options: Any
) -> tuple[Outcome, FakeLauncher, list[Mapping[str, object]]]:
    launcher, told = FakeLauncher(store, plan, play), list[Mapping[str, object]]()
    outcome = Runner(store, plan, launcher, told.append, forecast=Forecast(None, 1), **options).run()
    return outcome, launcher, told


def test_every_trial_runs_once_and_never_again(store: Store, plan: Plan) -> None:
    outcome, launcher, told = ran(store, plan)
    assert sorted(outcome.done) == ["ta-s0", "ta-s1", "tb-s0", "tb-s1"]
    assert len(launcher.requests) == 4
    assert told[0]["event"] == "study-started"
    assert told[-1]["event"] == "study-finished"
    outcome, launcher, _ = ran(store, plan)
    assert len(outcome.done) == 4
    assert not launcher.requests


def test_a_trial_that_dies_is_gone_on_with_a_bounded_number_of_times(store: Store, plan: Plan) -> None:
    outcome, launcher, _ = ran(store, plan, lambda request: -9 if request.name == "ta-s0" else 0)
    assert outcome.failed == {"ta-s0": "code -9"}
    tries = [request for request in launcher.requests if request.name == "ta-s0"]
    assert len(tries) == 3
    assert [bool(request.resume) for request in tries] == [False, True, True]
    assert len({request.resume for request in tries[1:]}) == 1


def test_a_study_that_is_run_again_goes_on_from_the_session_it_left(store: Store, plan: Plan) -> None:
    ran(store, plan, lambda _: 143)
    assert {one.stage for one in look(store, plan.trials)} == {"begun"}
    outcome, launcher, _ = ran(store, plan)
    assert len(outcome.done) == 4
    assert all(request.resume for request in launcher.requests)
    assert len(store.list()) == 4


def test_what_diverges_is_listed_and_not_tried_again(store: Store, plan: Plan) -> None:
    diverges: Play = lambda request: 5 if request.name == "tb-s1" else 0  # noqa: E731  # a word for a line
    outcome, launcher, _ = ran(store, plan, diverges)
    assert list(outcome.diverged) == ["tb-s1"]
    assert len(launcher.requests) == 4
    outcome, launcher, _ = ran(store, plan)
    assert (list(outcome.diverged), launcher.requests) == (["tb-s1"], [])
    outcome, launcher, _ = ran(store, plan, retry_diverged=True)
    assert len(outcome.done) == 4


def test_failures_end_a_study_that_says_so(store: Store, plan: Plan) -> None:
    outcome, launcher, told = ran(store, plan, lambda _: 2, stop_after_failures=2)
    assert len(outcome.failed) == 2
    assert len(outcome.left) == 2
    assert told[-1]["reason"] == "2 trials failed"


def test_a_session_that_cannot_be_gone_on_with_is_put_away(store: Store, plan: Plan) -> None:
    ran(store, plan, lambda _: 143)
    outcome, _, _ = ran(store, plan, lambda request: 3 if request.resume else 0)
    assert len(outcome.done) == 4
    assert len(store.trash()) == 4


def test_a_trial_that_others_run_is_left_to_them(store: Store, plan: Plan) -> None:
    """Its claim stands until they give it up; then it is taken over."""
    digest = plan.trials[0].digest
    held = claim(store.root, digest)
    assert held is not None
    assert claim(store.root, digest) is None

    def play(request: Request) -> int:
        assert request.name != plan.trials[0].name or not is_claimed_by_others
        return 0

    is_claimed_by_others = True
    clock = iter(range(0, 10_000, 3))

    def emit(event: Mapping[str, object]) -> None:
        nonlocal is_claimed_by_others
        if event["event"] == "trial-finished" and is_claimed_by_others and len(runner.outcome.done) == 3:
            held.release()
            is_claimed_by_others = False

    launcher = FakeLauncher(store, plan, play)
    runner = Runner(store, plan, launcher, emit, forecast=Forecast(None, 1), now=lambda: float(next(clock)))
    assert len(runner.run().done) == 4
    assert not is_claimed(store.root, digest)


def test_more_steps_go_on_from_what_is_finished(store: Store, plan: Plan, tmp_path: Path) -> None:
    ran(store, plan)
    longer = build_plan(plan.selection, overrides=["train.steps=30"])
    outcome, launcher, _ = ran(store, longer)
    assert len(outcome.done) == 4
    assert all(request.resume and request.overrides == ("train.steps=30",) for request in launcher.requests)


def test_more_seeds_are_new_trials(store: Store, plan: Plan) -> None:
    ran(store, plan)
    _, launcher, _ = ran(store, build_plan(plan.selection, seeds=3))
    assert sorted(request.name for request in launcher.requests) == ["ta-s2", "tb-s2"]
