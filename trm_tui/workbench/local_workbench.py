"""The workbench of this machine: experiments in threads of this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from trm_engine.config import Config
from trm_engine.errors import SessionError, TrmError, UsageError
from trm_engine.hardware import Hardware, detect
from trm_engine.monitoring.monitor import Monitor, Sample
from trm_engine.sessions import Session, Store
from trm_tui.workbench.experiment import Experiment
from trm_tui.workbench.extension import extension
from trm_tui.workbench.jobs import Job, replay_job, resume_job, start_job
from trm_tui.workbench.scheduler import Scheduler
from trm_tui.workbench.snapshot import EMPTY, RunState, Severity, Snapshot
from trm_tui.workbench.workbench import MAX_SLOTS, Look, SlotView

_HAS_LEARNER: frozenset[RunState] = frozenset({"running", "pausing", "paused"})


class LocalWorkbench:
    """See `Workbench`, whose protocol it follows. All commands come from one thread, the app's."""

    def __init__(self, store: Store, hardware: Hardware | None = None) -> None:
        self.store = store
        self._hardware = hardware
        self._experiments: dict[int, Experiment] = {}
        self._closed: list[Experiment] = []
        self._active = 0
        self._scheduler = Scheduler()
        self._monitor = Monitor()
        self._detecting = threading.Thread(target=self._detect, name="detect-hardware", daemon=True)

    def open(self) -> None:
        """Begin to watch the machine."""
        self._monitor.start()
        self._detecting.start()

    def slots(self) -> tuple[SlotView, ...]:
        """Return the open slots by number."""
        return tuple(
            SlotView(number, e.title, e.state, e.session, number == self._active)
            for number, e in sorted(self._experiments.items())
        )

    def snapshot(self) -> Snapshot:
        """Return what there is to show of the active slot."""
        active = self._experiments.get(self._active)
        return active.recorder.snapshot() if active else EMPTY

    def machine(self) -> Sample:
        """Return the latest sample of CPU and memory."""
        return self._monitor.latest()

    def hardware(self) -> Hardware | None:
        """Return the machine, None until it is known."""
        return self._hardware

    # --- what begins a run ----------------------------------------------------------------------------

    def start(self, config: Config, *, preset: str, name: str = "", ranks: int = 1) -> int:
        """Train a configuration in a new slot."""
        job = start_job(self.store, config, preset=preset, name=name, ranks=ranks)
        return self._open(name or preset, job, ranks=ranks)

    def resume(
        self, ref: str, *, checkpoint: int | None = None, overrides: Sequence[str] = (), ranks: int = 1
    ) -> int:
        """Go on with a session."""
        with self._scheduler.moving:
            session = self.store.get(ref)
            job = resume_job(self.store, session.id, checkpoint=checkpoint, overrides=overrides, ranks=ranks)
            held = next((e for e in self._experiments.values() if e.session == session.id), None)
            if held is None:
                return self._open(_title(session), job, session.id, ranks=ranks)
            if held.alive and (checkpoint is not None or overrides):
                raise SessionError(f"session {session.id} is open in slot {held.number}: stop it first (x)")
            self._active = held.number
            if not held.alive:
                held.job = job
            self._take_turn(held)
            return held.number

    def replay(self, ref: str) -> int:
        """Replay a session in a new slot."""
        session = self.store.get(ref)
        return self._open(f"replay {_title(session)}", replay_job(self.store, session.id))

    def switch(self, slot: int) -> bool:
        """Make a slot active and let its run go on."""
        with self._scheduler.moving:
            chosen = self._experiments.get(slot)
            if chosen is None:
                return False
            if slot != self._active:
                self._active = slot
                if chosen.state in ("paused", "pausing", "waiting"):
                    self._take_turn(chosen)
            return True

    def go_on(self) -> None:
        """Let the active run go on, resumed from disk if it had ended."""
        with self._scheduler.moving:
            chosen = self._chosen()
            snapshot = chosen.recorder.snapshot()
            if snapshot.state == "stopping":
                raise UsageError("saving; try again when it is done")
            if not chosen.alive and chosen.job is None:
                if not snapshot.session:
                    raise SessionError("nothing was saved before it stopped; start it again (n)")
                if snapshot.state == "completed":
                    raise UsageError("this run is complete; + extends it")
                chosen.job = resume_job(self.store, snapshot.session, ranks=chosen.ranks)
            self._take_turn(chosen)

    def extend(self, steps: int) -> None:
        """Add steps to the active run; one that has ended is resumed for them."""
        with self._scheduler.moving:
            chosen = self._chosen()
            snapshot = chosen.recorder.snapshot()
            if chosen.job is not None:
                raise UsageError("queued; wait until it starts")
            if chosen.alive:
                chosen.control.extend(steps)
                chosen.recorder.log("info", f"{steps:,} more steps")
                return
            if not snapshot.session:
                raise SessionError("nothing was saved before it stopped; start it again (n)")
            overrides = extension(
                max(snapshot.steps, snapshot.step + steps),
                reached_target=snapshot.state == "completed" and snapshot.step < snapshot.steps,
            )
            chosen.job = resume_job(self.store, snapshot.session, overrides=overrides, ranks=chosen.ranks)
            self._take_turn(chosen)

    # --- what acts on a run ---------------------------------------------------------------------------

    def pause(self) -> None:
        """Hold the active run after its step, and save it."""
        with self._scheduler.moving:
            self._chosen().pause()

    def stop(self, reason: str = "stopped by hand") -> None:
        """Save the active run and end it."""
        self._end(self._chosen(), reason)

    def checkpoint(self) -> None:
        """Save a checkpoint after the current step."""
        self._learning().control.checkpoint()

    def evaluate(self) -> None:
        """Measure on held-out puzzles after the current step."""
        self._learning().control.evaluate()

    def scale_lr(self, factor: float) -> None:
        """Multiply the learning rate from the next step on."""
        chosen = self._learning()
        chosen.control.scale_lr(factor)
        chosen.recorder.log("info", f"learning rate × {factor:g} from the next step on")

    def look(self, receive: Callable[[Look], None]) -> bool:
        """Have `receive` called once with the active run's weights."""
        chosen = self._experiments.get(self._active)
        if chosen is None or chosen.state not in _HAS_LEARNER:
            return False
        snapshot = chosen.recorder.snapshot()
        config = snapshot.config
        if config is None:
            return False
        chosen.control.look(lambda step, weights: receive(Look(snapshot.session, step, config, weights)))
        return True

    def log(self, severity: Severity, message: str) -> None:
        """Add a line to the active run's log, on screen and in its session."""
        active = self._experiments.get(self._active)
        if active is None:
            return
        active.recorder.log(severity, message)
        if active.session:
            with suppress(TrmError):  # a log that cannot be written must not disturb the run
                self.store.get(active.session).log(severity, message)

    # --- the end --------------------------------------------------------------------------------------

    def close_slot(self, slot: int) -> None:
        """Save and end a slot's run and free the slot."""
        with self._scheduler.moving:
            closing = self._experiments.pop(slot, None)
            if closing is None:
                return
            self._end(closing, "slot closed")
            self._closed = [e for e in self._closed if not e.join(0)] + [closing]
            if slot == self._active:
                self._active = max(
                    (n for n in self._experiments if n < slot), default=min(self._experiments, default=0)
                )

    def stop_all(self, reason: str) -> None:
        """Ask every run to save and end; none begins any more."""
        with self._scheduler.moving:
            self._scheduler.close()
            for experiment in self._experiments.values():
                self._end(experiment, reason)

    def ended(self) -> bool:
        """Whether no run's thread is left."""
        return all(e.join(0) for e in (*self._experiments.values(), *self._closed))

    def close(self, timeout: float | None = None) -> bool:
        """Stop everything, wait for the threads and return whether all have ended."""
        self.stop_all("the app was closed")
        self._monitor.stop()
        deadline = None if timeout is None else time.monotonic() + timeout
        for experiment in (*self._experiments.values(), *self._closed):
            experiment.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return self.ended()

    # --- slots and turns ------------------------------------------------------------------------------

    def _open(self, title: str, job: Job, session: str = "", *, ranks: int = 1) -> int:
        """Make a slot for a run and let it begin."""
        with self._scheduler.moving:
            number = next((n for n in range(1, MAX_SLOTS + 1) if n not in self._experiments), None)
            if number is None:
                raise UsageError(f"all {MAX_SLOTS} slots are taken: close one first (shift+x)")
            opened = Experiment(number, title, self._scheduler, job, session, ranks=ranks)
            self._experiments[number] = opened
            self._active = number
            self._take_turn(opened)
            return number

    def _take_turn(self, chosen: Experiment) -> None:
        """Let a run go on as soon as the one that computes has come to rest."""
        with self._scheduler.moving:
            if self._scheduler.holder not in (None, chosen.ticket):
                chosen.wait()
                for other in self._experiments.values():
                    if other.ticket == self._scheduler.holder:
                        other.pause()
            self._scheduler.ask(chosen.ticket, lambda: self._proceed(chosen))

    def _proceed(self, chosen: Experiment) -> None:
        """Begin or go on: it is this run's turn. Called in whichever thread gave the turn back."""
        with self._scheduler.moving:
            if self._scheduler.holder == chosen.ticket:  # else it was called off on its way here
                chosen.proceed()

    def _end(self, experiment: Experiment, reason: str) -> None:
        with self._scheduler.moving:
            experiment.stop(reason)

    def _chosen(self) -> Experiment:
        chosen = self._experiments.get(self._active)
        if chosen is None:
            raise UsageError("no run is open: n starts one, s shows the sessions")
        return chosen

    def _learning(self) -> Experiment:
        chosen = self._chosen()
        if chosen.state not in _HAS_LEARNER:
            raise UsageError("not training; space resumes it")
        return chosen

    def _detect(self) -> None:
        if self._hardware is None:
            self._hardware = detect()


def _title(session: Session) -> str:
    return session.record.name or session.record.preset or session.id
