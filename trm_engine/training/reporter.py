"""What a run tells: events to its listeners, records to its session's metrics, lines to its log."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from trm_engine.learning.counters import Update
from trm_engine.learning.learner import Learner
from trm_engine.monitoring.monitor import Monitor, Sample
from trm_engine.sessions import Session
from trm_engine.training.control import Look
from trm_engine.training.events import Event, Listener, Listeners, Stepped, Warned
from trm_engine.training.throughput import Rate, Stopwatch, Window
from trm_engine.training.tracking.tracker import Trackers

_SECONDS_BETWEEN_EVENTS = 0.5


class Reporter:
    """Aggregates steps into records; what is not recorded is still told twice a second."""

    def __init__(
        self,
        session: Session,
        monitor: Monitor,
        stopwatch: Stopwatch,
        listeners: Sequence[Listener],
        clock: Callable[[], float] = time.monotonic,
        trackers: Trackers | None = None,
    ) -> None:
        self.rate = Rate()
        self._session = session
        self.monitor = monitor
        self._stopwatch = stopwatch
        self._tell = Listeners(listeners, lambda message: session.log("warning", message))
        self._trackers = trackers
        self._window = Window()
        self._clock = clock
        self._told_at = clock()
        self._busy_before: tuple[float, float] | None = None

    def observe(self, learner: Learner, updates: Sequence[Update]) -> None:
        """Take in the steps up to the present one, and tell of them when it is time."""
        counters, train = learner.counters, learner.config.train
        for update in updates:
            self._window.add(update, learner.rows)
        self.rate.see(self._stopwatch.seconds, counters.samples)
        if counters.step % train.log_every == 0 or counters.step >= train.steps:
            self._report(learner, recorded=True)
        elif self._clock() - self._told_at >= _SECONDS_BETWEEN_EVENTS:
            self._report(learner, recorded=False)

    def finish(self, learner: Learner) -> None:
        """Record the steps since the last record."""
        if self._window.steps:
            self._report(learner, recorded=True)

    def close_trackers(self) -> None:
        """Let the trackers end: nothing more is recorded."""
        if self._trackers is not None:
            self._trackers.close()
            self._warn_of_trackers()

    def forget(self, step: int) -> None:
        """Take back what came after `step`: the run resumes from there."""
        self._session.metrics.rewind(step)
        self._window = Window()

    def warn(self, code: str, message: str) -> None:
        """Say what a person should know, in the log too."""
        self._session.log("warning", message)
        self.emit(Warned(code, message))

    def emit(self, event: Event) -> None:
        """Tell the listeners; none of them can end the run."""
        self._tell(event)

    def show(self, receive: Look, learner: Learner) -> None:
        """Give who asked for them a copy of the averaged weights; what they do with it cannot end the run."""
        weights = learner.averaged_copy()
        try:
            receive(learner.counters.step, weights)
        except Exception as error:
            self._session.log("warning", f"copying the weights failed: {type(error).__name__}: {error}")

    def _report(self, learner: Learner, *, recorded: bool) -> None:
        counters = learner.counters
        sample = self.monitor.latest()
        event = Stepped(
            step=counters.step,
            steps=learner.config.train.steps,
            samples=counters.samples,
            **self._window.means(),
            lr=learner.lr,
            samples_per_second=self.rate.samples_per_second,
            seconds=self._stopwatch.seconds,
            eta_seconds=self.rate.eta_seconds(learner),
            rss_bytes=sample.rss_bytes,
            available_bytes=sample.available_bytes,
            cpu_percent=sample.cpu_percent,
            micro_batch=learner.config.micro_batch,
            loss_digest=counters.digest,
            device=str(learner.device),
            device_bytes=sample.device.held_bytes if sample.device else None,
            device_idle=self._idle(learner),
        )
        self._told_at = self._clock()
        if recorded:
            self._session.metrics.append({**event.to_dict(), **_machine(sample)})
            self._window = Window()
            busy = learner.busy_seconds
            self._busy_before = None if busy is None else (self._stopwatch.seconds, busy)
            self._warn_of_trackers()
        self.emit(event)

    def _warn_of_trackers(self) -> None:
        for problem in self._trackers.problems() if self._trackers is not None else ():
            self.warn("tracking", problem)

    def _idle(self, learner: Learner) -> float | None:
        """Return the share of the training time since the last record that the device did not compute."""
        busy = learner.busy_seconds
        if busy is None or self._busy_before is None:
            return None
        seconds = self._stopwatch.seconds - self._busy_before[0]
        computed = busy - self._busy_before[1]
        if seconds <= 0 or computed < 0:  # the latter: counted anew since a change of settings
            return None
        return min(max(1 - computed / seconds, 0.0), 1.0)


def _machine(sample: Sample) -> dict[str, object]:
    """Return what a record says of the machine beside the event's own figures: what is told, no more."""
    told: dict[str, object] = {
        "core_percents": [round(percent) for percent in sample.core_percents],
        "swap_used_bytes": sample.swap_used_bytes,
        "throttle_events": sample.throttle_events,
        "speed_limit_percent": sample.speed_limit_percent,
    }
    if sample.device is not None:
        told |= {
            "device_load_percent": sample.device.load_percent,
            "device_watts": sample.device.watts,
            "device_celsius": sample.device.celsius,
        }
    return {name: value for name, value in told.items() if value not in (None, [], 0)}
