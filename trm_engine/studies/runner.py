"""Runs what is left of a plan: trials side by side, each in a process of its own.

What is left is found in the sessions folder when it begins, and again for each trial when its turn comes; the
runner keeps nothing that its death could lose. A trial that dies is gone on with from its last checkpoint a
bounded number of times; one that diverges or cannot be run is listed with its reason.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from trm_engine.config import Config, dumps
from trm_engine.errors import DivergedError, FitError, SessionError, TrmError, UsageError
from trm_engine.sessions import Store
from trm_engine.studies.claims import Claim, Presence, claim
from trm_engine.studies.forecast import Forecast
from trm_engine.studies.launchers.base import ELSEWHERE, Launcher, Request, Running
from trm_engine.studies.plan import Plan, Trial
from trm_engine.studies.state import Found, look

RETRIES = 2
"""How often a trial that died is gone on with."""
_TICK = 1.0
_PATIENCE = 2.0
"""Seconds between looks at trials that others run."""

Emit = Callable[[Mapping[str, object]], None]


@dataclass
class _Job:
    """A trial in this runner's hands."""

    trial: Trial
    claim: Claim | None = None
    running: Running | None = None
    session: str = ""
    tries: int = 0
    resumed: bool = False
    step: int = 0
    reason: str = ""


@dataclass
class Outcome:
    """What became of the trials: names by how they ended, and why."""

    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    diverged: dict[str, str] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """Not begun, because the study was stopped."""

    @property
    def complete(self) -> bool:
        """Whether every trial has a result: finished, or known to diverge."""
        return not (self.failed or self.stopped or self.left)


class Runner:
    """Runs a plan in a sessions folder. `stop` may be called from a signal handler."""

    def __init__(
        self,
        store: Store,
        plan: Plan,
        launcher: Launcher,
        emit: Emit,
        *,
        forecast: Forecast,
        threads: int = 0,
        stop_after_failures: int = 0,
        retry_diverged: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.outcome = Outcome()
        self._store, self._plan, self._launcher, self._emit = store, plan, launcher, emit
        self._forecast = forecast
        self._threads = threads
        self._limit = stop_after_failures
        self._retry_diverged = retry_diverged
        self._now = now
        self._told: queue.SimpleQueue[tuple[str, Mapping[str, Any]]] = queue.SimpleQueue()
        self._waiting: list[_Job] = []
        self._elsewhere: list[_Job] = []
        self._active: dict[str, _Job] = {}
        self._looked_at = 0.0
        self._stopping = ""

    def stop(self, reason: str) -> None:
        """Ask for a clean end: trials are saved, and what is left can be run later."""
        self._stopping = self._stopping or reason
        self._told.put(("", {"event": "stop"}))

    def run(self) -> Outcome:
        """Run until nothing is left, or a stop. Raises `TrmError` where the folder cannot be written."""
        with Presence(self._store.root, self._plan.selection.name, [t.digest for t in self._plan.trials]):
            try:
                self._sort(look(self._store, self._plan.trials))
                self._say("study-started", trials=len(self._plan.trials), waiting=len(self._waiting))
                while self._active or self._elsewhere or self._waiting:
                    self._fill()
                    if self._stopping and not self._active:
                        break
                    self._hear()
            finally:
                self._end()
        return self.outcome

    # --- what is left -------------------------------------------------------------------------------------

    def _sort(self, found: Sequence[Found]) -> None:
        """Put trials where they belong: finished, given up, in others' hands, or waiting."""
        for one in found:
            if one.stage == "done":
                self._done(one)
            elif one.stage == "diverged" and not self._retry_diverged:
                self.outcome.diverged[one.trial.name] = "diverged in an earlier run"
            elif one.stage == "running":
                self._elsewhere.append(_Job(one.trial))
            else:
                self._waiting.append(_Job(one.trial))
        # The longest first: the last ones to end are short then, and no core waits long for another.
        self._waiting.sort(key=lambda job: -self._forecast.seconds(job.trial))

    def _done(self, found: Found) -> None:
        self.outcome.done.append(found.trial.name)
        self._forecast.finished(found.trial)

    # --- starting -----------------------------------------------------------------------------------------

    def _fill(self) -> None:
        self._look_elsewhere()
        while self._waiting and len(self._active) < self._launcher.slots and not self._stopping:
            if self._active and not self._forecast.has_room(
                self._waiting[0].trial, [job.trial for job in self._active.values()]
            ):
                return
            self._begin(self._waiting.pop(0))

    def _begin(self, job: _Job) -> None:
        held = claim(self._store.root, job.trial.digest)
        if held is None:
            self._elsewhere.append(job)
            return
        try:
            # Only now nobody else can begin it: what was seen before may be out of date.
            (found,) = look(self._store, [job.trial], claimed=True)
            if found.stage == "running":
                self._elsewhere.append(job)
            elif found.stage == "done":
                self._done(found)
            elif found.stage == "diverged" and not self._retry_diverged:
                self.outcome.diverged[job.trial.name] = "diverged in an earlier run"
            else:
                self._start(job, found, held)
                return
        except BaseException:
            held.release()
            raise
        held.release()

    def _start(self, job: _Job, found: Found, held: Claim) -> None:
        trial = job.trial
        config = self._with_threads(trial.config)
        request = Request(
            root=str(self._store.root.absolute()),
            preset=trial.experiments[0],
            name=trial.name,
            config=dumps(config),
            threads=config.runtime.threads or 1,
        ).continuing(found)
        resume = request.resume
        job.claim, job.tries, job.resumed, job.session = held, job.tries + 1, bool(resume), resume
        self._active[trial.digest] = job
        self._forecast.began(trial)

        def tell(event: Mapping[str, Any]) -> None:
            self._told.put((trial.digest, event))

        self._say("trial-started", trial=trial.name, session=resume, resumed=job.resumed, attempt=job.tries)
        job.running = self._launcher.start(request, held, tell)

    def _with_threads(self, config: Config) -> Config:
        """Leave the other trials their cores, unless a configuration says itself how many it takes."""
        if config.runtime.threads or not self._threads:
            return config
        return config.model_copy(
            update={"runtime": config.runtime.model_copy(update={"threads": self._threads})}
        )

    # --- hearing ------------------------------------------------------------------------------------------

    def _hear(self) -> None:
        try:
            digest, event = self._told.get(timeout=_TICK)
        except queue.Empty:
            return
        if event["event"] == "stop":
            for job in self._active.values():
                if job.running is not None:
                    job.running.stop()
            return
        job = self._active[digest]
        kind = event["event"]
        if kind == "started":
            job.session = str(event["session"])
            self._say("trial-session", trial=job.trial.name, session=job.session)
        elif kind == "step":
            job.step = int(event["step"])
            self._forecast.stepped(job.trial, job.step)
            self._progress(job)
        elif kind in ("eval", "warning"):
            self._say(
                f"trial-{kind}", trial=job.trial.name, **{k: v for k, v in event.items() if k != "event"}
            )
        elif kind == "finished":
            job.reason = str(event["reason"])
        elif kind == "ended":
            self._ended(job, int(event["code"]), str(event["why"]))

    def _ended(self, job: _Job, code: int, why: str) -> None:
        trial = job.trial
        del self._active[trial.digest]
        assert job.claim is not None
        job.claim.release()
        why = why or job.reason or f"exit code {code}"
        if code == ELSEWHERE:
            self._elsewhere.append(_Job(trial, tries=job.tries - 1))
            return
        if code == 0:
            self.outcome.done.append(trial.name)
            self._forecast.finished(trial)
            self._say("trial-finished", trial=trial.name, session=job.session)
        elif code == DivergedError.exit_code:
            self.outcome.diverged[trial.name] = why
            self._say("trial-diverged", trial=trial.name, session=job.session, reason=why)
        elif self._stopping or code in (130, 143):
            self.outcome.stopped.append(trial.name)
            self._say("trial-stopped", trial=trial.name, session=job.session)
        else:
            self._again_or_failed(job, code, why)
        if self._limit and len(self.outcome.failed) + len(self.outcome.diverged) >= self._limit:
            self.stop(f"{self._limit} trials failed")

    def _again_or_failed(self, job: _Job, code: int, why: str) -> None:
        trial = job.trial
        if code == SessionError.exit_code and job.resumed:
            self._discard(job.session)
        hopeless = code in (UsageError.exit_code, FitError.exit_code)
        if job.tries > RETRIES or hopeless:
            self.outcome.failed[trial.name] = why
            self._say("trial-failed", trial=trial.name, session=job.session, reason=why)
            return
        self._say("trial-retried", trial=trial.name, session=job.session, reason=why)
        self._waiting.insert(0, _Job(trial, tries=job.tries))

    def _discard(self, session: str) -> None:
        """Put away a session that cannot be gone on with, such as one killed before its first checkpoint."""
        try:
            self._store.delete(session)
        except TrmError:
            return  # it is in use, or gone already

    # --- trials of others ---------------------------------------------------------------------------------

    def _look_elsewhere(self) -> None:
        """See what became of trials that others run: finished, or left behind for us."""
        if not self._elsewhere or self._now() - self._looked_at < _PATIENCE:
            return
        self._looked_at = self._now()
        jobs, self._elsewhere = self._elsewhere, []
        by_digest = {job.trial.digest: job for job in jobs}
        for found in look(self._store, [job.trial for job in jobs]):
            job = by_digest[found.trial.digest]
            if found.stage == "running":
                self._elsewhere.append(job)
            elif found.stage == "done":
                self._done(found)
            elif found.stage == "diverged" and not self._retry_diverged:
                self.outcome.diverged[job.trial.name] = "diverged in another runner's hands"
            else:
                self._waiting.append(job)

    # --- telling ------------------------------------------------------------------------------------------

    def _progress(self, job: _Job) -> None:
        self._say(
            "progress",
            trial=job.trial.name,
            step=job.step,
            steps=job.trial.config.train.steps,
            done=len(self.outcome.done),
            running=len(self._active),
            waiting=len(self._waiting),
            trials=len(self._plan.trials),
            eta_seconds=self._forecast.eta(
                [one.trial for one in self._active.values()], [one.trial for one in self._waiting]
            ),
        )

    def _say(self, event: str, **facts: object) -> None:
        with suppress(OSError):  # whoever listened may have gone; the trials go on
            self._emit({"event": event, **facts})

    def _end(self) -> None:
        """Let go of whatever is left: trials still running save themselves."""
        for job in self._active.values():
            if job.running is not None:
                job.running.stop()
        self._launcher.close()
        self.outcome.left = [job.trial.name for job in [*self._waiting, *self._elsewhere]]
        self._say(
            "study-finished",
            done=len(self.outcome.done),
            failed=self.outcome.failed,
            diverged=self.outcome.diverged,
            stopped=self.outcome.stopped,
            left=self.outcome.left,
            reason=self._stopping,
        )
