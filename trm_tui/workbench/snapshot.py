"""Everything that the screens show of one run, at one moment, as immutable values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from trm_engine.config import Config, MemoryConfig
from trm_engine.config.kinds import LearnerKind, kind_for_task, kind_of
from trm_engine.decisions import Decision
from trm_engine.training.events import Evaluated, Finished, Saved, Stepped
from trm_tui.workbench.charts.curves import Curve

RunState = Literal[
    "empty",  # no run in this slot
    "waiting",  # for the run that trains to be saved and paused
    "preparing",  # data being generated or read, torch loading
    "running",
    "pausing",  # asked to pause; still finishing a step
    "paused",
    "stopping",  # asked to stop; still saving
    "stopped",
    "completed",
    "diverged",
    "failed",
    "elsewhere",  # trained by another process, followed in the session's files
]
ACTIVE: frozenset[RunState] = frozenset({"waiting", "preparing", "running", "pausing", "paused", "stopping"})
"""States of a run that has not ended."""
ENDED: frozenset[RunState] = frozenset({"stopped", "completed", "diverged", "failed"})
"""States of a run that has."""

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class LogLine:
    """One line of the event log; `message` has been through `safe_text`."""

    time: str
    """Local time, HH:MM:SS."""
    severity: Severity
    message: str


@dataclass(frozen=True)
class Failure:
    """What ended a run against its will, for people. Both texts are safe to show."""

    message: str
    traceback: str = ""
    """Empty where the message says it all."""


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
    """Training seconds over all sittings."""
    eta_seconds: float | None = None
    parameters: int = 0
    config: Config | None = None
    """What the run began with; None before it began."""
    hardware: Mapping[str, object] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the task says of its data."""
    decisions: tuple[Decision, ...] = ()
    latest: Stepped | None = None
    supervision_steps: float | None = None
    """Steps that puzzles took until they halted, where last any did."""
    evaluated: Evaluated | None = None
    """The last evaluation."""
    best: Evaluated | None = None
    """The evaluation with the highest exact accuracy, or the lowest loss."""
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
        """Whether the run has not ended: it trains, is paused, prepares or saves."""
        return self.state in ACTIVE

    @property
    def kind(self) -> LearnerKind:
        """What kind of learner trains; that of most before the configuration is known."""
        return kind_of(self.config) if self.config is not None else kind_for_task("")

    @property
    def memory_settings(self) -> MemoryConfig | None:
        """How much memory the run may have; None before its configuration is known."""
        return self.config.memory if self.config is not None else None

    def curve(self, name: str) -> Curve:
        """Return a curve; an empty one where nothing was recorded."""
        return self.curves.get(name, _NO_CURVE)


_NO_CURVE = Curve()
EMPTY = Snapshot()
