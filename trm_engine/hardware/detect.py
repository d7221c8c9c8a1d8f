"""Detection: every probe once, each allowed to fail."""

from __future__ import annotations

from trm_engine.hardware.cgroup import ControlGroups, find_control_groups
from trm_engine.hardware.cpu import read_cpu
from trm_engine.hardware.facts import UNKNOWN, Cpu, Hardware, Memory, OperatingSystem, Power, TorchBuild
from trm_engine.hardware.gpu import read_gpus
from trm_engine.hardware.memory import read_memory
from trm_engine.hardware.power import read_power
from trm_engine.hardware.software import (
    import_torch,
    read_machine,
    read_operating_system,
    read_torch_build,
)
from trm_engine.hardware.system import System, attempt


def detect(*, with_torch: bool = False, system: System | None = None) -> Hardware:
    """Return what this machine (or another `system`) tells of itself; what it does not tell stays unknown.

    `with_torch` imports torch to ask it about GPUs and its own build; without, only its version is known.
    Never raises.
    """
    looked_at = system or System()
    groups = attempt(lambda: find_control_groups(looked_at)) or ControlGroups(looked_at)
    torch = import_torch() if with_torch else None
    return Hardware(
        machine=attempt(lambda: read_machine(looked_at)) or UNKNOWN,
        cpu=attempt(lambda: read_cpu(looked_at, attempt(groups.cpu_quota))) or Cpu(),
        memory=attempt(lambda: read_memory(looked_at, groups)) or Memory(),
        power=attempt(lambda: read_power(looked_at)) or Power(),
        gpus=attempt(lambda: read_gpus(looked_at, torch)) or (),
        torch=attempt(lambda: read_torch_build(torch)) or TorchBuild(),
        os=attempt(lambda: read_operating_system(looked_at)) or OperatingSystem(),
    )
