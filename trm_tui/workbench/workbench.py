"""The open experiments as the screens see them: slots 1–9, of which at most one trains. No Textual here.

Every command returns at once; what comes of it is seen in a later snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from trm_engine.config import Config
from trm_engine.hardware import Hardware
from trm_engine.monitoring.monitor import Sample
from trm_engine.sessions import Store
from trm_tui.workbench.snapshot import RunState, Severity, Snapshot

if TYPE_CHECKING:
    import torch

MAX_SLOTS = 9


@dataclass(frozen=True)
class SlotView:
    """What the header shows of a slot."""

    number: int
    title: str
    state: RunState
    session: str
    active: bool
    """Is it the one on screen?"""


@dataclass(frozen=True)
class Look:
    """A copy of a run's averaged weights at one step, to be looked at elsewhere."""

    session: str
    step: int
    config: Config
    weights: Mapping[str, torch.Tensor]


class Workbench(Protocol):
    """What the screens drive. Commands without a slot act on the active one.

    A command that cannot be carried out raises a `TrmError` that says why (`screen.trm.guard` shows it).
    """

    store: Store

    def slots(self) -> tuple[SlotView, ...]:
        """Return the open slots by number."""

    def snapshot(self) -> Snapshot:
        """Return what there is to show of the active slot; `recorder.EMPTY` when none is open."""

    def machine(self) -> Sample:
        """Return the latest sample of CPU and memory, also when nothing trains."""

    def hardware(self) -> Hardware | None:
        """Return the machine as detected (or the profile chosen), None until that is known. Does not wait."""

    def start(self, config: Config, *, preset: str, name: str = "", ranks: int = 1) -> int:
        """Train a configuration in a new slot, make that active and return it. The running one is paused.

        `ranks`: processes that share its rows; the first of them is this one.
        Raises `UsageError` when all slots are taken.
        """

    def resume(
        self, ref: str, *, checkpoint: int | None = None, overrides: Sequence[str] = (), ranks: int = 1
    ) -> int:
        """Go on with a session in a new slot (or the one that holds it), make that active and return it."""

    def fork(self, ref: str, *, checkpoint: int | None = None) -> int:
        """Train on from a session's newest checkpoint, or that of a step, as a new session in a new slot."""

    def replay(self, ref: str) -> int:
        """Replay a session in a new slot, make that active and return it; see `Snapshot.verdict`."""

    def switch(self, slot: int) -> bool:
        """Show a slot; nothing starts, stops or changes by that. Returns False if it is not open."""

    def view(self, ref: str) -> int:
        """Show a session without training it, in a slot, and follow its files; return the slot."""

    def retitle(self, session: str, title: str) -> None:
        """Call the slot of a session by another name; nothing where no slot holds it."""

    def pause(self) -> None:
        """Hold the active run after its step, and save it."""

    def go_on(self) -> None:
        """Let the active run go on, resumed from disk if it had stopped; whichever trains is paused."""

    def stop(self, reason: str = "stopped by hand") -> None:
        """Save the active run and end it; it can be resumed."""

    def checkpoint(self) -> None:
        """Save a checkpoint after the current step."""

    def evaluate(self) -> None:
        """Measure on held-out puzzles after the current step."""

    def extend(self, steps: int) -> None:
        """Add steps to the active run; one that has ended is resumed for them."""

    def scale_lr(self, factor: float) -> None:
        """Multiply the learning rate from the next step on; recorded in the session's history."""

    def look(self, receive: Callable[[Look], None]) -> bool:
        """Have `receive` called once, in the run's thread, with the active run's weights; False if none."""

    def log(self, severity: Severity, message: str) -> None:
        """Add a line to the active run's log, on screen and in its session."""

    def close_slot(self, slot: int) -> None:
        """Save and end a slot's run and free the slot."""

    def stop_all(self, reason: str) -> None:
        """Ask every run to save and end; none begins any more."""

    def ended(self) -> bool:
        """Whether no run's thread is left."""

    def close(self, timeout: float | None = None) -> bool:
        """Stop everything, wait for the threads and return whether all have ended."""
