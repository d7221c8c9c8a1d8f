"""The processor as macOS tells of it: the kernel variables `hw` and `machdep.cpu`, Intel and Apple silicon.

Source: Apple's "Determining system capabilities" (sysctlbyname).
"""

from __future__ import annotations

from trm_engine.hardware.extensions import extensions_of, macos_flags
from trm_engine.hardware.facts import Caches, Cpu
from trm_engine.hardware.system import System, count, fact

_VENDORS = {"GenuineIntel": "Intel"}


def macos_cpu(system: System) -> Cpu:
    """Read what macOS tells of the processor. It has neither affinity nor quotas: every core is usable."""
    hw, machdep = system.sysctl("hw"), system.sysctl("machdep.cpu")
    model = fact(machdep.get("machdep.cpu.brand_string"))
    vendor = machdep.get("machdep.cpu.vendor") or ("Apple" if model.startswith("Apple") else None)
    physical = _cores(hw, "hw.physicalcpu")
    logical = _cores(hw, "hw.logicalcpu") or _cores(hw, "hw.ncpu")
    hybrid = (count(hw.get("hw.nperflevels")) or 0) > 1
    hertz = count(hw.get("hw.cpufrequency_max")) or 0
    return Cpu(
        model=model,
        vendor=fact(_VENDORS.get(vendor or "", vendor)),
        physical_cores=physical,
        logical_cores=logical,
        performance_cores=_cores(hw, "hw.perflevel0.physicalcpu") if hybrid else None,
        efficiency_cores=_cores(hw, "hw.perflevel1.physicalcpu") if hybrid else None,
        usable_cores=logical,
        usable_physical_cores=physical,
        extensions=extensions_of(macos_flags(hw, machdep)),
        caches=Caches(
            l1d_bytes=_cache(hw, "l1dcachesize"),
            l2_bytes=_cache(hw, "l2cachesize"),
            l3_bytes=_cache(hw, "l3cachesize"),
        ),
        max_frequency_mhz=hertz / 1e6 if 0 < hertz <= 1e11 else None,
    )


def _cores(hw: dict[str, str], key: str) -> int | None:
    number = count(hw.get(key)) or 0
    return number if 0 < number <= 2**16 else None


def _cache(hw: dict[str, str], name: str) -> int | None:
    """Return a cache's size: the fast cores' where cores differ, for `hw.*` then tells the slow ones'."""
    return count(hw.get(f"hw.perflevel0.{name}")) or count(hw.get(f"hw.{name}")) or None
