"""The operating system and the computer's own name."""

from __future__ import annotations

import platform

from trm_engine.hardware.facts import OperatingSystem
from trm_engine.hardware.system import System, attempt, one_line


def read_operating_system(system: System) -> OperatingSystem:
    """Read name, release and kernel."""
    python = platform.python_version()
    if system.platform == "darwin":
        version = system.command("sw_vers", "-productVersion")
        kernel = system.sysctl("kern.osrelease").get("kern.osrelease")
        return OperatingSystem(
            name="macOS", version=one_line(version), kernel=one_line(kernel), python=python
        )
    if system.platform.startswith("linux"):
        kernel = system.read("/proc/sys/kernel/osrelease")
        return OperatingSystem(
            name="Linux", version=_distribution(system), kernel=one_line(kernel), python=python
        )
    return OperatingSystem(
        name=one_line(attempt(platform.system)),
        version=one_line(attempt(platform.version)),
        kernel=one_line(attempt(platform.release)),
        python=python,
    )


def read_machine(system: System) -> str:
    """Return what the maker calls the computer, such as `MacBookPro15,2` or `20W0CTO1WW`."""
    if system.platform == "darwin":
        return one_line(system.sysctl("hw.model").get("hw.model"))
    for name in ("/sys/class/dmi/id/product_name", "/proc/device-tree/model"):
        text = system.read(name)
        if text is not None:
            return one_line(text)
    return one_line(None)


def _distribution(system: System) -> str:
    for line in (system.read("/etc/os-release") or "").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "PRETTY_NAME":
            return one_line(value.strip().strip("\"'"))
    return one_line(None)
