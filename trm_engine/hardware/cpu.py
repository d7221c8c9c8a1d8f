"""The processor, by whatever this system tells of it."""

from __future__ import annotations

from trm_engine.hardware.cpu_linux import linux_cpu
from trm_engine.hardware.cpu_macos import macos_cpu
from trm_engine.hardware.facts import Cpu
from trm_engine.hardware.system import System, attempt, fact


def read_cpu(system: System, quota_cores: float | None) -> Cpu:
    """Read the processor's facts; what a system does not tell is asked of psutil.

    `quota_cores`: the cores' worth of time that a control group grants, or None.
    """
    if system.platform.startswith("linux"):
        found = attempt(lambda: linux_cpu(system))
    elif system.platform == "darwin":
        found = attempt(lambda: macos_cpu(system))
    else:
        found = None
    cpu = found or Cpu()
    physical, logical = attempt(system.counters.cores) or (None, None)
    physical, logical = cpu.physical_cores or physical or None, cpu.logical_cores or logical or None
    return cpu.model_copy(
        update={
            "architecture": fact(system.architecture),
            "physical_cores": physical,
            "logical_cores": logical,
            "quota_cores": quota_cores,
            "usable_cores": _within_quota(cpu.usable_cores or logical, quota_cores),
            "usable_physical_cores": _within_quota(
                cpu.usable_physical_cores or _at_most(physical, cpu.usable_cores), quota_cores
            ),
            "max_frequency_mhz": cpu.max_frequency_mhz or attempt(system.counters.frequency_mhz),
        }
    )


def _within_quota(cores: int | None, quota: float | None) -> int | None:
    """Return the cores that a quota can keep busy: with a thread more, all wait for the one held back."""
    return _at_most(cores, max(1, int(quota)) if quota is not None else None)


def _at_most(cores: int | None, limit: int | None) -> int | None:
    return min(cores, limit) if cores is not None and limit is not None else cores
