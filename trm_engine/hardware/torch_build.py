"""The installed torch: its version always, the rest of it once it has been imported."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from types import ModuleType

from trm_engine.hardware.facts import TorchBuild
from trm_engine.hardware.system import attempt, one_line

_BLAS = re.compile(r"\bBLAS_INFO=(\w+)")
_OPENMP = re.compile(r"^\s*-\s*OpenMP (.+)$", re.MULTILINE)
_BACKEND = re.compile(r"^ATen parallel backend:(.+)$", re.MULTILINE)


def import_torch() -> ModuleType | None:
    """Import torch (a second, 200 MB), or return None where it is missing or broken."""
    return attempt(lambda: importlib.import_module("torch"))


def read_torch_build(torch: ModuleType | None) -> TorchBuild:
    """Describe the imported `torch`; with None, only the version that is installed."""
    if torch is None:
        return TorchBuild(version=one_line(attempt(lambda: importlib.metadata.version("torch"))))
    config = attempt(lambda: str(torch.__config__.show())) or ""
    parallel = attempt(lambda: str(torch.__config__.parallel_info())) or ""
    threads = attempt(lambda: int(torch.get_num_threads())) or 0
    return TorchBuild(
        version=one_line(attempt(lambda: str(torch.__version__))),
        blas=_found(_BLAS, config),
        cpu_capability=one_line(attempt(lambda: str(torch.backends.cpu.get_cpu_capability()))),
        openmp=_found(_OPENMP, config) if "OpenMP" in config or not config else "none",
        parallel_backend=_found(_BACKEND, parallel),
        onednn=attempt(lambda: bool(torch.backends.mkldnn.is_available())),
        default_threads=threads if 0 < threads <= 2**16 else None,
    )


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return one_line(match[1] if match else None)
