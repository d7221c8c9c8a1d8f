"""One slot: a run's control, its recorder, and the thread that trains it."""

from __future__ import annotations

import threading
import traceback
from itertools import count

from trm_engine.errors import CancelledError, TrmError
from trm_engine.training.control import Control, Next
from trm_engine.training.events import Finished
from trm_tui.workbench.jobs import Job
from trm_tui.workbench.recorder import Recorder
from trm_tui.workbench.scheduler import Scheduler
from trm_tui.workbench.session_files import SessionFiles
from trm_tui.workbench.snapshot import ACTIVE, ENDED, RunState


class Experiment:
    """A run in a slot, over all its sittings. It computes only while the scheduler has given it the turn.

    Commands come from the workbench, one at a time. The run's own thread asks its `Control` for the turn.
    """

    _tickets = count(1)

    def __init__(
        self,
        number: int,
        title: str,
        scheduler: Scheduler,
        job: Job | None,
        session: str = "",
        *,
        ranks: int = 1,
    ) -> None:
        self.number = number
        self.ranks = ranks
        """Processes that train it together."""
        self.ticket = next(self._tickets)
        self.job: Job | None = job
        """What the next sitting does; None once it has begun, and for a session that is only looked at."""
        self.recorder = Recorder(number, title, session)
        """What is known of the run."""
        self.files: SessionFiles | None = None
        """What follows the session's files, as long as nothing trains here."""
        self._scheduler = scheduler
        self.control = self._new_control()
        self._sitting = False
        self._thread: threading.Thread | None = None

    @property
    def title(self) -> str:
        """What the run is called."""
        return self.recorder.snapshot().title

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
            self._scheduler.give_back(self.ticket)

    def pause(self) -> None:
        """Ask the run to hold and save."""
        if self.alive:
            self.recorder.ask("pausing")
            self.control.pause()
        elif self.state in ACTIVE:  # it was still waiting for its turn
            self._scheduler.give_back(self.ticket)
            self.recorder.ask(None)
            self.recorder.become("paused")

    def wait(self) -> None:
        """Show that the run will go on when it is its turn."""
        self.recorder.ask("waiting")

    def stop(self, reason: str) -> None:
        """Ask the run to save and end; what was still to begin is called off."""
        self.job = None
        if self.files is not None:
            self.files.leave()
        if self.alive:
            self.recorder.ask("stopping", reason)
            self.control.stop(reason)
            return
        self._scheduler.give_back(self.ticket)
        if self.state in ACTIVE:
            self.recorder.become("stopped", reason)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the thread; return whether it has ended."""
        if self._thread is not None:
            self._thread.join(timeout)
        return self._thread is None or not self._thread.is_alive()

    def _begin(self, job: Job) -> None:
        self.control = self._new_control()
        self._sitting = True
        self.recorder.begin()
        name = f"experiment-{self.number}"
        # Not a daemon: a thread killed in the middle of torch's work can take the process down with it.
        self._thread = threading.Thread(target=self._run, args=(job, self.control), name=name, daemon=False)
        self._thread.start()

    def _run(self, job: Job, control: Control) -> None:
        finished: Finished | None = None
        failure: tuple[str, str] | None = None
        try:
            finished = job(control, self.recorder, self._preparing)
        except CancelledError:
            pass
        except TrmError as error:
            failure = str(error), ""
        except BaseException as error:  # the app goes on and shows it
            failure = f"{type(error).__name__}: {error}", traceback.format_exc()
        with self._scheduler.moving:
            self._sitting = False
            if finished is not None:
                # Only now that the session is closed: a run that shows as ended can be resumed.
                self.recorder(finished)
            if failure is not None:
                self.recorder.fail(*failure)
            elif self.state not in ENDED:
                self.recorder.become("stopped", control.stop_reason or "asked to stop")
            self._scheduler.give_back(self.ticket)

    def _preparing(self, what: str, done: int, total: int) -> None:
        """Hear how far the data is: the only moment before training at which a pause or stop can be felt."""
        self.recorder.prepare(what, done, total)
        self.control.await_turn(lambda paused: self.recorder.become("paused" if paused else "preparing"))
        if self.control.poll() is Next.STOP:
            raise CancelledError

    def _new_control(self) -> Control:
        return Control(self._scheduler.gate(self.ticket))
