"""One slot: a run's control, its recorder, and the thread that trains it."""

from __future__ import annotations

import threading
import traceback
from itertools import count

from trm_engine.errors import TrmError
from trm_engine.training.control import Control
from trm_engine.training.events import Event, Finished, Paused
from trm_tui.workbench.jobs import Job
from trm_tui.workbench.recorder import Recorder
from trm_tui.workbench.scheduler import Turn
from trm_tui.workbench.snapshot import ENDED, RunState


class _CalledOffError(Exception):
    """A stop was asked for while the data was being prepared."""


class _Listening(Recorder):
    """A recorder that also tells its experiment when the run is held, and asks it before the run goes on."""

    def __init__(self, experiment: Experiment, session: str) -> None:
        super().__init__(experiment.number, experiment.title, session)
        self._experiment = experiment
        self._end: Finished | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, Finished):
            self._end = event  # told when the session is closed: a run that shows as ended can be resumed
            return
        if isinstance(event, Paused) and not event.paused:
            self._experiment.await_turn()
        super().__call__(event)
        if isinstance(event, Paused) and event.paused:
            self._experiment.rest()

    def tell_end(self) -> None:
        """Take in how the run ended."""
        if self._end is not None:
            super().__call__(self._end)
            self._end = None


class Experiment:
    """A run in a slot, over all its sittings. It computes only while it has the turn.

    Commands come from the workbench, one at a time; `rest` and `await_turn` from the run's own thread.
    """

    _tickets = count(1)

    def __init__(self, number: int, title: str, turn: Turn, job: Job, session: str = "") -> None:
        self.number = number
        self.ticket = next(self._tickets)
        self.job: Job | None = job
        """What the next sitting does; None once it has begun."""
        self.title = title
        self.control = Control()
        self._listening = _Listening(self, session)
        self._turn = turn
        self._sitting = False
        self._thread: threading.Thread | None = None
        self._gate = threading.Lock()  # around what decides whether the run computes
        self._resting = False

    @property
    def recorder(self) -> Recorder:
        """What is known of the run."""
        return self._listening

    @property
    def state(self) -> RunState:
        """How far the run has come."""
        return self.recorder.snapshot().state

    @property
    def session(self) -> str:
        """The session's id; empty until it exists."""
        return self.recorder.snapshot().session

    @property
    def alive(self) -> bool:
        """Whether a sitting has begun and not ended."""
        return self._sitting

    def proceed(self) -> None:
        """Begin the next sitting, or let the present one go on. To be called when it has the turn."""
        if self.job is not None:
            job, self.job = self.job, None
            self._begin(job)
        elif self.alive:
            self.recorder.ask(None)
            self.control.resume()
        else:
            self._turn.give_back(self.ticket)

    def pause(self) -> None:
        """Ask the run to hold and save."""
        if self.alive:
            with self._gate:
                self.recorder.ask("pausing")
                self.control.pause()
                resting = self._resting
            if resting:  # it was about to go on, and will not say again that it rests
                self._turn.give_back(self.ticket)
        elif self.state not in ENDED:  # it was still waiting for its turn
            self._turn.give_back(self.ticket)
            self.recorder.ask(None)
            self.recorder.become("paused")

    def wait(self) -> None:
        """Show that the run will go on when it is its turn."""
        self.recorder.ask("waiting")

    def stop(self, reason: str) -> None:
        """Ask the run to save and end; what was still to begin is called off."""
        self.job = None
        if self.alive:
            self.recorder.ask("stopping", reason)
            self.control.stop(reason)
            return
        self._turn.give_back(self.ticket)
        if self.state not in ENDED:
            self.recorder.become("stopped", reason)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the thread; return whether it has ended."""
        if self._thread is not None:
            self._thread.join(timeout)
        return self._thread is None or not self._thread.is_alive()

    def _begin(self, job: Job) -> None:
        self.control = Control()
        self._resting, self._sitting = False, True
        self.recorder.begin()
        name = f"experiment-{self.number}"
        # Not a daemon: a thread killed in the middle of torch's work can take the process down with it.
        self._thread = threading.Thread(target=self._run, args=(job, self.control), name=name, daemon=False)
        self._thread.start()

    def _run(self, job: Job, control: Control) -> None:
        failure: tuple[str, str] | None = None
        try:
            job(control, self.recorder, self._preparing)
        except _CalledOffError:
            pass
        except TrmError as error:
            failure = str(error), ""
        except BaseException as error:  # the app goes on and shows it
            failure = f"{type(error).__name__}: {error}", traceback.format_exc()
        with self._turn.moving:
            self._sitting = False
            self._listening.tell_end()
            if failure is not None:
                self.recorder.fail(*failure)
            elif self.state not in ENDED:
                self.recorder.become("stopped", control.stop_reason or "asked to stop")
            self._turn.give_back(self.ticket)

    def _preparing(self, what: str, done: int, total: int) -> None:
        """Hear how far the data is: the only moment before training at which a pause or stop can be felt."""
        self.recorder.prepare(what, done, total)
        if self.control.hold(self._held):
            raise _CalledOffError

    def _held(self, paused: bool) -> None:
        if paused:
            self.recorder.become("paused")
            self.rest()
        else:
            self.await_turn()
            self.recorder.become("preparing")

    # --- in the run's thread --------------------------------------------------------------------------------

    def rest(self) -> None:
        """Give the turn back: the run holds."""
        with self._gate:
            self._resting = True
        self._turn.give_back(self.ticket)

    def await_turn(self) -> None:
        """Return when the run may compute again, or is to stop."""
        while not self._may_go_on():
            self.control.wait()

    def _may_go_on(self) -> bool:
        with self._gate:
            control = self.control
            if control.stopping or (not control.paused and self._turn.claim(self.ticket, control.wake)):
                self._resting = False
                return True
            return False
