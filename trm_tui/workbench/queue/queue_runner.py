"""Runs what is queued, one after another, through a workbench, whose scheduler decides which run trains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from trm_engine.config import Config
from trm_engine.errors import TrmError
from trm_tui.workbench.queue.queue_file import Queued, QueueFile, queued
from trm_tui.workbench.snapshot import ACTIVE, ENDED
from trm_tui.workbench.workbench import MAX_SLOTS, SlotView, Workbench

Stage = Literal["waiting", "running", "paused", "stopped", "failed"]


@dataclass(frozen=True)
class Place:
    """A queued run as a list shows it."""

    run: Queued
    stage: Stage


class QueueRunner:
    """Starts the next run when nothing trains. All calls come from one thread, `step` again and again.

    A run that a person pauses or stops holds the queue: a key that frees the machine must not start the next.
    Runs of others (`n`, `r`) come first: what they displaced goes on after them.
    """

    def __init__(self, workbench: Workbench, file: QueueFile) -> None:
        self.file = file
        self._workbench = workbench
        self._going = False
        self._run: Queued | None = None
        self._slot = 0
        self._displaced = False
        self.waiting = 0
        """Runs that are still to begin, as was last seen."""
        self._seen = 0
        self._resting: frozenset[int] = frozenset()
        """Slots that were paused before the queue was started: they hold nothing."""

    @property
    def going(self) -> bool:
        """Whether the next run is started when nothing trains."""
        return self._going

    def places(self) -> list[Place]:
        """Return what is queued, in its order. Reads the disk."""
        self._seen = self.file.version
        places = [Place(run, self._stage(run)) for run in self.file.read()]
        self.waiting = sum(place.stage in ("waiting", "stopped") for place in places)
        return places

    def add(self, runs: Sequence[tuple[Config, str, str]]) -> int:
        """Queue runs (configuration, preset, name), and start the queue; return how many are queued."""
        count = self.file.add([queued(*run) for run in runs])
        if not self._going:
            self.go()
        self.places()
        return count

    def go(self) -> None:
        """Start the queue. Raises `SessionError` where another process runs it."""
        if self._going:
            return
        self.file.claim()
        self._going = True
        self._resting = frozenset(s.number for s in self._workbench.slots() if s.state == "paused")

    def hold(self) -> None:
        """Start no further run; the one that trains goes on."""
        self._going = False
        self.file.release()

    def step(self) -> list[str]:
        """Look at the run that trains, and start the next where it is time; return what to tell."""
        try:
            if self.file.version != self._seen:  # another process may have written it
                self.places()
            told = self._follow() if self._run is not None else []
            if self._going and self._run is None and not self._busy():
                told += self._next()
        except TrmError as error:
            self.hold()
            return [f"queue held: {error}"]
        return told

    # --- the run that trains ------------------------------------------------------------------------------

    def _follow(self) -> list[str]:
        run, slot = self._run, self._own_slot()
        assert run is not None
        if slot is None:
            return self._held(f"{run.title} was closed")
        if slot.session and slot.session != run.session:
            self.file.note(run.id, session=slot.session)
            self._run = run = replace(run, session=slot.session)
        if slot.state in ACTIVE:
            self._bring_back(run, slot)
            return []
        if slot.state == "stopped":
            return self._held(f"{run.title} was stopped")
        self._run = None
        if slot.state == "completed":
            self.file.remove(run.id)
            return []
        self.file.note(run.id, problem=slot.state)
        return [f"queue: {run.title} {slot.state}; the next is started"]

    def _bring_back(self, run: Queued, slot: SlotView) -> None:
        """Let the run go on after another that took its turn has ended; what a person paused stays paused."""
        others = [s for s in self._workbench.slots() if s.number != slot.number and _trains(s)]
        if slot.state in ("pausing", "paused") and others:
            self._displaced = True
        elif slot.state == "paused" and self._displaced and self._going:
            self._displaced = False
            self._unseen(lambda: self._workbench.resume(run.session))
        elif slot.state == "running":
            self._displaced = False

    def _held(self, why: str) -> list[str]:
        self._run = None
        if not self._going:
            return []
        self.hold()
        return [f"queue held: {why}"]

    def _own_slot(self) -> SlotView | None:
        run = self._run
        found = next((s for s in self._workbench.slots() if s.number == self._slot), None)
        # A slot is used again: once the session is known, another one in it is another run.
        if found is None or (run and run.session and found.session not in ("", run.session)):
            return None
        return found

    # --- the next -----------------------------------------------------------------------------------------

    def _busy(self) -> bool:
        """Whether a run trains, or was paused by hand since the queue was started."""
        return any(
            s.state in ACTIVE and not (s.state == "paused" and s.number in self._resting)
            for s in self._workbench.slots()
        )

    def _next(self) -> list[str]:
        run = next((run for run in self.file.read() if not run.problem), None)
        if run is None:
            self.hold()
            self.waiting = 0
            return ["the queue is finished"]
        try:
            from trm_engine.tasks.availability import availability  # not before the app's first frame

            config = run.read()
            if missing := availability(config.task).sentence:
                self.file.note(run.id, problem=missing)
                return [f"queue: {run.title}: {missing}"]
            self._make_room()
            self._unseen(lambda: self._begin(run, config))
        except TrmError as error:
            self.file.note(run.id, problem=str(error))
            return [f"queue: {run.title}: {error}"]
        self._run = run
        self.places()
        return []

    def _begin(self, run: Queued, config: Config) -> None:
        if run.session:
            self._slot = self._workbench.resume(run.session)
        else:
            self._slot = self._workbench.start(config, preset=run.preset, name=run.name)

    def _make_room(self) -> None:
        """Close the first slot whose run has ended, where all are taken; what it holds is on disk."""
        slots = self._workbench.slots()
        ended = [s for s in slots if s.state in ENDED]
        if len(slots) == MAX_SLOTS and ended:
            self._workbench.close_slot(next((s for s in ended if not s.active), ended[0]).number)

    def _unseen(self, begin: Callable[[], object]) -> None:
        """Begin a run without taking the screen from another that is looked at."""
        before = self._slot
        seen = next((s.number for s in self._workbench.slots() if s.active), None)
        begin()
        # Who watched the queue's last run goes with the queue; who looks at another one stays there.
        if seen is not None and seen not in (before, self._slot):
            self._workbench.switch(seen)

    def _stage(self, run: Queued) -> Stage:
        if run.problem:
            return "failed"
        if self._run is not None and run.id == self._run.id:
            slot = self._own_slot()
            return "paused" if slot is not None and slot.state == "paused" else "running"
        return "stopped" if run.session else "waiting"


def _trains(slot: SlotView) -> bool:
    return slot.state in ("waiting", "preparing", "running", "stopping")
