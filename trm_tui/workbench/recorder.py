"""What the app knows of a run: engine events, aggregated under a lock into immutable snapshots.

The trainer's thread calls the recorder for every event; the app takes a snapshot a few times a second.
Nothing is posted per step, memory is bounded however long a run takes, and what has not changed is shared
between snapshots.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Literal

from trm_engine.decisions import Decision
from trm_engine.json_text import number_of
from trm_engine.text import safe_text
from trm_engine.training.events import Evaluated, Event, Finished, Paused, Saved, Started, Stepped, Warned
from trm_tui.shared.results import score, sentence
from trm_tui.workbench.charts.curves import CurveRecorder
from trm_tui.workbench.charts.figures import evaluation_curves
from trm_tui.workbench.snapshot import ENDED, Failure, LogLine, RunState, Severity, Snapshot

Asked = Literal["waiting", "pausing", "stopping"]
_FULFILLED: Mapping[Asked | None, frozenset[RunState]] = {
    "waiting": frozenset({"running", *ENDED}),
    "pausing": frozenset({"paused", *ENDED}),
    "stopping": ENDED,
}
"""Phases in which the engine has come to what was asked, or never will."""

_OF_STEPS = {
    "loss": "loss",
    "lm_loss": "lm_loss",
    "q_halt_loss": "q_halt_loss",
    "train_exact": "exact_accuracy",
    "train_cells": "cell_accuracy",
    "supervision_steps": "supervision_steps",
    "lr": "lr",
    "grad_norm": "grad_norm",
    "samples_per_second": "samples_per_second",
    "rss_bytes": "rss_bytes",
    "cpu_percent": "cpu_percent",
}

_STEPPED = tuple(field.name for field in fields(Stepped))
_NUMBERS = ("loss", "lr", "grad_norm", "samples_per_second", "seconds", "eta_seconds")
_LOG_LINES = 1000
_RATES = 120
_MAX_MESSAGE = 2000


def _clock() -> str:
    return datetime.now().strftime("%H:%M:%S")


class Recorder:
    """A listener of one slot's training, over all its sittings. Any thread may call any method."""

    def __init__(self, slot: int, title: str, session: str = "", clock: Callable[[], str] = _clock) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._now = Snapshot(slot=slot, title=safe_text(title), session=session, state="preparing")
        self._phase: RunState = "preparing"
        self._asked: Asked | None = None
        self._measured = evaluation_curves()
        self._curves = {name: CurveRecorder() for name in (*_OF_STEPS, *self._measured)}
        self._log: deque[LogLine] = deque(maxlen=_LOG_LINES)
        self._rates: deque[float] = deque(maxlen=_RATES)
        self._log_count = 0
        self._recorded = -1
        """The last step that the session has recorded."""
        self._recalled = 0
        """Lines of the session's own log that have been taken over."""
        self.trains = False
        """Whether a sitting has ever begun here: then its events tell of the run, and not its files."""
        self._changes = 0

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        with self._lock:
            for kind, take in self._TAKERS.items():
                if isinstance(event, kind):
                    take(self, event)
                    break
            self._changes += 1

    def snapshot(self) -> Snapshot:
        """Return everything as it is now; the same object while nothing changes."""
        with self._lock:
            if self._now.version != self._changes:
                curves = {name: curve.freeze() for name, curve in self._curves.items() if len(curve)}
                self._now = replace(
                    self._now,
                    version=self._changes,
                    curves=curves,
                    rates=tuple(self._rates),
                    log=tuple(self._log),
                    log_count=self._log_count,
                )
            return self._now

    def log(self, severity: Severity, message: str) -> None:
        """Add a line to the log."""
        with self._lock:
            self._write(severity, message)
            self._changes += 1

    def ask(self, asked: Asked | None, reason: str = "") -> None:
        """Note what a command wants of the run; shown as its state until the engine has come to it."""
        with self._lock:
            self._asked = asked
            self._move(self._phase, reason=safe_text(reason))

    def become(self, phase: RunState, reason: str = "") -> None:
        """Note how far the run has come, where no event of the engine says it."""
        with self._lock:
            self._move(phase, reason=safe_text(reason))

    def prepare(self, what: str, done: int, total: int) -> None:
        """Note how far the data is."""
        with self._lock:
            self._move(self._phase, preparing=(safe_text(what), done, total))

    def begin(self) -> None:
        """Begin a sitting: what ended the one before is over."""
        with self._lock:
            self._asked = None
            self.trains = True
            self._move("preparing", reason="", finished=None, failure=None, preparing=None, verdict="")

    def fail(self, message: str, traceback: str = "") -> None:
        """Note that an error ended the run."""
        with self._lock:
            failure = Failure(safe_text(message), safe_text(traceback))
            self._write("error", message)
            self._move("failed", failure=failure, eta_seconds=None, preparing=None)

    def judge(self, verdict: str, *, agrees: bool) -> None:
        """Note the outcome of a replay."""
        with self._lock:
            self._now = replace(self._now, verdict=safe_text(verdict))
            self._write("info" if agrees else "warning", verdict)
            self._changes += 1

    def remember(self, records: Iterable[Mapping[str, object]]) -> None:
        """Take over what a session recorded before this sitting (`Metrics.read()`), so that curves go on."""
        with self._lock:
            self._take_records(records)
            self._changes += 1

    def recall(
        self, records: Iterable[Mapping[str, object]], log: Sequence[LogLine], **fields: object
    ) -> None:
        """Show a session as its files tell it: records, log, and fields of `Snapshot`, its state among them.

        Nothing happens once a run trains here: its events are newer.
        """
        with self._lock:
            if self.trains:
                return
            self._take_records(records)
            new = log[self._recalled :]
            self._recalled = len(log)
            self._log.extend(new)
            self._log_count += len(new)
            state = fields.pop("state", self._phase)
            self._move(state, **fields)  # type: ignore[arg-type]  # callers name Snapshot's fields

    def describe(self, **fields: object) -> None:
        """Set fields of `Snapshot` that no event tells of."""
        with self._lock:
            self._move(self._phase, **fields)

    def _take_records(self, records: Iterable[Mapping[str, object]]) -> None:
        """Take over what a session recorded, in the place of all curves and figures so far."""
        samples = 0.0
        self._now = replace(self._now, evaluated=None, best=None)
        self._rates.clear()
        for curve in self._curves.values():
            curve.rewind(-1)
        for record in records:
            step = number_of(record.get("step"))
            if step is None:
                continue
            if record.get("event") == "step":
                samples = number_of(record.get("samples")) or samples
                figures = {name: record.get(source) for name, source in _OF_STEPS.items()}
                self._plot(step, samples, number_of(record.get("seconds")) or 0.0, figures)
                self._rates.append(number_of(record.get("samples_per_second")) or 0.0)
                self._recall_step(record)
            elif record.get("event") == "eval":
                measured = {name: n for name, value in record.items() if (n := number_of(value)) is not None}
                self._weigh(Evaluated(int(step), bool(record.get("final")), measured))
                seconds = measured.get("seconds_trained", 0.0)
                self._plot(step, samples, seconds, {name: record.get(name) for name in self._measured})

    def _recall_step(self, record: Mapping[str, object]) -> None:
        """Show a recorded step as the last one, until the run tells of another."""
        step = recorded_step(record)
        if step is None:
            return
        self._now = replace(
            self._now,
            step=step.step,
            steps=step.steps,
            samples=step.samples,
            seconds=step.seconds,
            latest=step,
            supervision_steps=step.supervision_steps or self._now.supervision_steps,
        )

    # --- events, under the lock -----------------------------------------------------------------------

    def _started(self, event: Started) -> None:
        decisions = tuple(
            Decision(*(safe_text(str(d.get(part, ""))) for part in ("subject", "choice", "reason")))
            for d in event.decisions
        )
        self._recorded = event.step
        for curve in self._curves.values():
            curve.rewind(event.step)
        self._move(
            "running",
            session=safe_text(event.session),
            preparing=None,
            step=event.step,
            steps=event.steps,
            parameters=event.parameters,
            config=event.config,
            hardware=event.hardware,
            facts={safe_text(name): safe_text(fact) for name, fact in event.data.items()},
            decisions=decisions,
        )
        verb = f"resumed at step {event.step:,}" if event.step else "started"
        self._write("info", f"{verb} · session {event.session} · {event.parameters:,} parameters")
        for decision in decisions:
            self._write("info", str(decision))

    def _stepped(self, event: Stepped) -> None:
        if event.step < self._now.step:  # the run rolled back to a checkpoint
            self._recorded = min(self._recorded, event.step - 1)
            for curve in self._curves.values():
                curve.rewind(event.step - 1)
        self._now = replace(
            self._now,
            step=event.step,
            steps=event.steps,
            samples=event.samples,
            seconds=event.seconds,
            eta_seconds=event.eta_seconds or None,
            latest=event,
            supervision_steps=event.supervision_steps or self._now.supervision_steps,
        )
        self._rates.append(event.samples_per_second)
        # What is told between two records is a mean over fewer steps, and gives way to the next: a curve that
        # was watched is the curve that is read from the files afterwards.
        for name in _OF_STEPS:
            self._curves[name].rewind(self._recorded)
        if self._is_recorded(event):
            self._recorded = event.step
        figures = {name: getattr(event, source) for name, source in _OF_STEPS.items()}
        self._plot(event.step, event.samples, event.seconds, figures)

    def _is_recorded(self, event: Stepped) -> bool:
        """Whether an event stands in the session's metrics too (`training.reporter`)."""
        config = self._now.config
        return config is None or event.step % config.train.log_every == 0 or event.step >= event.steps

    def _weigh(self, event: Evaluated) -> None:
        """Take an evaluation for the last, and for the best if it is."""
        best = self._now.best
        if best is None or score(event.figures) >= score(best.figures):
            best = event
        self._now = replace(self._now, evaluated=event, best=best)

    def _evaluated(self, event: Evaluated) -> None:
        self._weigh(event)
        self._now = replace(self._now, step=max(event.step, self._now.step))
        figures = {name: event.figures.get(name) for name in self._measured}
        self._plot(event.step, self._now.samples, self._now.seconds, figures)
        self._write("info", f"step {event.step:,}: {sentence(event.figures, final=event.final)}")

    def _saved(self, event: Saved) -> None:
        self._now = replace(self._now, saved=event, saved_at=self._clock())
        self._write("info", f"checkpoint {event.step:,} ({event.reason})")

    def _warned(self, event: Warned) -> None:
        self._write("warning", event.message)

    def _paused(self, event: Paused) -> None:
        self._move("paused" if event.paused else "running", preparing=None)
        self._write("info", f"paused at step {event.step:,}" if event.paused else "going on")

    def _finished(self, event: Finished) -> None:
        known: dict[str, RunState] = {"completed": "completed", "stopped": "stopped", "diverged": "diverged"}
        state = known.get(event.status, "failed")
        self._move(
            state,
            reason=safe_text(event.reason),
            finished=event,
            step=event.steps,
            samples=event.samples,
            seconds=event.seconds,
            eta_seconds=None,
        )
        self._write("error" if state == "diverged" else "info", f"{state}: {event.reason}")

    _TAKERS: Mapping[type[Event], Callable[..., None]] = {
        Stepped: _stepped,
        Started: _started,
        Evaluated: _evaluated,
        Saved: _saved,
        Warned: _warned,
        Paused: _paused,
        Finished: _finished,
    }

    def _move(self, phase: RunState, **fields: object) -> None:
        """Come to a phase; what was asked for stays the state as long as it is still to come."""
        self._phase = phase
        if phase in _FULFILLED.get(self._asked, frozenset()):
            self._asked = None
        fields["state"] = self._asked or phase
        self._now = replace(self._now, **fields)  # type: ignore[arg-type]  # callers name Snapshot's fields
        self._changes += 1

    def _plot(self, step: float, samples: float, seconds: float, figures: Mapping[str, object]) -> None:
        for name, value in figures.items():
            if (number := number_of(value)) is not None:
                self._curves[name].add(step, samples, seconds, number)

    def _write(self, severity: Severity, message: str) -> None:
        for line in safe_text(message)[:_MAX_MESSAGE].splitlines() or [""]:
            self._log.append(LogLine(self._clock(), severity, line))
            self._log_count += 1


def recorded_step(record: Mapping[str, object]) -> Stepped | None:
    """Return the record of a step as the event that it was written from; None where it is another."""
    if any(name not in record for name in _STEPPED):
        return None
    values = {name: record[name] for name in _STEPPED}
    # What was not finite is null in a file; these were numbers when they were told.
    values.update({name: math.nan for name in _NUMBERS if number_of(values[name]) is None})
    return Stepped(**values)  # type: ignore[arg-type]  # the names are the event's own
