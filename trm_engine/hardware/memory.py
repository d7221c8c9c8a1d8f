"""Memory: the machine's, and what its control groups and its own limits leave to this process."""

from __future__ import annotations

from trm_engine.hardware.cgroup import ControlGroups
from trm_engine.hardware.facts import Memory, least
from trm_engine.hardware.rlimits import read_process_limit
from trm_engine.hardware.system import System, attempt, count


def read_memory(system: System, groups: ControlGroups) -> Memory:
    """Read RAM, swap and limits as they are now."""
    ram, swap = _linux(system) if system.platform.startswith("linux") else (None, None)
    ram = ram or attempt(system.counters.memory) or (None, None)
    swap = swap or attempt(system.counters.swap) or (None, None)
    total, available = ram
    if total is None and system.platform == "darwin":
        total = count(system.sysctl("hw.memsize").get("hw.memsize"))
    group, own = groups.memory(), read_process_limit(system)
    return Memory(
        total_bytes=total,
        available_bytes=available,
        swap_total_bytes=swap[0],
        swap_used_bytes=swap[1],
        limit_bytes=least(group.limit_bytes, own.limit_bytes),
        headroom_bytes=least(group.headroom_bytes, own.headroom_bytes),
    )


_ABSURD_KB = 2**50
_Pair = tuple["int | None", "int | None"]


def _linux(system: System) -> tuple[_Pair | None, _Pair | None]:
    """Return RAM (total, available) and swap (total, used) from /proc/meminfo."""
    sizes = {}
    for line in (system.read("/proc/meminfo") or "").splitlines():
        key, _, value = line.partition(":")
        kilobytes = count(value.strip().removesuffix("kB"))
        if kilobytes is not None and kilobytes < _ABSURD_KB:
            sizes[key] = kilobytes * 1024
    total, swap_total, swap_free = (sizes.get(key) for key in ("MemTotal", "SwapTotal", "SwapFree"))
    used = max(0, swap_total - swap_free) if swap_total is not None and swap_free is not None else None
    return (
        (total, sizes.get("MemAvailable")) if total is not None else None,
        (swap_total, used) if swap_total is not None else None,
    )
