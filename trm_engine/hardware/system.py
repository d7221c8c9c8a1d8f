"""What the probes look at: files below a root, commands, and psutil's counters. Tests replace all three.

Nothing here raises: what cannot be read is None.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from platform import machine
from typing import Protocol, TypeVar

import psutil

from trm_engine.text import one_line

T = TypeVar("T")
Runner = Callable[[Sequence[str]], "str | None"]

_READ_LIMIT = 4_000_000  # /proc/cpuinfo of a server with hundreds of cores takes about 1 MB
_COMMAND_SECONDS = 5.0
_LONGEST_FACT = 120
_COUNT_LIMIT = 2**62  # cgroup v1 says "no limit" with the largest multiple of a page below 2**63


def run_command(argv: Sequence[str]) -> str | None:
    """Return what a command prints, or None when it is missing, fails or takes more than five seconds."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed argument lists, no shell
            list(argv),
            capture_output=True,
            check=True,
            encoding="utf-8",
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_COMMAND_SECONDS,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.stdout


class Counters(Protocol):
    """The figures that psutil gives on every system; None where it gives none."""

    def memory(self) -> tuple[int, int] | None:
        """RAM in bytes: total, available."""

    def swap(self) -> tuple[int, int] | None:
        """Swap in bytes: total, used."""

    def cores(self) -> tuple[int | None, int | None]:
        """Cores: physical, logical."""

    def frequency_mhz(self) -> float | None:
        """Highest frequency of a core."""

    def battery(self) -> tuple[float, bool | None] | None:
        """Charge in percent, and whether the mains are connected."""

    def celsius(self) -> float | None:
        """Temperature of the hottest core."""


_CPU_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal")
"""Linux's names for what measures the processor: Intel, AMD twice, ARM boards."""


def attempt(probe: Callable[[], T]) -> T | None:
    """Return what the probe finds; None when it fails in whatever way."""
    try:
        return probe()
    except Exception:
        return None


class PsutilCounters:
    """psutil's counters of this machine."""

    def memory(self) -> tuple[int, int] | None:
        """RAM in bytes: total, available."""
        found = attempt(psutil.virtual_memory)
        return (int(found.total), int(found.available)) if found else None

    def swap(self) -> tuple[int, int] | None:
        """Swap in bytes: total, used."""
        found = attempt(psutil.swap_memory)
        return (int(found.total), int(found.used)) if found else None

    def cores(self) -> tuple[int | None, int | None]:
        """Cores: physical, logical."""
        return attempt(lambda: psutil.cpu_count(logical=False)), attempt(psutil.cpu_count)

    def frequency_mhz(self) -> float | None:
        """Highest frequency of a core."""
        found = attempt(lambda: psutil.cpu_freq())
        return float(found.max or found.current) or None if found else None

    def battery(self) -> tuple[float, bool | None] | None:
        """Charge in percent, and whether the mains are connected."""
        # psutil leaves the function out on systems without battery support.
        found = attempt(lambda: psutil.sensors_battery())
        return (float(found.percent), found.power_plugged) if found else None

    def celsius(self) -> float | None:
        """Temperature of the hottest core."""
        # psutil leaves this function out, too, where a system does not tell.
        found = attempt(lambda: psutil.sensors_temperatures()) or {}
        sensors = next((found[name] for name in _CPU_SENSORS if name in found), [])
        return max((float(sensor.current) for sensor in sensors), default=None)


def count(text: str | None) -> int | None:
    """Return text as a whole number of 0 … 2⁶²; None for anything else."""
    digits = (text or "").strip()
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 19:
        return None
    number = int(digits)
    return number if number < _COUNT_LIMIT else None


def fact(text: str | None) -> str:
    """Return what a system tells as one harmless line, or `unknown` where it tells nothing."""
    return one_line((text or "").replace("\0", " "), _LONGEST_FACT) or "unknown"


@dataclass(frozen=True)
class System:
    """A machine to look at; by default, this one."""

    platform: str = sys.platform
    architecture: str = field(default_factory=machine)
    root: Path = Path("/")
    run: Runner = run_command
    counters: Counters = field(default_factory=PsutilCounters)

    def path(self, name: str) -> Path:
        """Return the path of an absolute file name below the root."""
        return self.root / name.lstrip("/")

    def read(self, name: str | Path) -> str | None:
        """Return a file's text, bytes that are no UTF-8 replaced, or None.

        `name`: absolute as on the machine, or a path that already lies below the root.
        """
        path = self.path(name) if isinstance(name, str) else name
        try:
            with path.open("rb") as file:
                return file.read(_READ_LIMIT).decode("utf-8", "replace")
        except (OSError, ValueError):
            return None

    def read_count(self, name: str | Path) -> int | None:
        """Return a file's content as a whole number, or None."""
        return count(self.read(name))

    def command(self, *argv: str) -> str | None:
        """Return what a command prints, or None."""
        return attempt(lambda: self.run(argv))

    def sysctl(self, tree: str) -> dict[str, str]:
        """Return macOS's kernel variables below `tree` by their full names; empty where there are none."""
        pairs = (line.partition(":") for line in (self.command("sysctl", tree) or "").splitlines())
        return {key.strip(): value.strip() for key, colon, value in pairs if colon}
