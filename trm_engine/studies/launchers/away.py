"""A trial on another machine: it shares the sessions folder with the runner, and through that all they say.

A job of that machine (a task of Ray, a job of Slurm) calls `run_away`. What the trial tells is appended to
a file that the runner follows; a file that the runner makes asks it to stop. The trial keeps a claim of its
own, which stands as long as it lives, whatever becomes of its runner.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from trm_engine.config import loads
from trm_engine.config.diff import trial_digest
from trm_engine.errors import DivergedError, TrmError
from trm_engine.files import append_lines
from trm_engine.json_text import to_json
from trm_engine.sessions import Store
from trm_engine.studies.claims import FOLDER, Claim, claim_away
from trm_engine.studies.launchers.base import ELSEWHERE, Request
from trm_engine.studies.launchers.local import LocalTrial
from trm_engine.studies.plan import Trial
from trm_engine.studies.state import look

_AWAY = "away"
_LOOKS = 1.0
"""Seconds between looks for a wish to stop."""
_STEPS = 5.0
"""Least seconds between two steps that are reported: each report is written to the shared folder."""


class Messages:
    """The files through which a runner and a trial elsewhere speak."""

    def __init__(self, root: Path, digest: str) -> None:
        folder = root / FOLDER / _AWAY
        self.events, self._stop = folder / f"{digest}.jsonl", folder / f"{digest}.stop"

    def clear(self) -> None:
        """Begin anew. Raises `OSError`."""
        self.events.parent.mkdir(parents=True, exist_ok=True)
        for path in (self.events, self._stop):
            path.unlink(missing_ok=True)

    def tell(self, event: Mapping[str, Any]) -> None:
        """Append an event. A folder that is full, or gone, is found out by the trial itself."""
        with suppress(OSError):
            append_lines(self.events, to_json(event, ascii_only=True).encode() + b"\n")

    def ask_to_stop(self) -> None:
        """Have the trial save and stop."""
        with suppress(OSError):
            self._stop.touch()

    def stop_asked(self) -> bool:
        """Return whether it is to."""
        return self._stop.exists()


def run_away(text: str) -> tuple[int, str]:
    """Run the trial of a request here; return its exit code, and the reason where it is not zero."""
    request = Request.from_json(text)
    root, config = Path(request.root), loads(request.config, request.name)
    trial = Trial(trial_digest(config), request.name, config.train.seed, config, (request.preset,))
    held = claim_away(root, trial.digest)
    if held is None:
        return ELSEWHERE, "another job runs it"
    try:
        # A job may have waited for long: what was left then may be done by now.
        (found,) = look(Store(root), [trial], claimed=True)
        if found.stage == "done":
            return 0, ""
        if found.stage == "running":
            return ELSEWHERE, "another process runs it"
        if found.stage == "diverged" and found.record is not None and found.record.id != request.resume:
            return DivergedError.exit_code, "diverged in another job"
        return _watched(request.continuing(found), held, Messages(root, trial.digest))
    except TrmError as error:
        return error.exit_code, str(error)
    finally:
        held.release()


def _watched(request: Request, held: Claim, messages: Messages) -> tuple[int, str]:
    """Run it in a process, and stop that when the runner asks, or when this job is called off."""
    ended: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()
    next_step = 0.0

    def tell(event: Mapping[str, Any]) -> None:
        nonlocal next_step
        if event["event"] == "ended":
            ended.put((int(event["code"]), str(event["why"])))
        elif event["event"] != "step":
            messages.tell(event)
        elif time.monotonic() >= next_step:
            next_step = time.monotonic() + _STEPS
            messages.tell(event)

    trial = LocalTrial(request, held, tell)
    asked = False
    try:
        while True:
            with suppress(queue.Empty):
                return ended.get(timeout=_LOOKS)
            if not asked and messages.stop_asked():
                asked = True
                trial.stop()
    except BaseException:  # called off, by a signal such as the scheduler sends
        trial.stop()
        return ended.get()
