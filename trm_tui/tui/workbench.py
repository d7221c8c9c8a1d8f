"""The open experiments: slots 1–9, each a session with its own control, thread and recorder; at most one trains.

No Textual here. Every command returns at once; what comes of it is seen in the next snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from engine.config import Config
from engine.hardware import Hardware, Sample
from engine.runs import Store
from trm_tui.tui.recorder import RunState, Snapshot

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
    """What the screens drive. Commands without a slot act on the active one, and do nothing where they cannot."""

    store: Store

    def slots(self) -> tuple[SlotView, ...]:
        """Return the open slots by number."""

    def snapshot(self) -> Snapshot:
        """Return what there is to show of the active slot; `recorder.EMPTY` when none is open."""

    def machine(self) -> Sample:
        """Return the latest sample of CPU and memory, also when nothing trains."""

    def hardware(self) -> Hardware | None:
        """Return the machine as detected (or the profile chosen), None until that is known. Does not wait."""

    def start(self, config: Config, *, preset: str, name: str = "") -> int:
        """Train a configuration in a new slot, make that active and return it. The running one is paused.

        Raises `UsageError` when all slots are taken.
        """

    def resume(self, ref: str, *, checkpoint: int | None = None, overrides: Sequence[str] = ()) -> int:
        """Go on with a session in a new slot (or the one that holds it), make that active and return it."""

    def replay(self, ref: str) -> int:
        """Replay a session in a new slot, make that active and return it; see `Snapshot.verdict`."""

    def switch(self, slot: int) -> bool:
        """Make a slot active: save and pause the run that trains, let this one go on. False if it is not open."""

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
        """Add steps to the active run; one that has completed is resumed."""

    def scale_lr(self, factor: float) -> None:
        """Multiply the learning rate from the next step on; recorded in the session's history."""

    def look(self, receive: Callable[[Look], None]) -> bool:
        """Have `receive` called once, in another thread, with the active run's weights; False if none is live."""

    def close_slot(self, slot: int) -> None:
        """Save and end a slot's run and free the slot."""

    def close(self, *, save: bool = True, timeout: float | None = None) -> bool:
        """Stop everything and wait for the threads. Without `save`, what came after the last checkpoints is lost.

        Returns whether all threads have ended.
        """
