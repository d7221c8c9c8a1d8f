"""Bounds on a download: how much may come, how slowly, and for how long."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from trm_engine.errors import UsageError
from trm_engine.text import format_bytes, format_seconds


@dataclass(frozen=True)
class Limits:
    """What a download may take."""

    most_bytes: int = 8 * 10**9
    """The most that is taken of a file whose server does not say its size: far above any data set here."""
    least_rate: float = 1000.0
    """Bytes a second below which a download is given up, measured over `rate_seconds`."""
    rate_seconds: float = 60.0
    silence_seconds: float = 30.0
    """How long a server may send nothing."""
    total_seconds: float = 24 * 3600.0


class Pace:
    """Watches a download; raises `UsageError` where it passes a limit.

    `size` is what the server, or who knows the file, says of it. `clock` returns seconds.
    """

    def __init__(
        self, what: str, limits: Limits, size: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._what, self._limits, self._size, self._clock = what, limits, size, clock
        self._began = self._window_began = clock()
        self._in_window = 0

    @property
    def silence_seconds(self) -> float:
        """How long a server may send nothing."""
        return self._limits.silence_seconds

    def is_too_much(self, held: int) -> bool:
        """Tell whether more bytes have come than the file has, or a file of unknown size may have."""
        return held > (self._limits.most_bytes if self._size is None else self._size)

    def too_much(self) -> UsageError:
        """Return the error for more bytes than there may be."""
        if self._size is not None:
            return UsageError(
                f"{self._what}: the server sends more than the {format_bytes(self._size)} it announced"
            )
        return UsageError(
            f"{self._what}: the server names no size and sends more than "
            f"{format_bytes(self._limits.most_bytes)}; fetch the file by other means, and name its path"
        )

    def took(self, count: int) -> None:
        """Note that so many bytes came. Raises `UsageError` where they come too slowly, or for too long."""
        now, limits = self._clock(), self._limits
        self._in_window += count
        if now - self._began > limits.total_seconds:
            raise self._given_up(f"it has taken more than {format_seconds(limits.total_seconds)}")
        if now - self._window_began < limits.rate_seconds:
            return
        rate = self._in_window / (now - self._window_began)
        if rate < limits.least_rate:
            raise self._given_up(f"the server sends {rate:,.0f} bytes a second")
        self._window_began, self._in_window = now, 0

    def _given_up(self, why: str) -> UsageError:
        return UsageError(f"{self._what} was given up: {why}; run it again, and it resumes from there")
