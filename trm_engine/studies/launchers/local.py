"""Trials as processes of this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from typing import IO

from trm_engine.studies.claims import Claim
from trm_engine.studies.launchers.base import Request, Tell

_LAST_LINES = 20


class LocalTrial:
    """A trial as a process of this machine."""

    def __init__(self, request: Request, claim: Claim, tell: Tell) -> None:
        self._tell = tell
        self._errors: deque[str] = deque(maxlen=_LAST_LINES)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "trm_engine.studies.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(claim.descriptor,),
            # Ctrl-C in the terminal is the runner's to hear: it stops its trials, once each.
            start_new_session=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self._process.stdin is not None
        with suppress(OSError), self._process.stdin as stdin:  # it may have died already: its end says why
            stdin.write(request.to_json() + "\n")
        threading.Thread(target=self._listen, daemon=True).start()

    def stop(self) -> None:
        """Send SIGTERM: the trial saves and ends."""
        with suppress(OSError):
            self._process.send_signal(signal.SIGTERM)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        errors = threading.Thread(target=self._keep, args=(self._process.stderr,), daemon=True)
        errors.start()
        why = ""
        for line in self._process.stdout:
            with suppress(ValueError):
                event = json.loads(line)
                why = event.get("message", why) if event.get("event") == "error" else why
                self._tell(event)
        code = self._process.wait()
        errors.join(1.0)
        self._tell({"event": "ended", "code": code, "why": why or " ".join(self._errors)[-300:]})

    def _keep(self, stream: IO[str]) -> None:
        self._errors.extend(line.strip() for line in stream)


class Local:
    """Trials side by side on this machine."""

    def __init__(self, slots: int) -> None:
        self.slots = slots

    def start(self, request: Request, claim: Claim, tell: Tell) -> LocalTrial:
        """Start a process."""
        return LocalTrial(request, claim, tell)

    def close(self) -> None:
        """Nothing is held."""
