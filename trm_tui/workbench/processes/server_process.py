"""The puzzle server as a process beside the app: started, asked where it is, and stopped."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from trm_engine.errors import TrmError
from trm_engine.text import safe_text
from trm_tui.shared.program import PROGRAM

_STOP_SECONDS = 10.0


class ServerProcess:
    """At most one server. Any thread may call; starting waits until it takes requests."""

    def __init__(self, sessions: Path, program: Sequence[str] = PROGRAM) -> None:
        self._sessions, self._program = sessions, program
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self.address = ""

    @property
    def running(self) -> bool:
        """Whether the server runs."""
        return self._process is not None and self._process.poll() is None

    def toggle(self) -> str:
        """Start the server or stop it; return what a person should know. Raises `TrmError` where it fails."""
        with self._lock:
            if self.running:
                self._stop()
                return "the puzzle server has stopped"
            self._start()
            return f"puzzles are served at {self.address}"

    def close(self) -> None:
        """Stop the server where it runs."""
        with self._lock:
            if self.running:
                self._stop()

    def _start(self) -> None:
        words = ["--sessions-dir", str(self._sessions), "serve", "--port", "0", "--quiet"]
        with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
            process = subprocess.Popen(  # noqa: S603  # our own program
                [*self._program, *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # ctrl+c in the terminal is for the app
            )
            assert process.stdout is not None
            said = process.stdout.readline()
            _, _, address = said.partition(" at ")
            if not address:
                process.stdout.close()
                process.wait(_STOP_SECONDS)
                errors.seek(0)
                raise TrmError(f"the puzzle server did not start: {safe_text(errors.read(500)).strip()}")
        self._process, self.address = process, address.strip()

    def _stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process, self.address = None, ""
