"""What may slow the machine down: battery, a low-power mode, heat."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trm_engine.hardware.facts import Power
from trm_engine.hardware.system import System, attempt

_SPEED_LIMIT = re.compile(r"CPU_Speed_Limit\s*=\s*(\d{1,3})\b")
_LOW_POWER = re.compile(r"^\s*(?:lowpowermode|powermode)\s+(\d)\b", re.MULTILINE)
_MAX_CPUS = 8192


@dataclass(frozen=True)
class Throttle:
    """How heat holds the CPU back; None: not told."""

    events: int | None = None
    speed_limit_percent: float | None = None


def read_power(system: System) -> Power:
    """Read battery, low-power mode and throttling."""
    charge, plugged_in = attempt(system.counters.battery) or (None, None)
    celsius = attempt(system.counters.celsius)
    throttle = read_throttle(system)
    return Power(
        battery_percent=charge if charge is not None and 0 <= charge <= 100 else None,
        plugged_in=plugged_in,
        saver=_saver(system),
        throttle_events=throttle.events,
        speed_limit_percent=throttle.speed_limit_percent,
        celsius=celsius if celsius is not None and -100 <= celsius <= 200 else None,
    )


def read_throttle(system: System) -> Throttle:
    """Read Linux's counters of thermal events, or macOS's speed limit."""
    if system.platform == "darwin":
        match = _SPEED_LIMIT.search(system.command("pmset", "-g", "therm") or "")
        limit = float(match[1]) if match else None
        return Throttle(speed_limit_percent=limit if limit is not None and limit <= 100 else None)
    if not system.platform.startswith("linux"):
        return Throttle()
    counts = []
    for cpu in range(_MAX_CPUS):
        folder = f"/sys/devices/system/cpu/cpu{cpu}/thermal_throttle"
        events = system.read_count(f"{folder}/core_throttle_count")
        if events is None:
            break
        counts.append(events + (system.read_count(f"{folder}/package_throttle_count") or 0))
    return Throttle(events=min(sum(counts), 2**62) if counts else None)


def _saver(system: System) -> bool | None:
    if system.platform == "darwin":
        # 1 is low power; 2, on some machines, is high power.
        modes = [match[1] for match in _LOW_POWER.finditer(system.command("pmset", "-g") or "")]
        return "1" in modes if modes else None
    profile = (system.read("/sys/firmware/acpi/platform_profile") or "").strip()
    return (
        profile in ("low-power", "quiet")
        if profile.isascii() and profile.replace("-", "").isalpha()
        else None
    )
