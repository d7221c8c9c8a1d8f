"""Which signals ask the program to save and end."""

from __future__ import annotations

import signal

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")


def stopping_signals() -> list[signal.Signals]:
    """Return the signals that end a run cleanly here, those left out that were ignored at the start.

    Whoever starts the program with one ignored (`nohup`, `trap "" HUP`, a background job of a script) asks it
    to outlive that signal. To be called before a handler is installed.
    """
    known = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    return [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]
