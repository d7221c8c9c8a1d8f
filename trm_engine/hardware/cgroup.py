"""Limits that Linux control groups (containers, systemd, batch systems) put on this process, v1 and v2.

A limit may sit on any group between the process's own and the top: every level is read, the tightest wins.
Source: the kernel's admin-guide/cgroup-v1/memory.rst, admin-guide/cgroup-v2.rst and scheduler/sched-bwc.rst.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from trm_engine.hardware.system import System, count

_MAX_DEPTH = 64


@dataclass(frozen=True)
class MemoryLimit:
    """The tightest memory limit and the tightest headroom, in bytes; None: no limit."""

    limit_bytes: int | None = None
    headroom_bytes: int | None = None


@dataclass(frozen=True)
class ControlGroups:
    """The control groups of this process: its own first, then the ones around it."""

    system: System
    memory_v1: tuple[Path, ...] = ()
    cpu_v1: tuple[Path, ...] = ()
    unified: tuple[Path, ...] = ()

    def memory(self) -> MemoryLimit:
        """Read the memory limits as they are now."""
        found = [limit for group in self.unified if (limit := _memory_v2(self.system, group))]
        found += [limit for group in self.memory_v1 if (limit := _memory_v1(self.system, group))]
        if not found:
            return MemoryLimit()
        return MemoryLimit(min(limit for limit, _ in found), min(headroom for _, headroom in found))

    def cpu_quota(self) -> float | None:
        """Return the cores' worth of time that is granted, or None without a limit."""
        quotas = [_cpu_v2(self.system, group) for group in self.unified]
        quotas += [_cpu_v1(self.system, group) for group in self.cpu_v1]
        return min((quota for quota in quotas if quota is not None), default=None)


def find_control_groups(system: System) -> ControlGroups:
    """Find the control groups of this process; none outside Linux, or where the system hides them."""
    if not system.platform.startswith("linux"):
        return ControlGroups(system)
    mounts = _mounts(system)
    folders: dict[str, tuple[Path, ...]] = {}
    for line in (system.read("/proc/self/cgroup") or "").splitlines():
        _, _, rest = line.partition(":")
        controllers, colon, group = rest.partition(":")
        if not colon:
            continue
        for controller in controllers.split(","):  # version 2 has none: ""
            if controller in mounts:
                folders[controller] = _ancestry(system, *mounts[controller], group)
    return ControlGroups(system, folders.get("memory", ()), folders.get("cpu", ()), folders.get("", ()))


def _mounts(system: System) -> dict[str, tuple[str, str]]:
    """Return (root, mount point) of each controller's hierarchy; version 2 is ""."""
    found: dict[str, tuple[str, str]] = {}
    for line in (system.read("/proc/self/mountinfo") or "").splitlines():
        # 35 31 0:32 ROOT MOUNTPOINT options [optional …] - TYPE SOURCE SUPEROPTIONS
        before, dash, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if not dash or len(fields) < 5 or not kind:
            continue
        root, point = (part.replace("\\040", " ") for part in fields[3:5])
        names: Iterable[str] = ()
        if kind[0] == "cgroup2":
            names = ("",)
        elif kind[0] == "cgroup":
            names = set(kind[-1].split(",")) & {"memory", "cpu"}
        for name in names:
            found.setdefault(name, (root, point))
    return found


def _ancestry(system: System, root: str, point: str, group: str) -> tuple[Path, ...]:
    """Return the folders from `group` up to the mount point.

    A container may see a path that does not exist below its own mount (namespaces, `..`): then the mount
    point itself is the process's group.
    """
    inner = PurePosixPath(group)
    if root != "/" and inner.is_relative_to(root):
        inner = "/" / inner.relative_to(root)
    parts = [part for part in inner.parts if part != "/"][:_MAX_DEPTH]
    top = system.path(point)
    leaf = top.joinpath(*parts)
    if ".." in parts or not _is_dir(leaf):
        parts = []
    return tuple(top.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1))


def _is_dir(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _memory_v2(system: System, group: Path) -> tuple[int, int] | None:
    # Above memory.high a process is slowed to a crawl rather than killed: for planning that is a limit too.
    limits = [system.read_count(group / name) for name in ("memory.max", "memory.high")]
    limit = min((limit for limit in limits if limit is not None), default=None)
    used = system.read_count(group / "memory.current")
    return _headroom(limit, used, lambda: _stat(system, group, "inactive_file"))


def _memory_v1(system: System, group: Path) -> tuple[int, int] | None:
    limit = system.read_count(group / "memory.limit_in_bytes")
    used = system.read_count(group / "memory.usage_in_bytes")
    return _headroom(limit, used, lambda: _stat(system, group, "total_inactive_file"))


def _headroom(limit: int | None, used: int | None, cached: Callable[[], int]) -> tuple[int, int] | None:
    """Return (limit, what is left). File pages not used lately count as left: the kernel drops them first."""
    if limit is None:
        return None
    return limit, max(0, limit - max(0, (used or 0) - cached()))


def _stat(system: System, group: Path, key: str) -> int:
    for line in (system.read(group / "memory.stat") or "").splitlines():
        name, _, value = line.partition(" ")
        if name == key:
            return count(value) or 0
    return 0


def _cpu_v2(system: System, group: Path) -> float | None:
    quota, _, period = (system.read(group / "cpu.max") or "").strip().partition(" ")
    return _cores(count(quota), count(period))


def _cpu_v1(system: System, group: Path) -> float | None:
    quota = system.read_count(group / "cpu.cfs_quota_us")
    return _cores(quota, system.read_count(group / "cpu.cfs_period_us"))


def _cores(quota_us: int | None, period_us: int | None) -> float | None:
    return quota_us / period_us if quota_us and period_us else None
