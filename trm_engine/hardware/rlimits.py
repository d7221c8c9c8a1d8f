"""Limits that the process itself is under: `ulimit -v` and `ulimit -d` on Linux.

Source: getrlimit(2). RLIMIT_DATA counts private writable mappings since Linux 4.7, so both bound what torch
can allocate. Other systems keep these limits but do not enforce them.
"""

from __future__ import annotations

from trm_engine.hardware.cgroup import MemoryLimit
from trm_engine.hardware.system import System, count

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
