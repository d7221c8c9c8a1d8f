"""The runner's side of a trial elsewhere: a job of a scheduler, followed in the shared folder."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from typing import Protocol

from trm_engine.studies.launchers.away import Messages
from trm_engine.studies.launchers.base import ELSEWHERE, Tell
from trm_engine.text import one_line

_LOOKS = 1.0
_LOST = 1
_STOPPED = 143


class Job(Protocol):
    """A job that calls `run_away`."""

    def done(self) -> bool:
        """Return whether it has ended, in whatever way."""

    def result(self) -> tuple[int, str]:
        """Return what `run_away` returned. Raises what the scheduler raises for a job that was lost."""

    def cancel(self) -> None:
        """Take it back if it has not begun."""


class FollowedTrial:
    """A trial that a job runs."""

    def __init__(self, job: Job, messages: Messages, tell: Tell) -> None:
        self._job, self._messages, self._tell = job, messages, tell
        self._stopped = False
        self._read = 0
        threading.Thread(target=self._follow, daemon=True).start()

    def stop(self) -> None:
        """Ask it to save and stop; one that has not begun is taken back."""
        self._stopped = True
        self._messages.ask_to_stop()
        if not self._messages.events.exists():
            with suppress(Exception):  # then it begins, and finds that it is to stop
                self._job.cancel()

    def _follow(self) -> None:
        try:
            while not self._job.done():
                self._pass_on()
                time.sleep(_LOOKS)
            self._pass_on()
            code, why = self._job.result()
        except (Exception, KeyboardInterrupt) as error:
            code = _STOPPED if self._stopped else _LOST
            why = f"the job was lost: {type(error).__name__}: {one_line(str(error))[:200]}"
        if code != ELSEWHERE:  # there the messages are another job's
            with suppress(OSError):
                self._messages.clear()
        self._tell({"event": "ended", "code": code, "why": why})

    def _pass_on(self) -> None:
        """Tell of what has been appended by now."""
        with suppress(OSError), self._messages.events.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._read += len(line)
                with suppress(ValueError):
                    self._tell(json.loads(line))
