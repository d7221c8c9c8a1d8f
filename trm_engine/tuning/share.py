"""A share of time that some measuring may take."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], float]


class Share:
    """Seconds that some measuring may take in all."""

    def __init__(self, seconds: float, clock: Clock = time.perf_counter) -> None:
        self._clock = clock
        self._until = clock() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left; negative when it took longer."""
        return self._until - self._clock()


def seconds_of(work: Callable[[], object], clock: Clock = time.perf_counter) -> float:
    """Return how long a piece of work takes, done once."""
    started = clock()
    work()
    return clock() - started
