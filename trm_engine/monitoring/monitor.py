"""What a run uses while it goes on, sampled twice a second from a light thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, TypeVar

from trm_engine.hardware.facts import Power
from trm_engine.monitoring.device_gauges import DeviceSample, read_device
from trm_engine.monitoring.process import CoreTimes, ProcessReadings, Readings

Number = TypeVar("Number", int, float)

MAX_INTERVAL_SECONDS = 0.5
_POWER_SECONDS = 10.0  # macOS tells of heat and battery only through commands, too dear twice a second


@dataclass(frozen=True)
class Sample:
    """One look at the process and the machine; None: not to be had."""

    seconds: float
    """Time since the monitor was made."""
    rss_bytes: int | None = None
    """Memory the process holds."""
    cpu_percent: float | None = None
    """CPU time of the process since the sample before; 100 is one core kept busy."""
    core_percents: tuple[float, ...] = ()
    """How busy each core was since the sample before, with whatever ran on it; 0 … 100."""
    available_bytes: int | None = None
    """Memory that is left, control groups counted."""
    swap_used_bytes: int | None = None
    """Swap space in use by everything."""
    throttle_events: int | None = None
    """Thermal events since the monitor was made (Linux)."""
    speed_limit_percent: float | None = None
    """Speed that heat leaves to the CPU (macOS)."""
    plugged_in: bool | None = None
    """Is the machine on mains?"""
    saver: bool | None = None
    """Is a low-power mode on?"""
    battery_percent: float | None = None
    """Charge of the battery."""
    celsius: float | None = None
    """Temperature of the hottest core (Linux)."""
    device: DeviceSample | None = None
    """The graphics processor that the process computes on."""


@dataclass(frozen=True)
class Resources:
    """What a run used; None: not to be had."""

    seconds: float = 0.0
    """Time the samples span."""
    samples: int = 0
    """Samples taken."""
    peak_rss_bytes: int | None = None
    """The most memory held, spikes between samples included where the system tells."""
    mean_rss_bytes: int | None = None
    """Mean of the memory held."""
    mean_cpu_percent: float | None = None
    """CPU time of the process over the time spanned; 100 is one core kept busy."""
    peak_cpu_percent: float | None = None
    """The busiest interval between two samples."""
    mean_core_percents: tuple[float, ...] = ()
    """How busy each core was, with whatever ran on it; 0 … 100."""
    peak_core_percents: tuple[float, ...] = ()
    """How busy each core was in its busiest interval between two samples."""
    min_available_bytes: int | None = None
    """The least memory that was left, control groups counted."""
    mean_available_bytes: int | None = None
    """Mean of the memory that was left."""
    peak_swap_used_bytes: int | None = None
    """The most swap space in use by everything."""
    throttle_events: int | None = None
    """Thermal events (Linux)."""
    peak_device_bytes: int | None = None
    """The most memory held on a graphics processor, free blocks that were kept included."""
    mean_device_load_percent: float | None = None
    """How busy that was, where NVML tells; 0 … 100."""
    min_speed_limit_percent: float | None = None
    """The lowest speed that heat left to the CPU (macOS)."""

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        cores = {name: list(getattr(self, name)) for name in ("mean_core_percents", "peak_core_percents")}
        return {**asdict(self), **cores}


class Monitor:
    """Samples a process: `sample()` once and now, `start()` from a thread until `stop()`.

    Keeps totals and extremes, no history. Any thread may ask for `latest()` and `summary()`. `watchers` are
    shown every sample, in the thread that takes it.
    """

    def __init__(
        self,
        *,
        interval: float = MAX_INTERVAL_SECONDS,
        readings: Readings | None = None,
        clock: Callable[[], float] = time.monotonic,
        watchers: Sequence[Callable[[Sample], None]] = (),
        device: Callable[[], DeviceSample | None] = read_device,
    ) -> None:
        if not 0 < interval <= MAX_INTERVAL_SECONDS:
            raise ValueError(f"interval {interval}: samples are at most {MAX_INTERVAL_SECONDS} s apart")
        self._interval = interval
        self._readings = readings or ProcessReadings()
        self._clock = clock
        self._watchers = tuple(watchers)
        self._device = device
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._start = self._before = clock()
        self._start_cpu = self._before_cpu = self._readings.cpu_seconds()
        self._start_cores = self._before_cores = self._readings.core_times()
        self._start_peak = self._readings.peak_rss_bytes()
        self._power_at = self._start
        self._start_power = self._power = self._readings.power()
        self._latest = Sample(0.0)
        self._summary = Resources()
        self._rss, self._available, self._load = _Mean(), _Mean(), _Mean()

    def __enter__(self) -> Monitor:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.join()

    def start(self) -> None:
        """Start sampling; a monitor is started once."""
        if self._thread is not None:
            raise RuntimeError("the monitor was started before")
        self._thread = threading.Thread(target=self._run, name="monitor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end. Does not wait."""
        self._stopping.set()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the thread to end."""
        if self._thread is not None:
            self._thread.join(timeout)

    def latest(self) -> Sample:
        """Return the last sample taken."""
        return self._latest

    def summary(self) -> Resources:
        """Return what the samples so far add up to."""
        return self._summary

    def sample(self) -> Sample:
        """Take a sample now and return it."""
        with self._lock:
            self._latest = taken = self._take()
            self._summary = self._with(taken)
            for watcher in self._watchers:
                watcher(taken)
            return taken

    def _run(self) -> None:
        while True:
            with suppress(MemoryError):  # the one that must see it through, if memory runs out
                self.sample()
            if self._stopping.wait(self._interval):
                return

    def _take(self) -> Sample:
        now, cpu, cores = self._clock(), self._readings.cpu_seconds(), self._readings.core_times()
        memory = self._readings.memory()
        if now - self._power_at >= _POWER_SECONDS:
            self._power_at, self._power = now, self._readings.power()
        taken = Sample(
            seconds=now - self._start,
            rss_bytes=self._readings.rss_bytes(),
            cpu_percent=_percent(self._before_cpu, cpu, now - self._before),
            core_percents=_core_percents(self._before_cores, cores),
            available_bytes=memory.effective_available_bytes,
            swap_used_bytes=memory.swap_used_bytes,
            throttle_events=_events(self._start_power, self._power),
            speed_limit_percent=self._power.speed_limit_percent,
            plugged_in=self._power.plugged_in,
            saver=self._power.saver,
            battery_percent=self._power.battery_percent,
            celsius=self._power.celsius,
            device=self._device(),
        )
        self._before, self._before_cpu, self._before_cores = now, cpu, cores
        return taken

    def _with(self, taken: Sample) -> Resources:
        """Return the summary with one more sample, the one that `_take` has just taken."""
        so_far, device = self._summary, taken.device
        return Resources(
            seconds=taken.seconds,
            samples=so_far.samples + 1,
            peak_rss_bytes=_most(so_far.peak_rss_bytes, taken.rss_bytes, self._new_peak()),
            mean_rss_bytes=self._rss.with_one(taken.rss_bytes),
            mean_cpu_percent=_percent(self._start_cpu, self._before_cpu, taken.seconds),
            peak_cpu_percent=_most(so_far.peak_cpu_percent, taken.cpu_percent),
            mean_core_percents=_core_percents(self._start_cores, self._before_cores),
            peak_core_percents=_most_each(so_far.peak_core_percents, taken.core_percents),
            min_available_bytes=_least(so_far.min_available_bytes, taken.available_bytes),
            mean_available_bytes=self._available.with_one(taken.available_bytes),
            peak_swap_used_bytes=_most(so_far.peak_swap_used_bytes, taken.swap_used_bytes),
            throttle_events=taken.throttle_events,
            peak_device_bytes=_most(so_far.peak_device_bytes, device.held_bytes if device else None),
            mean_device_load_percent=self._load.with_one(device.load_percent if device else None),
            min_speed_limit_percent=_least(so_far.min_speed_limit_percent, taken.speed_limit_percent),
        )

    def _new_peak(self) -> int | None:
        """Return the process's own record of its peak, if that was set while this monitor watched."""
        peak = self._readings.peak_rss_bytes()
        return peak if peak is not None and peak > (self._start_peak or 0) else None


class _Mean:
    """The mean of what is known of a figure, in whole numbers."""

    def __init__(self) -> None:
        self._sum = self._count = 0

    def with_one(self, value: float | None) -> int | None:
        """Return the mean with one more value."""
        if value is not None:
            self._sum, self._count = self._sum + round(value), self._count + 1
        return self._sum // self._count if self._count else None


def _percent(before: float | None, after: float | None, seconds: float) -> float | None:
    if before is None or after is None or seconds <= 0:
        return None
    return max(0.0, 100 * (after - before) / seconds)


def _core_percents(before: CoreTimes, after: CoreTimes) -> tuple[float, ...]:
    if len(before) != len(after):  # a core was taken offline
        return ()
    percents = []
    for (busy_before, total_before), (busy, total) in zip(before, after, strict=True):
        passed = total - total_before
        percents.append(min(100.0, max(0.0, 100 * (busy - busy_before) / passed)) if passed > 0 else 0.0)
    return tuple(percents)


def _events(before: Power, now: Power) -> int | None:
    if before.throttle_events is None or now.throttle_events is None:
        return None
    return max(0, now.throttle_events - before.throttle_events)


def _most_each(before: tuple[float, ...], now: tuple[float, ...]) -> tuple[float, ...]:
    if len(before) != len(now):  # the first sample, or a core was taken offline
        return before or now
    return tuple(max(pair) for pair in zip(before, now, strict=True))


def _most(*values: Number | None) -> Number | None:
    return max((value for value in values if value is not None), default=None)


def _least(*values: Number | None) -> Number | None:
    return min((value for value in values if value is not None), default=None)
