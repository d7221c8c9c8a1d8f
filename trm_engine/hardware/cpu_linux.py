"""The processor as Linux tells of it: /proc/cpuinfo, /sys/devices, and `lscpu` for an ARM core's name."""

from __future__ import annotations

from trm_engine.hardware.extensions import extensions_of
from trm_engine.hardware.facts import Caches, Cpu
from trm_engine.hardware.system import System, count, fact

_CPUS = "/sys/devices/system/cpu"
_MAX_CPUS = 8192  # a damaged list must not become a set of a billion
_VENDORS = {
    "GenuineIntel": "Intel",
    "AuthenticAMD": "AMD",
    "0x41": "ARM",
    "0x51": "Qualcomm",
    "0x61": "Apple",
    "0xc0": "Ampere",
}
_UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3}


def linux_cpu(system: System) -> Cpu:
    """Read what Linux tells of the processor; affinity is counted, quotas are not."""
    processors = _cpuinfo(system.read("/proc/cpuinfo"))
    first = processors[0] if processors else {}
    present = cpu_list(system.read(f"{_CPUS}/online")) or set(range(len(processors)))
    allowed = (_affinity(system) & present) or present
    cores = {cpu: _core_of(system, cpu) for cpu in sorted(present)}
    fast, slow = (
        cpu_list(system.read(f"/sys/devices/{kind}/cpus")) & present for kind in ("cpu_core", "cpu_atom")
    )
    hybrid = bool(fast and slow)
    vendor = first.get("vendor_id") or first.get("CPU implementer", "")
    return Cpu(
        model=_model(system, first),
        vendor=fact(_VENDORS.get(vendor, vendor)),
        physical_cores=_distinct(cores, present),
        logical_cores=len(present) or None,
        performance_cores=_distinct(cores, fast) if hybrid else None,
        efficiency_cores=_distinct(cores, slow) if hybrid else None,
        usable_cores=len(allowed) or None,
        usable_physical_cores=_distinct(cores, allowed),
        extensions=extensions_of((first.get("flags") or first.get("Features") or "").split()),
        caches=_caches(system, min(fast if hybrid else allowed, default=0)),
        max_frequency_mhz=_frequency(system, present),
    )


def cpu_list(text: str | None) -> set[int]:
    """Return the numbers in a kernel CPU list such as `0-3,8`; what is no such list is left out."""
    numbers: set[int] = set()
    for part in (text or "").strip().split(","):
        low, dash, high = part.partition("-")
        start, stop = count(low), count(high if dash else low)
        if start is not None and stop is not None and start <= stop < _MAX_CPUS:
            numbers.update(range(start, stop + 1))
    return numbers


def _cpuinfo(text: str | None) -> list[dict[str, str]]:
    """Return one table a processor; ARM's shared lines at the end become no processor."""
    tables = []
    for block in (text or "").split("\n\n"):
        pairs = (line.partition(":") for line in block.splitlines())
        table = {key.strip(): value.strip() for key, colon, value in pairs if colon}
        if "processor" in table:
            tables.append(table)
    return tables[:_MAX_CPUS]


def _affinity(system: System) -> set[int]:
    # From the file rather than from sched_getaffinity: an OpenMP runtime may have bound the calling thread.
    for line in (system.read("/proc/self/status") or "").splitlines():
        if line.startswith("Cpus_allowed_list:"):
            return cpu_list(line.partition(":")[2])
    return set()


def _core_of(system: System, cpu: int) -> str | None:
    """Return the physical core of a CPU by the list of its hardware threads."""
    for name in ("core_cpus_list", "thread_siblings_list"):
        threads = cpu_list(system.read(f"{_CPUS}/cpu{cpu}/topology/{name}"))
        if cpu in threads:
            return ",".join(map(str, sorted(threads)))
    return None


def _distinct(cores: dict[int, str | None], cpus: set[int]) -> int | None:
    """Return the number of physical cores behind `cpus`; None when one of them is not known."""
    found = {cores.get(cpu) for cpu in cpus}
    return None if not found or None in found else len(found)


def _model(system: System, first: dict[str, str]) -> str:
    named = first.get("model name")
    if named is None:
        for line in (system.command("lscpu") or "").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "Model name":
                named = value
                break
    return fact(named)


def _caches(system: System, cpu: int) -> Caches:
    sizes: dict[tuple[str, str], int | None] = {}
    for index in range(8):
        folder = f"{_CPUS}/cpu{cpu}/cache/index{index}"
        kind = (system.read(f"{folder}/type") or "").strip()
        level = (system.read(f"{folder}/level") or "").strip()
        sizes[level, kind] = _size(system.read(f"{folder}/size"))
    return Caches(
        l1d_bytes=sizes.get(("1", "Data")),
        l2_bytes=sizes.get(("2", "Unified")),
        l3_bytes=sizes.get(("3", "Unified")),
    )


def _size(text: str | None) -> int | None:
    digits = (text or "").strip()
    unit = _UNITS.get(digits[-1:].upper(), 0)
    number = count(digits[:-1] if unit else digits)
    size = number * (unit or 1) if number else 0
    return size if 0 < size < 2**40 else None


def _frequency(system: System, cpus: set[int]) -> float | None:
    """Return the highest frequency in MHz that a governor may choose."""
    kilohertz = [system.read_count(f"{_CPUS}/cpu{cpu}/cpufreq/cpuinfo_max_freq") for cpu in cpus]
    highest = max((value for value in kilohertz if value), default=0) / 1000
    return highest if 0 < highest <= 1e5 else None
