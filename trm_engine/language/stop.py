"""One asker's wish to hear no more, carried to whatever works for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class StoppedError(Exception):
    """The asker has stopped the answer."""


class Stop:
    """Set once, from any thread; what waits in a system call is told through `calling`."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._calls: list[Callable[[], None]] = []

    @property
    def is_set(self) -> bool:
        """Whether the asker wants no more."""
        return self._event.is_set()

    def set(self) -> None:
        """Want no more; what was registered is called."""
        self._event.set()
        with self._lock:
            calls = list(self._calls)
        for call in calls:
            with suppress(OSError):
                call()

    def check(self) -> None:
        """Raise `StoppedError` when it is set."""
        if self.is_set:
            raise StoppedError

    @contextmanager
    def calling(self, call: Callable[[], None]) -> Iterator[None]:
        """Call something when it is set while the block runs; at once when it is set already."""
        with self._lock:
            self._calls.append(call)
        try:
            if self.is_set:
                call()
            yield
        finally:
            with self._lock:
                self._calls.remove(call)
