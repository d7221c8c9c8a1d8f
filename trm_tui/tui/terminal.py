"""The terminal belongs to the app alone: what anything else writes to stdout or stderr goes to the log.

Python's prints are captured by Textual, but libraries write to file descriptors 1 and 2 themselves, into the
middle of the screen. So both are pointed at a file, and the app writes to copies of them. This must happen
before Textual is imported.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from contextlib import suppress
from types import TracebackType
from typing import TextIO

import psutil

from trm_engine.text import safe_text

_MAX_BYTES = 1 << 20
_MAX_LINE = 1000
_LINES_AT_ONCE = 50


class StrayOutput:
    """Collects what is written to descriptors 1 and 2 while it is open; use it in a `with` block."""

    def __enter__(self) -> StrayOutput:
        sys.stdout.flush()
        sys.stderr.flush()
        self._kept = os.dup(1), os.dup(2)
        self._before = sys.__stdout__, sys.__stderr__
        self._file = tempfile.TemporaryFile("ab+")  # closed in __exit__
        self._read = 0
        self._rest = b""
        self._streams = _text(self._kept[0]), _text(self._kept[1])
        _set_originals(*self._streams)
        for descriptor in (1, 2):
            os.dup2(self._file.fileno(), descriptor)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        for kept, descriptor in zip(self._kept, (1, 2), strict=True):
            os.dup2(kept, descriptor)
            os.close(kept)
        _set_originals(*self._before)
        self._file.close()

    @property
    def terminal_lost(self) -> bool:
        """Whether the terminal has gone: nothing can be written to it any more."""
        return any(stream.lost for stream in self._streams)

    def write(self, text: str) -> None:
        """Add text, as if it had been written to the descriptor."""
        with suppress(OSError):
            os.write(self._file.fileno(), text.encode("utf-8", "replace"))

    def lines(self) -> list[str]:
        """Return the whole lines written since the last call, made safe; at most fifty at once."""
        size = os.fstat(self._file.fileno()).st_size
        if size <= self._read and len(self._rest) == 0:
            return []
        data = os.pread(self._file.fileno(), _MAX_BYTES, self._read) if size > self._read else b""
        self._read += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _MAX_LINE:
            lines, self._rest = [*lines, self._rest], b""
        if self._read >= _MAX_BYTES:  # the file is opened for appending, so writers begin at its start again
            os.ftruncate(self._file.fileno(), 0)
            self._read = 0
        more = len(lines) - _LINES_AT_ONCE
        kept = [safe_text(line[:_MAX_LINE].decode("utf-8", "replace")) for line in lines[:_LINES_AT_ONCE]]
        return [line for line in kept if line.strip()] + ([f"… {more} more lines"] if more > 0 else [])


def has_job_control() -> bool:
    """Tell whether a shell waits for this process and can continue it when it is stopped.

    POSIX calls a process group orphaned where no member has a parent in another group of its session: nobody
    notices there that one is stopped.
    """
    group, session = os.getpgrp(), os.getsid(0)
    with suppress(OSError):  # where a parent has just gone
        for parent in psutil.Process().parents():
            if os.getpgid(parent.pid) != group:
                return os.getsid(parent.pid) == session
    return False


def _set_originals(stdout: TextIO | None, stderr: TextIO | None) -> None:
    """Say which streams are the terminal's. Textual writes to these."""
    for name, stream in (("__stdout__", stdout), ("__stderr__", stderr)):
        setattr(sys, name, stream)


class _Terminal(io.TextIOWrapper):
    """A stream that a terminal may vanish behind: Textual's writer must go on, or it would hang the app."""

    lost = False

    def write(self, text: str) -> int:
        """Write, or note that there is nobody to write to."""
        try:
            return super().write(text)
        except OSError:
            self.lost = True
            return len(text)

    def flush(self) -> None:
        """Flush, or note that there is nobody to write to."""
        try:
            super().flush()
        except OSError:
            self.lost = True


def _text(descriptor: int) -> _Terminal:
    binary = os.fdopen(descriptor, "wb", closefd=False)
    return _Terminal(binary, encoding="utf-8", errors="replace", line_buffering=True)
