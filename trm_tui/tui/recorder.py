"""What the app knows of a run: engine events, aggregated under a lock into immutable snapshots.

The trainer's thread calls the recorder for every event; the app takes a snapshot a few times a second. Nothing is
posted per step, memory is bounded however long a run takes, and what has not changed is shared between snapshots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.training.events import Decision, Evaluated, Finished, Saved, Stepped

RunState = Literal[
    "empty",  # no run in this slot
    "preparing",  # data being generated or read, torch loading
    "running",
    "pausing",  # asked to pause; still finishing a step
    "paused",
    "stopping",  # asked to stop; still saving
    "stopped",
    "completed",
    "diverged",
    "failed",
]
ACTIVE: frozenset[RunState] = frozenset({"preparing", "running", "pausing", "paused", "stopping"})
"""States of a run that has a thread."""

Severity = Literal["info", "warning", "error"]

CURVES = (
    "loss", "lm_loss", "q_halt_loss", "train_exact", "train_cells", "supervision_steps", "lr", "grad_norm",
    "samples_per_second", "rss_bytes", "cpu_percent", "exact_accuracy", "cell_accuracy", "mean_steps",
)  # fmt: skip
"""Names of the curves: figures of training, then (the last three) of evaluation on held-out puzzles."""

XAxis = Literal["step", "samples", "seconds"]


@dataclass(frozen=True)
class Curve:
    """One figure over a run, decimated to a bounded number of points; the four sequences have one length."""

    steps: Sequence[float] = ()
    samples: Sequence[float] = ()
    seconds: Sequence[float] = ()
    """Training seconds (pauses and evaluation not counted)."""
    values: Sequence[float] = ()

    def __len__(self) -> int:
        return len(self.values)

    def x(self, axis: XAxis) -> Sequence[float]:
        """Return the points' places on an axis."""
        return {"step": self.steps, "samples": self.samples, "seconds": self.seconds}[axis]


@dataclass(frozen=True)
class LogLine:
    """One line of the event log; `message` has been through `safe_text`."""

    time: str
    """Local time, HH:MM:SS."""
    severity: Severity
    message: str


@dataclass(frozen=True)
class Failure:
    """An exception that ended a run, for people: what, the traceback, and what was saved."""

    message: str
    traceback: str
    saved_step: int | None


@dataclass(frozen=True)
class Snapshot:
    """Everything the screens show of one run, at one moment."""

    version: int = 0
    """Grows with every change: equal versions of one slot are equal snapshots."""
    slot: int = 0
    """The slot's number, 1 … 9; 0 when no slot is open."""
    title: str = ""
    session: str = ""
    """The session's id; empty until it exists."""
    state: RunState = "empty"
    reason: str = ""
    """Why it ended or is stopping."""
    preparing: tuple[str, int, int] | None = None
    """(what, done, total) while data is prepared."""
    step: int = 0
    steps: int = 0
    samples: int = 0
    seconds: float = 0.0
    eta_seconds: float | None = None
    parameters: int = 0
    config: Mapping[str, object] = field(default_factory=dict)
    """The configuration by section, as `Config.model_dump()` gives it."""
    hardware: Mapping[str, object] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the task says of its data."""
    decisions: tuple[Decision, ...] = ()
    latest: Stepped | None = None
    evaluated: Evaluated | None = None
    """The last evaluation."""
    best: Evaluated | None = None
    """The evaluation with the highest exact accuracy."""
    saved: Saved | None = None
    """The last checkpoint."""
    saved_at: str = ""
    """Local time of it, HH:MM:SS."""
    finished: Finished | None = None
    failure: Failure | None = None
    verdict: str = ""
    """Of a replay: whether every loss agreed."""
    curves: Mapping[str, Curve] = field(default_factory=dict)
    rates: tuple[float, ...] = ()
    """The latest samples a second, oldest first, for a sparkline."""
    log: tuple[LogLine, ...] = ()
    """The newest lines, oldest first."""
    log_count: int = 0
    """Lines ever written; what is beyond `len(log)` has been dropped from the front."""

    @property
    def active(self) -> bool:
        """Whether the run has a thread (trains, is paused, prepares or saves)."""
        return self.state in ACTIVE


EMPTY = Snapshot()
