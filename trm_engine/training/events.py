"""What a training run tells its listeners (the command line, the app, the session's files)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import ClassVar

from trm_engine.config import Config
from trm_engine.errors import TrmError


@dataclass(frozen=True)
class Event:
    """Something that happened in a run; `event` is its name in JSON output."""

    event: ClassVar[str]

    def to_dict(self) -> dict[str, object]:
        """Return the event as a JSON object's members, its name first."""
        return {"event": self.event, **{f.name: getattr(self, f.name) for f in fields(self)}}


@dataclass(frozen=True)
class Started(Event):
    """The run begins at `step` of `steps`."""

    event: ClassVar[str] = "started"
    session: str
    step: int
    steps: int
    parameters: int
    config: Config
    hardware: Mapping[str, object]
    data: Mapping[str, str]
    decisions: list[Mapping[str, str]]

    def to_dict(self) -> dict[str, object]:
        """Write the configuration as tables."""
        return {**super().to_dict(), "config": self.config.model_dump()}


@dataclass(frozen=True)
class Stepped(Event):
    """Progress: means over the steps since the last record; accuracies of training rows that halted.

    None is what there is not: accuracies where no row has halted, and all that is of puzzles for a text.
    """

    event: ClassVar[str] = "step"
    step: int
    steps: int
    samples: int
    loss: float
    lm_loss: float | None
    q_halt_loss: float | None
    exact_accuracy: float | None
    cell_accuracy: float | None
    supervision_steps: float | None
    lr: float
    grad_norm: float
    samples_per_second: float
    seconds: float
    eta_seconds: float
    rss_bytes: int | None
    available_bytes: int | None
    cpu_percent: float | None
    micro_batch: int
    loss_digest: str
    device: str = "cpu"
    """Where it computes."""
    device_bytes: int | None = None
    """Memory held on a graphics processor."""
    device_idle: float | None = None
    """Share of the time since the last record in which that waited for its next step; None: not known."""


@dataclass(frozen=True)
class Evaluated(Event):
    """Accuracy on held-out puzzles, or loss on held-out text, at `step`; `final`: on all, at the end."""

    event: ClassVar[str] = "eval"
    step: int
    final: bool
    figures: Mapping[str, float]

    def to_dict(self) -> dict[str, object]:
        """Put the figures on the object itself."""
        return {"event": self.event, "step": self.step, "final": self.final, **self.figures}


@dataclass(frozen=True)
class Warned(Event):
    """Something a person should know; `code` is stable, the message is prose."""

    event: ClassVar[str] = "warning"
    code: str
    message: str


@dataclass(frozen=True)
class Saved(Event):
    """A checkpoint is on disk."""

    event: ClassVar[str] = "checkpoint"
    step: int
    reason: str


@dataclass(frozen=True)
class Paused(Event):
    """The run was paused, or goes on."""

    event: ClassVar[str] = "paused"
    step: int
    paused: bool


@dataclass(frozen=True)
class Finished(Event):
    """The run ended. `seconds` and `samples_per_second` are of training alone, over all its sittings."""

    event: ClassVar[str] = "finished"
    session: str
    status: str
    reason: str
    steps: int
    samples: int
    seconds: float
    samples_per_second: float
    weights_sha256: str
    eval: Mapping[str, float] = field(default_factory=dict)
    resources: Mapping[str, object] = field(default_factory=dict)
    exit_code: int = 0
    """What a command ends with: 5 when training diverged, 6 when memory ran out (saved, resumable)."""


Listener = Callable[[Event], None]


class Listeners:
    """Tells everyone who listens. What one of them raises is noted, once, and never touches the run.

    `note` receives the sentence for the session's log.
    """

    def __init__(self, listeners: Sequence[Listener], note: Callable[[str], None]) -> None:
        self._listeners = tuple(listeners)
        self._note = note
        self._failed: set[int] = set()

    def __call__(self, event: Event) -> None:
        """Tell of an event; a listener that has failed is told of the next one all the same."""
        for number, listener in enumerate(self._listeners):
            self._tell(number, listener, event)

    def _tell(self, number: int, listener: Listener, event: Event) -> None:
        try:
            listener(event)
        except (Exception, SystemExit) as error:  # a console library exits on a broken pipe
            if number in self._failed:
                return
            self._failed.add(number)
            reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            with suppress(TrmError):  # a log that cannot be written is found out by the run itself
                self._note(f"a listener failed at the event {event.event}; the run continues: {reason}")
