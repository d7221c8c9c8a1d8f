"""Memory: the machine's, and what its control groups and its own limits leave to this process."""

from __future__ import annotations

from trm_engine.hardware.cgroup import ControlGroups, MemoryLimit
from trm_engine.hardware.facts import Memory, least
from trm_engine.hardware.system import System, attempt, count

# The limit's name in /proc/self/limits, and what /proc/self/status counts against it.
_LIMITS = {"Max address space": "VmSize:", "Max data size": "VmData:"}


def read_process_limit(system: System) -> MemoryLimit:
    """Return the tightest limit of this process and what it still leaves."""
    if not system.platform.startswith("linux"):
        return MemoryLimit()
    used = _used(system)
    found = []
    for line in (system.read("/proc/self/limits") or "").splitlines():
        for name, counter in _LIMITS.items():
            words = line.removeprefix(name).split()
            if line.startswith(name) and words and (limit := count(words[0])) is not None:
                found.append((limit, max(0, limit - used.get(counter, 0))))
    if not found:
        return MemoryLimit()
    return MemoryLimit(min(limit for limit, _ in found), min(headroom for _, headroom in found))


def _used(system: System) -> dict[str, int]:
    sizes = {}
    for line in (system.read("/proc/self/status") or "").splitlines():
        name, _, value = line.partition("\t")
        kilobytes = count(value.strip().removesuffix("kB"))
        if name in _LIMITS.values() and kilobytes is not None:
            sizes[name] = kilobytes * 1024
    return sizes


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
