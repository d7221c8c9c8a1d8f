"""The one object through which a running training is told what to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

_PAUSE_POLL_SECONDS = 0.05


@dataclass
class Control:
    """Requests to a training run, made from any thread or signal handler and polled by the trainer.

    Every request is a plain assignment: a signal handler may interrupt the trainer anywhere, also inside a
    lock.
    """

    stop_reason: str | None = None
    signal_number: int = 0
    paused: bool = False
    _checkpoint: bool = False
    _extra_steps: list[int] = field(default_factory=list)

    def stop(self, reason: str = "asked to stop") -> None:
        """Ask for a clean, resumable stop."""
        self.stop_reason = reason

    def stop_by_signal(self, number: int) -> None:
        """Ask for a clean stop because signal `number` arrived; safe in a signal handler."""
        self.signal_number = number
        self.stop_reason = f"signal {number}"

    def pause(self) -> None:
        """Hold the run where it is."""
        self.paused = True

    def resume(self) -> None:
        """Let a paused run go on."""
        self.paused = False

    def checkpoint(self) -> None:
        """Ask for a checkpoint after the current step."""
        self._checkpoint = True

    def extend(self, steps: int) -> None:
        """Add steps to the run."""
        self._extra_steps.append(steps)

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self.stop_reason is not None

    def hold(self, on_pause: Callable[[bool], None] = lambda _: None) -> bool:
        """Block while paused, telling `on_pause` at both ends; return whether the run is to stop."""
        if self.paused and not self.stopping:
            on_pause(True)
            while self.paused and not self.stopping:
                time.sleep(_PAUSE_POLL_SECONDS)
            on_pause(False)
        return self.stopping

    def take_checkpoint(self) -> bool:
        """Return whether a checkpoint was asked for since the last call."""
        asked, self._checkpoint = self._checkpoint, False
        return asked

    def take_extension(self) -> int:
        """Return the steps to add since the last call."""
        total = 0
        while self._extra_steps:
            total += self._extra_steps.pop()
        return total
