"""What this process uses, and what is left beside it: the readings that the monitor takes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import Protocol

import psutil

from trm_engine.hardware.cgroup import find_control_groups
from trm_engine.hardware.facts import Memory, Power
from trm_engine.hardware.memory import read_memory
from trm_engine.hardware.power import read_power
from trm_engine.hardware.system import System, attempt, count

CoreTimes = tuple[tuple[float, float], ...]
"""Seconds that each core was busy, and seconds in all, since some moment in the past."""


class Readings(Protocol):
    """Readings of one process and its machine; None or empty where one is not to be had."""

    def rss_bytes(self) -> int | None:
        """Memory the process holds."""

    def peak_rss_bytes(self) -> int | None:
        """Memory the process held at its peak."""

    def cpu_seconds(self) -> float | None:
        """CPU time the process has used, all its threads together."""

    def core_times(self) -> CoreTimes:
        """Busy and total time of each core, whoever used it."""

    def memory(self) -> Memory:
        """Memory of the machine and its control groups."""

    def power(self) -> Power:
        """Battery, power saving and heat, which may slow the machine down."""


class ProcessReadings:
    """Readings of the process this runs in, with those `beside` it (by id) that train along. Never raises."""

    def __init__(self, system: System | None = None, *, beside: Sequence[int] = ()) -> None:
        self._system = system or System()
        self._process = attempt(psutil.Process)
        found = [attempt(partial(psutil.Process, pid)) for pid in beside]
        self._beside = [process for process in found if process is not None]
        self._groups = find_control_groups(self._system)

    def rss_bytes(self) -> int | None:
        """Memory the process holds, with those beside it."""
        process = self._process
        own = attempt(lambda: int(process.memory_info().rss)) if process else None
        return None if own is None else own + sum(_rss(other) for other in self._beside)

    def peak_rss_bytes(self) -> int | None:
        """Memory the process held at its peak, with those beside it."""
        own = self._peak_of("self")
        if own is None:
            own = attempt(lambda: _ru_maxrss(self._system.platform))
        if own is None:
            return None
        return own + sum(self._peak_of(str(other.pid)) or _rss(other) for other in self._beside)

    def _peak_of(self, pid: str) -> int | None:
        # ru_maxrss would do, but on Linux it starts with what the process that started this one held.
        for line in (self._system.read(f"/proc/{pid}/status") or "").splitlines():
            if line.startswith("VmHWM:"):
                kilobytes = count(line.partition(":")[2].strip().removesuffix("kB"))
                return kilobytes * 1024 if kilobytes is not None else None
        return None

    def cpu_seconds(self) -> float | None:
        """CPU time the process has used, all its threads together, with those beside it."""
        process = self._process
        times = attempt(process.cpu_times) if process else None
        if times is None:
            return None
        others = [t for other in self._beside if (t := attempt(other.cpu_times)) is not None]
        return float(sum(t.user + t.system for t in (times, *others)))

    def core_times(self) -> CoreTimes:
        """Busy and total time of each core, whoever used it."""
        return attempt(_core_times) or ()

    def memory(self) -> Memory:
        """Memory of the machine and its control groups."""
        return attempt(lambda: read_memory(self._system, self._groups)) or Memory()

    def power(self) -> Power:
        """Battery, power saving and heat, which may slow the machine down."""
        return attempt(lambda: read_power(self._system)) or Power()


def _rss(process: psutil.Process) -> int:
    return attempt(lambda: int(process.memory_info().rss)) or 0


def _ru_maxrss(platform: str) -> int | None:
    if sys.platform == "win32":
        return None
    import resource  # there is none on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform == "darwin" else peak * 1024


def _core_times() -> CoreTimes:
    cores = []
    for times in psutil.cpu_times(percpu=True):
        idle = times.idle + getattr(times, "iowait", 0.0)
        # Linux counts the time of virtual machines in user and nice as well.
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        cores.append((total - idle, total))
    return tuple(cores)
