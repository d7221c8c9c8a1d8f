"""How fast the graphics processors of this machine multiply and copy: what times are planned with."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from trm_engine.compute.devices import found_devices, on, synchronize
from trm_engine.compute.precision import has_bfloat16
from trm_engine.hardware import Hardware
from trm_engine.hardware.facts import Gpu
from trm_engine.monitoring.allocator import give_back, is_out_of_memory
from trm_engine.tuning.cache import Trial, TuningCache, machine_key

_SIDE, _SMALL_SIDE = 8192, 2048
_COPIED_BYTES = 2**28
_SECONDS = 0.1
_SETTING = "device rates"


def with_device_rates(hardware: Hardware, cache: TuningCache | None = None) -> Hardware:
    """Return the machine with the rates of its graphics processors, measured where they are not known yet.

    Takes a second or two where a device has to wake up first. The rates of a profile stand.
    """
    if hardware.profile or not any(gpu.usable for gpu in hardware.gpus):
        return hardware
    cache = cache or TuningCache()
    return hardware.model_copy(update={"gpus": tuple(_rated(gpu, hardware, cache) for gpu in hardware.gpus)})


def _rated(gpu: Gpu, hardware: Hardware, cache: TuningCache) -> Gpu:
    name = f"{gpu.kind}:{gpu.number}"
    if gpu.fp32_gflops or name not in {found.name for found in found_devices()}:
        return gpu
    key = machine_key(hardware, _SETTING, {"device": name, "name": gpu.name})
    trial = cache.find(key)
    if trial is None:
        try:
            rates = _rates(torch.device(gpu.kind, gpu.number))
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            return gpu  # somebody else fills it
        trial = Trial.now(gpu.name, _SETTING, rates, unit="G/s")
        cache.put(key, trial)
    return gpu.model_copy(update={name: rate for name, rate in trial.rates.items() if rate > 0})


def _rates(device: torch.device) -> dict[str, float]:
    """Return rates by the names that they have among the facts: GFLOP/s, GB/s."""
    with on(device):
        found = {"fp32_gflops": _products(device, torch.float32)}
        if has_bfloat16(device):
            found["bf16_gflops"] = _products(device, torch.bfloat16)
        found["copy_gb_per_second"] = _copies(device)
    give_back()
    return found


def _copies(device: torch.device) -> float:
    """Return the rate of a copy, bytes read and written."""
    source = torch.empty(_COPIED_BYTES, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * _COPIED_BYTES / _seconds(device, lambda: target.copy_(source)) / 1e9


def _products(device: torch.device, dtype: torch.dtype) -> float:
    """Return the rate of large products; of smaller ones where these would take long."""
    for side in (_SMALL_SIDE, _SIDE):
        a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
        out = torch.empty_like(a)
        seconds = _seconds(device, lambda a=a, b=b, out=out: torch.mm(a, b, out=out))  # type: ignore[misc]
        rate = 2 * side**3 / seconds / 1e9
        if 2 * _SIDE**3 / (rate * 1e9) > _SECONDS:
            break
    return rate


def _seconds(device: torch.device, work: Callable[[], object]) -> float:
    """Return the time of some work on a device, the mean of as many as take a moment."""
    work()
    synchronize(device)
    count, started = 1, time.perf_counter()
    while True:
        for _ in range(count):
            work()
        synchronize(device)
        seconds = time.perf_counter() - started
        if seconds > _SECONDS / 4 or count >= 64:
            return seconds / count
        count, started = count * 4, time.perf_counter()
