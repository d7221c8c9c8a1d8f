"""Graphics processors of the kinds that torch may compute on: CUDA, MPS, XPU."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeVar

from trm_engine.hardware.facts import Gpu
from trm_engine.hardware.system import System, attempt, fact

T = TypeVar("T")
Kind = Literal["cuda", "mps", "xpu"]
_PCI_MAKERS: dict[str, Kind] = {"0x10de": "cuda", "0x8086": "xpu"}
_PCI_DISPLAY = "0x03"


def read_gpus(system: System, torch: ModuleType | None) -> tuple[Gpu, ...]:
    """Return one entry for each kind; `torch` is the imported module, or None to look at the machine only."""
    found = _present(system)
    gpus = [Gpu(kind="cuda", present=found["cuda"], name=_nvidia_name(system))]
    gpus += [Gpu(kind=kind, present=found[kind]) for kind in ("mps", "xpu")]
    if torch is None:
        return tuple(gpus)
    return tuple(one for gpu in gpus for one in _each(_ask_torch(gpu, torch), torch))


def _each(gpu: Gpu, torch: ModuleType) -> Iterator[Gpu]:
    """Yield a device, and those of its kind that are beside it."""
    yield gpu
    if gpu.usable and gpu.kind != "mps":
        count = attempt(lambda: int(getattr(torch, gpu.kind).device_count())) or 1
        for number in range(1, count):
            yield _ask_torch(gpu, torch, number)


def _present(system: System) -> dict[Kind, bool | None]:
    if system.platform == "darwin":
        # An Intel Mac computes on a separate AMD GPU only, which just torch can tell.
        mps = True if system.architecture == "arm64" else None
        return {"cuda": False, "mps": mps, "xpu": False}
    if not system.platform.startswith("linux"):
        return {"cuda": None, "mps": False, "xpu": None}
    devices = attempt(lambda: sorted(system.path("/sys/bus/pci/devices").iterdir()))
    makers = {_pci_kind(system, device) for device in devices or []}
    known = devices is not None
    nvidia = "cuda" in makers or system.read("/proc/driver/nvidia/version") is not None or _on_wsl(system)
    return {
        "cuda": nvidia or (False if known else None),
        "mps": False,
        "xpu": "xpu" in makers if known else None,
    }


def _pci_kind(system: System, device: Path) -> Kind | None:
    is_display = (system.read(device / "class") or "").startswith(_PCI_DISPLAY)
    return _PCI_MAKERS.get((system.read(device / "vendor") or "").strip()) if is_display else None


def _on_wsl(system: System) -> bool:
    """Windows lends its NVIDIA driver to Linux through a library, not as a PCI device."""
    return bool(attempt(system.path("/usr/lib/wsl/lib/libcuda.so.1").exists))


def _nvidia_name(system: System) -> str:
    folders = attempt(lambda: sorted(system.path("/proc/driver/nvidia/gpus").iterdir())) or []
    for folder in folders:
        for line in (system.read(folder / "information") or "").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "Model":
                return fact(value)
    return fact(None)


def _ask_torch(gpu: Gpu, torch: ModuleType, number: int = 0) -> Gpu:
    """Return the entry with what torch says of a device of this kind."""
    backend = attempt(lambda: torch.backends.mps if gpu.kind == "mps" else getattr(torch, gpu.kind))
    if backend is None:
        return gpu.model_copy(update={"usable": False})
    usable = _quietly(lambda: bool(backend.is_available()))
    if not usable:
        return gpu.model_copy(update={"usable": usable})
    told = _quietly(lambda: backend.get_device_properties(number)) if gpu.kind != "mps" else None
    memory = attempt(lambda: int(told.total_memory)) if told is not None else None
    name = attempt(lambda: fact(told.name)) if told is not None else None
    return gpu.model_copy(
        update={
            "present": True,
            "usable": True,
            "number": number,
            "memory_bytes": memory,
            "name": name or gpu.name,
            "capability": attempt(lambda: _capability(told)) or gpu.capability,
        }
    )


def _quietly(probe: Callable[[], T]) -> T | None:
    # torch warns about drivers that do not match: "unusable" says it, once, in the report.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return attempt(probe)


def _capability(told: Any) -> str:
    """Return what a device's properties say of its generation: 9.0."""
    return fact(f"{told.major}.{told.minor}")
