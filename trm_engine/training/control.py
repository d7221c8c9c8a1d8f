"""The one object through which a running training is told what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

Look: TypeAlias = "Callable[[int, Mapping[str, Tensor]], None]"
"""Receives a step and a copy of the averaged weights at it, by name; called in the trainer's thread."""


@dataclass
class Control:
    """Requests to a training run, made from any thread or signal handler and looked at by the trainer.

    A signal handler may interrupt the trainer anywhere, also inside a lock. So every request is a plain
    assignment, and a trainer that waits is woken through a `SimpleQueue`, whose `put` is reentrant.
    """

    stop_reason: str | None = None
    signal_number: int = 0
    paused: bool = False
    _checkpoint: bool = False
    _evaluate: bool = False
    _extra_steps: list[int] = field(default_factory=list)
    _lr_factors: list[float] = field(default_factory=list)
    _looks: list[Look] = field(default_factory=list)
    _woken: SimpleQueue[None] = field(default_factory=SimpleQueue)

    def stop(self, reason: str = "asked to stop") -> None:
        """Ask for a clean, resumable stop."""
        self.stop_reason = reason
        self.wake()

    def stop_by_signal(self, number: int) -> None:
        """Ask for a clean stop because signal `number` arrived; safe in a signal handler."""
        self.signal_number = number
        self.stop_reason = f"signal {int(number)}"
        self.wake()

    def pause(self) -> None:
        """Hold the run where it is."""
        self.paused = True

    def resume(self) -> None:
        """Let a paused run go on."""
        self.paused = False
        self.wake()

    def checkpoint(self) -> None:
        """Ask for a checkpoint after the current step."""
        self._checkpoint = True

    def evaluate(self) -> None:
        """Ask for an evaluation after the current step."""
        self._evaluate = True

    def extend(self, steps: int) -> None:
        """Add steps to the run."""
        self._extra_steps.append(steps)

    def scale_lr(self, factor: float) -> None:
        """Multiply the learning rate from the next step on."""
        self._lr_factors.append(factor)

    def look(self, receive: Look) -> None:
        """Ask for a copy of the averaged weights, also of a paused run."""
        self._looks.append(receive)
        self.wake()

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self.stop_reason is not None

    def hold(
        self, on_pause: Callable[[bool], None] = lambda _: None, meanwhile: Callable[[], None] = lambda: None
    ) -> bool:
        """Block while paused, telling `on_pause` at both ends; return whether the run is to stop.

        `meanwhile` is called first, and again whenever something was asked for.
        """
        if self._waits():
            on_pause(True)
            while self._waits():
                meanwhile()
                self.wait()
            on_pause(False)
        return self.stopping

    def wait(self) -> None:
        """Block until `wake` is called, or return at once where it was since the last wait."""
        self._woken.get()

    def wake(self) -> None:
        """Have a trainer that waits look again at what is asked of it."""
        self._woken.put(None)

    def _waits(self) -> bool:
        return self.paused and not self.stopping

    def take_checkpoint(self) -> bool:
        """Return whether a checkpoint was asked for since the last call."""
        asked, self._checkpoint = self._checkpoint, False
        return asked

    def take_evaluation(self) -> bool:
        """Return whether an evaluation was asked for since the last call."""
        asked, self._evaluate = self._evaluate, False
        return asked

    def take_extension(self) -> int:
        """Return the steps to add since the last call."""
        total = 0
        while self._extra_steps:
            total += self._extra_steps.pop()
        return total

    def take_lr_factor(self) -> float:
        """Return what to multiply the learning rate with since the last call."""
        factor = 1.0
        while self._lr_factors:
            factor *= self._lr_factors.pop()
        return factor

    def take_looks(self) -> list[Look]:
        """Return who has asked for the weights since the last call."""
        taken = []
        while self._looks:
            taken.append(self._looks.pop())
        return taken
