"""Waiting for what another thread does, with patience for a slow machine."""

from __future__ import annotations

import threading
from collections.abc import Callable

PATIENCE = 120.0
"""Seconds; only a failing test waits for them all."""
_LOOK_SECONDS = 0.005


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something is true."""
    pause = threading.Event()
    for _ in range(int(PATIENCE / _LOOK_SECONDS)):
        if holds():
            return
        pause.wait(_LOOK_SECONDS)
    raise AssertionError("it never came to be")
