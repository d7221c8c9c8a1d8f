"""The software below: operating system and torch."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import re
from types import ModuleType

from trm_engine.hardware.facts import OperatingSystem, TorchBuild
from trm_engine.hardware.system import System, attempt, fact


def read_operating_system(system: System) -> OperatingSystem:
    """Read name, release and kernel."""
    python = platform.python_version()
    if system.platform == "darwin":
        version = system.command("sw_vers", "-productVersion")
        kernel = system.sysctl("kern.osrelease").get("kern.osrelease")
        return OperatingSystem(name="macOS", version=fact(version), kernel=fact(kernel), python=python)
    if system.platform.startswith("linux"):
        kernel = system.read("/proc/sys/kernel/osrelease")
        return OperatingSystem(
            name="Linux", version=_distribution(system), kernel=fact(kernel), python=python
        )
    return OperatingSystem(
        name=fact(attempt(platform.system)),
        version=fact(attempt(platform.version)),
        kernel=fact(attempt(platform.release)),
        python=python,
    )


def read_machine(system: System) -> str:
    """Return what the maker calls the computer, such as `MacBookPro15,2` or `20W0CTO1WW`."""
    if system.platform == "darwin":
        return fact(system.sysctl("hw.model").get("hw.model"))
    for name in ("/sys/class/dmi/id/product_name", "/proc/device-tree/model"):
        text = system.read(name)
        if text is not None:
            return fact(text)
    return fact(None)


def _distribution(system: System) -> str:
    for line in (system.read("/etc/os-release") or "").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "PRETTY_NAME":
            return fact(value.strip().strip("\"'"))
    return fact(None)


_BLAS = re.compile(r"\bBLAS_INFO=(\w+)")
_OPENMP = re.compile(r"^\s*-\s*OpenMP (.+)$", re.MULTILINE)
_BACKEND = re.compile(r"^ATen parallel backend:(.+)$", re.MULTILINE)


def import_torch() -> ModuleType | None:
    """Import torch (a second, 200 MB), or return None where it is missing or broken."""
    return attempt(lambda: importlib.import_module("torch"))


def read_torch_build(torch: ModuleType | None) -> TorchBuild:
    """Describe the imported `torch`; with None, only the version that is installed."""
    if torch is None:
        return TorchBuild(version=fact(attempt(lambda: importlib.metadata.version("torch"))))
    config = attempt(lambda: str(torch.__config__.show())) or ""
    parallel = attempt(lambda: str(torch.__config__.parallel_info())) or ""
    threads = attempt(lambda: int(torch.get_num_threads())) or 0
    return TorchBuild(
        version=fact(attempt(lambda: str(torch.__version__))),
        blas=_found(_BLAS, config),
        cpu_capability=fact(attempt(lambda: str(torch.backends.cpu.get_cpu_capability()))),
        openmp=_found(_OPENMP, config) if "OpenMP" in config or not config else "none",
        parallel_backend=_found(_BACKEND, parallel),
        onednn=attempt(lambda: bool(torch.backends.mkldnn.is_available())),
        default_threads=threads if 0 < threads <= 2**16 else None,
    )


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return fact(match[1] if match else None)
