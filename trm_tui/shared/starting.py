"""A word on the terminal while the app is being imported: the first thing to be seen."""

from __future__ import annotations

import sys
from contextlib import suppress

_WORDS = "trm-tui is starting…"
_CLEAR = "\r\x1b[2K"
_announced = False


def announce() -> None:
    """Say, on a terminal, that the app is starting; `clear` takes it away."""
    global _announced  # one terminal, one line on it
    if sys.stdin.isatty() and sys.stderr.isatty():
        with suppress(OSError, ValueError):
            sys.stderr.write(f"\r{_WORDS}")
            sys.stderr.flush()
            _announced = True


def clear() -> None:
    """Take the word away, if it stands there."""
    global _announced
    stream = sys.__stderr__  # the terminal also where standard error has been led elsewhere
    if _announced and stream is not None:
        _announced = False
        with suppress(OSError, ValueError):
            stream.write(_CLEAR)
            stream.flush()
