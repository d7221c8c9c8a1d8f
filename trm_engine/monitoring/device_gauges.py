"""How a graphics processor that this process computes on is doing: memory, load, power, heat.

Memory is told by torch; the rest by NVML, where `nvidia-ml-py` is installed (`pip install trm-tui[gpu]`).
"""

from __future__ import annotations

import functools
import importlib
import sys
from dataclasses import dataclass
from typing import Any

from trm_engine.hardware.system import attempt


@dataclass(frozen=True)
class DeviceSample:
    """One look at a device; None: not to be had."""

    name: str
    """As torch names it: `cuda:0`."""
    held_bytes: int
    """Memory that this process holds there, free blocks that it keeps included."""
    free_bytes: int
    """Memory that is left there."""
    total_bytes: int
    """Memory that the device has."""
    load_percent: float | None = None
    """Share of the last moment in which it computed anything; 0 … 100."""
    watts: float | None = None
    """Power that it draws."""
    celsius: float | None = None
    """Its temperature."""


def read_device() -> DeviceSample | None:
    """Return a sample of the device on which this process holds most memory; None where it holds none.

    Never raises, and never makes torch load or a device begin its work.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    return attempt(lambda: _read_cuda(torch)) or attempt(lambda: _read_mps(torch))


def _read_cuda(torch: Any) -> DeviceSample | None:
    if not torch.cuda.is_initialized():
        return None
    held = [torch.cuda.memory_reserved(number) for number in range(torch.cuda.device_count())]
    number = held.index(max(held))
    if not held[number]:
        return None
    free, total = torch.cuda.mem_get_info(number)
    uuid = str(getattr(torch.cuda.get_device_properties(number), "uuid", ""))
    load, watts, celsius = attempt(lambda: _ask_nvml(uuid, number)) or (None, None, None)
    return DeviceSample(f"cuda:{number}", held[number], free, total, load, watts, celsius)


def _read_mps(torch: Any) -> DeviceSample | None:
    if not torch.backends.mps.is_available():
        return None
    held, most = int(torch.mps.driver_allocated_memory()), int(torch.mps.recommended_max_memory())
    return DeviceSample("mps:0", held, max(most - held, 0), most) if held else None


@functools.cache
def _nvml() -> Any:
    """Return NVML, begun once in a process; None where it is not to be had."""

    def begun() -> Any:
        module = importlib.import_module("pynvml")
        module.nvmlInit()
        return module

    return attempt(begun)


def _ask_nvml(uuid: str, number: int) -> tuple[float | None, float | None, float | None]:
    nvml = _nvml()
    if nvml is None:
        return None, None, None
    # Numbers of devices differ where the environment hides some; identities do not.
    handle = (
        nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}") if uuid else nvml.nvmlDeviceGetHandleByIndex(number)
    )
    return (
        attempt(lambda: float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)),
        attempt(lambda: nvml.nvmlDeviceGetPowerUsage(handle) / 1000),
        attempt(lambda: float(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))),
    )
