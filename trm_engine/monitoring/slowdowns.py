"""Why a run is slower than the machine could be: each reason once, with what can be done about it."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from trm_engine.hardware import Hardware
from trm_engine.monitoring.monitor import Sample
from trm_engine.text import format_bytes, three_digits

_SLOW = 0.5  # share of the predicted rate that is far below it; predictions are good to a quarter
_WARM_UP_SECONDS = 30.0
_OTHERS_PERCENT = 50.0  # of one core: less is a desktop doing its work
_IDLE_PERCENT = 50.0  # of one core: with more, nobody is in the way
_GETS_ENOUGH = 0.9  # share of what the threads could take
_SWAP_GROWTH_BYTES = 64_000_000
_SPAN_SECONDS = 30.0  # growth is judged over so long
_FULL_SPEED_PERCENT = 100.0


@dataclass(frozen=True)
class Slowdown:
    """A reason for which training is slow; `code` is stable, the message is one sentence with the remedy."""

    code: str
    message: str


class _Cause:
    """Debounced condition with hysteresis over the last `window` samples.

    On after `needed` hits among them, off after at most `clears_at`; reported when it turns on.
    """

    def __init__(self, window: int, needed: int, clears_at: int = 0) -> None:
        self._seen: deque[bool] = deque(maxlen=window)
        self._needed = needed
        self._clears_at = clears_at
        self._true = False

    def becomes(self, now: bool) -> bool:
        """Take one sample, and return whether it has become true with it."""
        self._seen.append(now)
        count = sum(self._seen)
        if not self._true and count >= self._needed:
            self._true = True
            return True
        # Off well below where it went on: a share that hovers between the two is told once, not each time.
        if self._true and count <= self._clears_at:
            self._true = False
        return False


class _Growth:
    """How much a counter has grown over the last half minute."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def over_the_span(self, seconds: float, value: int | None) -> int:
        """Take one reading, and return the growth; 0 where nothing is told."""
        if value is None:
            return 0
        self._seen.append((seconds, value))
        while self._seen[0][0] < seconds - _SPAN_SECONDS:
            self._seen.popleft()
        return value - self._seen[0][1]


class PerformanceWatch:
    """Looks at every sample of a monitor for what slows training down. Any thread may take what it found.

    `threads` compute; `samples_per_second` is what was predicted, None where nothing was. `cores` are the
    numbers of the cores this process may use; None asks the system. While `paused` says so, nothing is slow.
    """

    def __init__(
        self,
        threads: int,
        hardware: Hardware,
        *,
        samples_per_second: float | None = None,
        cores: Sequence[int] | None = None,
        paused: Callable[[], bool] = lambda: False,
    ) -> None:
        self._threads = threads
        self._predicted = samples_per_second
        self._own_cores = cores
        self._rate = 0.0
        self._training_since: float | None = None
        self._paused = paused
        self._lock = threading.Lock()
        self._found: list[Slowdown] = []
        self._cores = _Cause(window=8, needed=6, clears_at=1)
        self._shares: deque[tuple[float, float]] = deque(maxlen=6)  # of samples in which it was so
        self._swap, self._swap_used = _Cause(window=20, needed=2), _Growth()
        self._heat, self._heat_events = _Cause(window=20, needed=1), _Growth()
        self._battery, self._saver = _Cause(window=4, needed=4), _Cause(window=4, needed=4)
        self._slow = _Cause(window=20, needed=18, clears_at=2)
        usable = hardware.cpu.usable_cores
        if usable is not None and threads > usable:
            self._found.append(_too_many_threads(threads, usable))

    def take(self, samples_per_second: float) -> list[Slowdown]:
        """Return what was found since the last call; say how fast training is now, 0 where unknown."""
        self._rate = samples_per_second
        with self._lock:
            found, self._found = self._found, []
        return found

    def see(self, sample: Sample) -> None:
        """Look at one sample."""
        if self._paused():
            return
        found = list(self._causes(sample))
        with self._lock:
            self._found += found

    def _causes(self, sample: Sample) -> Iterator[Slowdown]:
        if self._cores.becomes(self._contended(sample)):
            yield self._contention()
        grown = self._swap_used.over_the_span(sample.seconds, sample.swap_used_bytes)
        if self._swap.becomes(grown >= _SWAP_GROWTH_BYTES):
            yield Slowdown(
                "swap-growing",
                f"swap grew by {format_bytes(grown)} within half a minute, so memory is being moved to disk; "
                f"close other programs, or lower train.micro_batch",
            )
        heat = self._heat_events.over_the_span(sample.seconds, sample.throttle_events)
        limit = sample.speed_limit_percent
        if self._heat.becomes(heat > 0 or (limit is not None and limit < _FULL_SPEED_PERCENT)):
            speed = f" to {limit:.0f} % of its speed" if limit is not None else ""
            yield Slowdown(
                "throttled",
                f"heat slows the processor down{speed}; give the machine air, or lower runtime.threads",
            )
        if self._battery.becomes(sample.plugged_in is False):
            yield Slowdown(
                "on-battery", "the machine runs on battery, which slows it down; plug it in for full speed"
            )
        if self._saver.becomes(sample.saver is True):
            yield Slowdown(
                "battery-saver",
                "a low-power mode is on and slows the machine down; turn it off for full speed",
            )
        if self._slow.becomes(self._far_below(sample)):
            rate, predicted = three_digits(self._rate), three_digits(self._predicted or 0)
            yield Slowdown(
                "below-predicted-rate",
                f"training runs at {rate} of the {predicted} samples/s predicted; "
                f"close other programs, and see that the machine is plugged in and cool",
            )

    def _contended(self, sample: Sample) -> bool:
        """Whether others use the cores that this process's threads ask for."""
        cores = self._usable(sample.core_percents)
        if not cores or sample.cpu_percent is None:
            return False
        busy, gets = sum(cores), sample.cpu_percent
        asked = 100.0 * min(self._threads, len(cores))
        others = busy - gets
        idle = 100.0 * len(cores) - busy
        if others < _OTHERS_PERCENT or idle >= _IDLE_PERCENT or gets >= _GETS_ENOUGH * asked:
            return False
        self._shares.append((others, gets))
        return True

    def _usable(self, percents: tuple[float, ...]) -> list[float]:
        own = self._own_cores if self._own_cores is not None else _affinity()
        if not own or max(own) >= len(percents):  # not told, or cores are numbered otherwise
            return list(percents)
        return [percents[core] for core in own]

    def _contention(self) -> Slowdown:
        others, gets = (sum(values) / len(self._shares) for values in zip(*self._shares, strict=True))
        fewer = f", or set runtime.threads = {self._threads - 1}" if self._threads > 1 else ""
        return Slowdown(
            "cores-contended",
            f"short of CPU: other programs use {others / 100:.1f} cores, training {gets / 100:.1f} of its "
            f"{self._threads}; close some{fewer}",
        )

    def _far_below(self, sample: Sample) -> bool:
        if not self._predicted or not self._rate:
            return False
        if self._training_since is None:
            self._training_since = sample.seconds
        if sample.seconds - self._training_since < _WARM_UP_SECONDS:
            return False
        return self._rate < _SLOW * self._predicted


def _too_many_threads(threads: int, usable: int) -> Slowdown:
    return Slowdown(
        "too-many-threads",
        f"{threads} threads take turns on {usable} usable core{'s' if usable > 1 else ''}; "
        f"set runtime.threads to {usable} or fewer",
    )


def _affinity() -> list[int]:
    """Return the numbers of the cores this process may use; empty where the system does not tell."""
    ask = getattr(os, "sched_getaffinity", None)
    return sorted(ask(0)) if ask is not None else []
