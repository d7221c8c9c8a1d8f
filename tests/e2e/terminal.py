"""A real terminal around the real program: a pseudo-terminal, and a screen that understands what is drawn."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pexpect
import pyte

TRM = (sys.executable, "-m", "trm_tui")
"""The program as a command."""
SHELL = ("bash", "--norc", "--noprofile", "-i")
"""A shell with job control that reads no one's settings."""
KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "tab": "\t",
    "backspace": "\x7f",
    "f2": "\x1bOQ",
}
PATIENCE = 600.0  # seconds: only a test that fails waits so long, however slow or busy the machine is
"""Seconds to wait for anything; only a broken program takes that long."""
TYPING = 0.12
"""Seconds between two keys."""
# Folders, settings, and the size of another terminal.
_OF_THE_TESTER = ("XDG_", "TRM_", "COLUMNS", "LINES")


class Terminal:
    """The program `trm-tui` with `words`, in a terminal of `columns` × `rows`, its sessions in `sessions`.

    `program` is another command to run in its place, such as a shell.
    """

    def __init__(
        self,
        *words: str,
        sessions: Path,
        home: Path,
        columns: int = 120,
        rows: int = 36,
        program: Sequence[str] = (),
    ) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OF_THE_TESTER)}
        environment = {
            **inherited,
            "HOME": str(home),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "TRM_SESSIONS_DIR": str(sessions),
        }
        command, *arguments = program or [*TRM, *words]
        self.process = pexpect.spawn(
            command,
            arguments,
            dimensions=(rows, columns),
            env=environment,
            cwd=str(home),
            encoding="utf-8",
            timeout=None,
        )
        self.process.delaybeforesend = None  # 50 ms otherwise, which would count as the app's
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self.screen)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *exc: object) -> None:
        # pexpect asks nicely first and gives up where a busy machine takes long to end a program.
        if self.process.isalive():
            self.process.kill(signal.SIGKILL)
            self.process.wait()
        self.process.close()

    @property
    def text(self) -> str:
        """What the screen shows now."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def press(self, *keys: str) -> None:
        """Send keys as fast as a quick typist: names of `KEYS`, or characters as they are."""
        for key in keys:
            self.process.send(KEYS.get(key, key))
            until = time.monotonic() + TYPING
            while time.monotonic() < until:
                self.read(0.02)

    def hang_up(self) -> None:
        """Close the terminal, as a person closes its window."""
        with suppress(pexpect.ExceptionPexpect):  # raised where the program takes more than an instant to end
            self.process.close(force=False)

    def signal(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        self.process.kill(number)

    def read(self, seconds: float = 0.05) -> bool:
        """Take over what was drawn; return whether there was anything. Raises `pexpect.EOF` at the end."""
        try:
            self._stream.feed(self.process.read_nonblocking(65536, timeout=seconds))
        except pexpect.TIMEOUT:
            return False
        return True

    def wait(self, seen: str | Callable[[str], object], patience: float = PATIENCE) -> str:
        """Wait until the screen shows a text, or satisfies a condition; return the screen."""
        shows = (lambda text: seen in text) if isinstance(seen, str) else seen
        until = time.monotonic() + patience
        while not shows(self.text):
            if time.monotonic() > until:
                raise AssertionError(f"{seen!r} was never shown; the screen is\n{self.text}")
            self.read()
        return self.text

    def settle(self, quiet: float = 0.5) -> str:
        """Wait until nothing new is drawn for a moment; return the screen. Not while a run trains."""
        while self.read(quiet):
            pass
        return self.text

    def wait_for_end(self) -> int:
        """Wait until the program has ended; return its exit code, or 128 + n for signal n."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self.read()
            except pexpect.EOF:
                break
            assert time.monotonic() < until, f"the program did not end; the screen is\n{self.text}"
        self.process.wait()
        if self.process.exitstatus is not None:
            return int(self.process.exitstatus)
        return 128 + int(self.process.signalstatus or 0)
