"""What the parts of one training run share."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from trm_engine.compute.group import Group
from trm_engine.config import Config
from trm_engine.hardware import Hardware, detect
from trm_engine.json_text import number_of
from trm_engine.learning.learner import Learner
from trm_engine.monitoring.monitor import Monitor
from trm_engine.monitoring.slowdowns import PerformanceWatch
from trm_engine.sessions import Session
from trm_engine.training.control import Control
from trm_engine.training.events import Listener
from trm_engine.training.memory_policy import MemoryKeeper
from trm_engine.training.reporter import Reporter
from trm_engine.training.throughput import Stopwatch
from trm_engine.training.tracking.tracker import PATIENCE
from trm_engine.tuning.gemm_rate import with_gemm_rate

Progress = Callable[[str, int, int], None]


def this_machine(config: Config) -> Hardware:
    """Return this machine, with the rate from which times are predicted where anything may be measured."""
    hardware = detect(with_torch=True)
    return with_gemm_rate(hardware) if config.runtime.tuning == "auto" else hardware


@dataclass(frozen=True)
class Since:
    """Where a sitting has begun: the session, its step, and the seconds that it had trained."""

    session: str
    step: int
    seconds: float

    @classmethod
    def noted(cls, group: Group) -> Since | None:
        """Return what ranks that were started again have noted before; None for a first start."""
        noted = group.noted()
        return None if noted is None else cls(**json.loads(noted))


@dataclass(frozen=True)
class Sitting:
    """How a run is driven and watched, whichever way it begins.

    `seconds` and `steps` bound this sitting (a clean, resumable stop); `progress` hears how the data is
    prepared: (what, done, total). `machine` says what the run trains on, `monitor` watches it, and `clock`
    paces the events. `group`: the processes that train together, if there are several; this one leads.
    `patience`: the seconds that its end waits for trackers at most.
    """

    control: Control
    listeners: Sequence[Listener] = ()
    seconds: float | None = None
    steps: int | None = None
    progress: Progress | None = None
    machine: Callable[[Config], Hardware] = this_machine
    monitor: Callable[..., Monitor] = Monitor
    clock: Callable[[], float] = time.monotonic
    group: Group | None = None
    patience: float = PATIENCE

    @property
    def ranks(self) -> int:
        """Processes that train together."""
        return self.group.place.size if self.group else 1

    @property
    def local_ranks(self) -> int:
        """Those of them on this machine."""
        return self.group.place.local_size if self.group else 1

    def begin(self, session: str, step: int, seconds: float) -> Since:
        """Note what is trained from where, for ranks that are started again; return where it first began."""
        if self.group is None:
            return Since(session, step, seconds)
        since = Since.noted(self.group)
        if since is None or since.session != session:
            since = Since(session, step, seconds)
            self.group.note(json.dumps(asdict(since)))
        return since


@dataclass(frozen=True)
class Past:
    """What a run brings along from its sittings before this one."""

    seconds: float = 0.0
    rollbacks: int = 0

    @classmethod
    def parse(cls, saved: Mapping[str, object]) -> Past:
        """Return what a checkpoint's state says; what it lacks is zero."""
        return cls(number_of(saved.get("seconds")) or 0.0, int(number_of(saved.get("rollbacks")) or 0))


@dataclass(frozen=True)
class Run:
    """A learner that trains, who commands it, what watches it, and where it is told and written down."""

    learner: Learner
    session: Session
    control: Control
    memory: MemoryKeeper
    slowdowns: PerformanceWatch
    stopwatch: Stopwatch
    reporter: Reporter

    @property
    def step(self) -> int:
        """Steps taken since the session's beginning."""
        return self.learner.counters.step

    def warn_of_shortages(self) -> None:
        """Say once what is short or slow, as the monitor's thread has found it."""
        if (warning := self.memory.take_warning()) is not None:
            self.reporter.warn("memory-high", warning)
        for slowdown in self.slowdowns.take(self.reporter.rate.samples_per_second):
            self.reporter.warn(slowdown.code, slowdown.message)
