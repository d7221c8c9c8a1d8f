"""The workbench of this machine: experiments in threads of this process."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

from trm_engine.config import Config
from trm_engine.errors import SessionError, TrmError, UsageError
from trm_engine.hardware import Hardware, detect
from trm_engine.monitoring.monitor import Monitor, Sample
from trm_engine.sessions import Session, Store
from trm_engine.sessions.lock import in_use_by
from trm_engine.text import safe_text
from trm_engine.tuning.cache import with_known_gemm_rate
from trm_tui.workbench.experiment import Experiment
from trm_tui.workbench.extension import end_of, extension, suggested_steps
from trm_tui.workbench.jobs import Job, fork_job, fork_name, replay_job, resume_job, start_job
from trm_tui.workbench.possible import Deed, require
from trm_tui.workbench.processes.measuring import measured
from trm_tui.workbench.scheduler import Scheduler
from trm_tui.workbench.session_files import SessionFiles
from trm_tui.workbench.snapshot import EMPTY, RunState, Severity, Snapshot
from trm_tui.workbench.workbench import MAX_SLOTS, Look, SlotView

_HAS_LEARNER: frozenset[RunState] = frozenset({"running", "pausing", "paused"})


class LocalWorkbench:
    """See `Workbench`, whose protocol it follows. All commands come from one thread, the app's."""

    def __init__(self, store: Store, hardware: Hardware | None = None, *, measures: bool = False) -> None:
        """Watch over the runs of a store. `measures`: find out how fast the machine is, where nobody has."""
        self.store = store
        self._measures = measures and hardware is None
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
        opened = sorted(self._experiments.items())
        titles = Counter(e.title for _, e in opened)
        return tuple(
            SlotView(
                number,
                e.title if titles[e.title] == 1 or not e.session else f"{e.title} ·{e.session[-4:]}",
                e.state,
                e.session,
                number == self._active,
            )
            for number, e in opened
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
            held = self._slot_of(session.id)
            if held is None or not held.alive:
                _refuse_in_use(session)
            if held is None:
                return self._open(_title(session), job, session.id, ranks=ranks)
            if held.alive and (checkpoint is not None or overrides):
                raise SessionError(f"session {session.id} is open in slot {held.number}: stop it first (x)")
            self._active = held.number
            if not held.alive:
                held.job = job
            self._take_turn(held)
            return held.number

    def fork(self, ref: str, *, checkpoint: int | None = None) -> int:
        """Train on from a checkpoint as a new session; the other stays as it is."""
        session = self.store.get(ref)
        steps = session.saved_steps
        if not steps:
            raise SessionError(f"session {session.id} has no checkpoint to go on from")
        step = steps[-1] if checkpoint is None else checkpoint
        name = fork_name(_title(session), step)
        # What has ended would end again at once, by its steps or by its target.
        ended = session.status == "completed"
        overrides = extension(step + suggested_steps(step), reached_target=True) if ended else []
        job = fork_job(self.store, session.id, checkpoint=checkpoint, name=name, overrides=overrides)
        return self._open(name, job)

    def replay(self, ref: str) -> int:
        """Replay a session in a new slot."""
        session = self.store.get(ref)
        if not any(record.get("event") == "step" for record in session.metrics.read()):
            raise UsageError(f"session {session.id} has no recorded losses: there is nothing to replay")
        return self._open(f"replay {_title(session)}", replay_job(self.store, session.id))

    # --- what only looks ------------------------------------------------------------------------------

    def switch(self, slot: int) -> bool:
        """Show a slot; whatever trains goes on, whatever rests goes on resting."""
        with self._scheduler.moving:
            if slot not in self._experiments:
                return False
            self._active = slot
            return True

    def view(self, ref: str) -> int:
        """Show a session from its files, in the slot that holds it or a free one, and follow them."""
        with self._scheduler.moving:
            session = self.store.get(ref)
            held = self._slot_of(session.id)
            if held is not None:
                self._active = held.number
                return held.number
            opened = self._place(_title(session), None, session.id)
            opened.recorder.become("stopped", "reading its files…")
            opened.files = SessionFiles(self.store, session.id, opened.recorder)
            opened.files.begin()
            return opened.number

    def retitle(self, session: str, title: str) -> None:
        """Call a session's slot by another name."""
        held = self._slot_of(session)
        if held is not None:
            held.recorder.describe(title=safe_text(title))

    # --- what lets a run go on ------------------------------------------------------------------------

    def go_on(self) -> None:
        """Let the active run go on, resumed from disk if it had ended."""
        with self._scheduler.moving:
            chosen = self._asked("pause")
            if not chosen.alive and chosen.job is None:
                self._require_session(chosen)
                chosen.job = resume_job(self.store, chosen.session, ranks=chosen.ranks)
            self._take_turn(chosen)

    def extend(self, steps: int) -> None:
        """Add steps to the active run; one that has ended is resumed for them."""
        with self._scheduler.moving:
            chosen = self._asked("extend")
            snapshot = chosen.recorder.snapshot()
            if chosen.alive:
                chosen.control.extend(steps)
                chosen.recorder.log("info", f"{steps:,} more steps")
                return
            self._require_session(chosen)
            completed = snapshot.state == "completed"
            overrides = extension(
                end_of(snapshot.step, snapshot.steps, completed=completed) + steps,
                reached_target=completed and snapshot.step < snapshot.steps,
            )
            chosen.job = resume_job(self.store, snapshot.session, overrides=overrides, ranks=chosen.ranks)
            self._take_turn(chosen)

    # --- what acts on a run ---------------------------------------------------------------------------

    def pause(self) -> None:
        """Hold the active run after its step, and save it."""
        with self._scheduler.moving:
            self._asked("pause").pause()

    def stop(self, reason: str = "stopped by hand") -> None:
        """Save the active run and end it."""
        self._end(self._asked("stop"), reason)

    def checkpoint(self) -> None:
        """Save a checkpoint after the current step."""
        self._asked("checkpoint").control.checkpoint()

    def evaluate(self) -> None:
        """Measure on held-out puzzles after the current step."""
        self._asked("evaluate").control.evaluate()

    def scale_lr(self, factor: float) -> None:
        """Multiply the learning rate from the next step on."""
        chosen = self._asked("scale_lr")
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
            opened = self._place(title, job, session, ranks=ranks)
            self._take_turn(opened)
            return opened.number

    def _place(self, title: str, job: Job | None, session: str, *, ranks: int = 1) -> Experiment:
        """Show a run in the first free slot."""
        number = next((n for n in range(1, MAX_SLOTS + 1) if n not in self._experiments), None)
        if number is None:
            raise UsageError(f"all {MAX_SLOTS} slots are taken: close one first (shift+x)")
        opened = Experiment(number, title, self._scheduler, job, session, ranks=ranks)
        self._experiments[number] = opened
        self._active = number
        return opened

    def _slot_of(self, session: str) -> Experiment | None:
        return next((e for e in self._experiments.values() if e.session == session), None)

    def _require_session(self, chosen: Experiment) -> None:
        """Raise `SessionError` where a run's session cannot be resumed: it was deleted, or is in use."""
        session_id = chosen.session
        if any(record.id == session_id for record in self.store.trash()):
            raise SessionError(
                f"session {session_id} is in the trash: s, then shift+z shows it, enter restores it"
            )
        _refuse_in_use(self.store.get(session_id))

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

    def _asked(self, deed: Deed) -> Experiment:
        """Return the active run, to do something to it. Raises `UsageError` where that cannot be done now."""
        require(deed, self.snapshot())
        return self._experiments[self._active]

    def _detect(self) -> None:
        if self._hardware is None:
            self._hardware = with_known_gemm_rate(detect())
        if self._measures and not self._hardware.gemm_gflops and not self._experiments:
            self._hardware = measured(self._hardware)


def _refuse_in_use(session: Session) -> None:
    """Refuse, before anything is opened, what another process runs."""
    if holder := in_use_by(session.path):
        raise SessionError(
            f"session {session.id} is in use by {holder}: stop that run first (enter in the list shows it)"
        )


def _title(session: Session) -> str:
    return session.record.name or session.record.preset or session.id
