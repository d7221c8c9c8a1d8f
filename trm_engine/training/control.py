"""The one object through which a running training is told what to do, and asks whether it may compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

Look: TypeAlias = "Callable[[int, Mapping[str, Tensor]], None]"
"""Receives a step and a copy of the averaged weights at it, by name; called in the trainer's thread."""


class Next(Enum):
    """What a run is to do next."""

    CONTINUE = "continue"
    STOP = "stop"
    """Save and end; a step or an evaluation under way is given up."""
    UNDO = "undo"
    """Give up the step or the evaluation under way, and go on with a smaller one."""


class Gate(Protocol):
    """Decides whether a run may compute where several share a machine; asked in the trainer's own thread."""

    def claim(self, wake: Callable[[], None]) -> bool:
        """Return whether the run may compute now; else `wake` is called when it is worth asking again."""

    def give_back(self) -> None:
        """Let another run compute; nothing happens where this one did not."""


class OpenGate:
    """The gate of a run that shares the machine with no other."""

    def claim(self, wake: Callable[[], None]) -> bool:  # noqa: ARG002  # nobody else ever has the turn
        """Return true."""
        return True

    def give_back(self) -> None:
        """Do nothing: nobody waits."""


@dataclass
class Control:
    """Requests to a training run, made from any thread or signal handler and looked at by the trainer.

    A signal handler may interrupt the trainer anywhere, also inside a lock. So every request is a plain
    assignment, and a trainer that waits is woken through a `SimpleQueue`, whose `put` is reentrant.

    Whether a run is paused is known here and nowhere else: `paused` is what was asked for, `resting` whether
    the trainer has come to it (it has saved, and waits in `await_turn`).
    """

    gate: Gate = field(default_factory=OpenGate)
    stop_reason: str | None = None
    signal_number: int = 0
    paused: bool = False
    resting: bool = False
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
        self.wake()  # one that was about to go on gives its turn back

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

    @property
    def asks(self) -> bool:
        """Whether anything was asked for that waits to be done between two steps."""
        return bool(
            self.stopping
            or self.paused
            or self._checkpoint
            or self._evaluate
            or self._extra_steps
            or self._lr_factors
            or self._looks
        )

    def poll(self, *, undo: bool = False) -> Next:
        """Return what is to be done next, and do nothing; `undo` says that memory asks for a smaller step.

        The trainer asks this in the condition of its loop and between micro-batches.
        """
        # Before memory: a run that ends anyway need not shrink first.
        if self.stopping:
            return Next.STOP
        return Next.UNDO if undo else Next.CONTINUE

    def await_turn(
        self, told: Callable[[bool], None] = lambda _: None, meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        """Wait while the run is paused, then until the gate lets it compute; a stop ends the waiting.

        The one place at which a trainer waits for anybody. `told(True)` is called before it rests, while it
        may still compute (to save), and `told(False)` when it goes on; neither is where there is nothing to
        wait for. `meanwhile` is called first, and again whenever something was asked for.
        """
        if not self.paused or self.stopping:
            return
        told(True)
        self.resting = True
        # `meanwhile` before the wait: what was asked before the pause is served too, and no wake is lost,
        # for the queue keeps those that come between the two.
        while not self._may_go_on():
            meanwhile()
            self._woken.get()
        self.resting = False
        told(False)

    def _may_go_on(self) -> bool:
        # Asked anew after every wake: a pause may come between the turn's being given and its being taken.
        # Then the turn goes back, or no other run would get it.
        if self.stopping:
            return True
        if self.paused:
            self.gate.give_back()
            return False
        return self.gate.claim(self.wake)

    def wake(self) -> None:
        """Have a trainer that waits look again at what is asked of it."""
        self._woken.put(None)

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
