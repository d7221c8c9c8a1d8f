"""How often one client may ask: a bucket of tokens for each address."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

_MOST_CLIENTS = 4096


class RateLimit:
    """Lets `rate` requests a second pass for each client, and `burst` at once."""

    def __init__(
        self, rate: float, burst: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._burst = burst if burst is not None else max(2 * rate, 1.0)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> float:
        """Take a token; return 0.0, or in how many seconds there will be one."""
        left = self._left(client)
        if left < 1:
            return (1 - left) / self._rate
        self._set(client, left - 1)
        return 0.0

    def spent(self, client: str) -> bool:
        """Return whether a client has no token left, without taking one."""
        return self._left(client) < 1

    def _left(self, client: str) -> float:
        now = self._clock()
        left, then = self._buckets.get(client, (self._burst, now))
        return min(self._burst, left + (now - then) * self._rate)

    def _set(self, client: str, left: float) -> None:
        self._buckets[client] = left, self._clock()
        self._buckets.move_to_end(client)
        while len(self._buckets) > _MOST_CLIENTS:
            self._buckets.popitem(last=False)
