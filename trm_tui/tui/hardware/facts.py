"""What is known of a machine in words, group by group."""

from __future__ import annotations

from collections.abc import Iterator

from trm_engine.hardware import Hardware
from trm_engine.hardware.facts import UNKNOWN
from trm_engine.text import format_bytes, format_cache, safe_text
from trm_tui.shared.gpu import gpu_words

Fact = tuple[str, str]


def groups(machine: Hardware) -> list[tuple[str, list[Fact]]]:
    """Return titles with their facts. What is not known is said to be, where a person would look for it."""
    found = {
        "Processor": _processor(machine),
        "Memory": _memory(machine),
        "Graphics": _graphics(machine),
        "torch": _torch(machine),
        "System": _system(machine),
    }
    return [(title, [(label, safe_text(text)) for label, text in facts]) for title, facts in found.items()]


def _processor(machine: Hardware) -> Iterator[Fact]:
    cpu = machine.cpu
    yield "model", cpu.model
    yield "kind", " · ".join(name for name in (cpu.architecture, cpu.vendor) if name != UNKNOWN) or UNKNOWN
    yield "cores", f"{_known(cpu.physical_cores)} physical, {_known(cpu.logical_cores)} logical"
    if cpu.performance_cores or cpu.efficiency_cores:
        yield "", f"{_known(cpu.performance_cores)} fast, {_known(cpu.efficiency_cores)} efficient"
    quota = f", {cpu.quota_cores:g} by quota" if cpu.quota_cores else ""
    yield "usable", f"{_known(cpu.usable_physical_cores)} physical, {_known(cpu.usable_cores)} logical{quota}"
    if cpu.max_frequency_mhz:
        yield "frequency", f"up to {cpu.max_frequency_mhz / 1000:.1f} GHz"
    yield "vectors", " ".join(cpu.extensions) or UNKNOWN
    sizes = (cpu.caches.l1d_bytes, cpu.caches.l2_bytes, cpu.caches.l3_bytes)
    caches = [f"L{level} {format_cache(size)}" for level, size in enumerate(sizes, 1) if size is not None]
    yield "caches", " · ".join(caches) or UNKNOWN
    if machine.gemm_gflops:
        yield "products", f"{machine.gemm_gflops:,.0f} GFLOP/s in fp32 matrix products"


def _memory(machine: Hardware) -> Iterator[Fact]:
    memory = machine.memory
    yield "installed", _size(memory.total_bytes)
    yield "available", _size(memory.effective_available_bytes)
    yield "limit", _size(memory.limit_bytes) if memory.limit_bytes is not None else "none set by a container"
    if memory.swap_total_bytes:
        yield "swap", f"{_size(memory.swap_used_bytes)} of {_size(memory.swap_total_bytes)} used"
    elif memory.swap_total_bytes == 0:
        yield "swap", "none"


def _graphics(machine: Hardware) -> Iterator[Fact]:
    if not machine.gpus:
        yield "", "nothing that torch could compute on"
    for gpu in machine.gpus:
        yield gpu.kind.upper(), gpu_words(gpu)


def _torch(machine: Hardware) -> Iterator[Fact]:
    torch = machine.torch
    yield "version", torch.version
    if torch.onednn is None and torch.blas == UNKNOWN:
        return
    yield "BLAS", torch.blas
    yield "kernels", torch.cpu_capability
    yield "oneDNN", {True: "built in", False: "not built in", None: UNKNOWN}[torch.onednn]
    yield "threads", f"{_known(torch.default_threads)} by default"
    yield "OpenMP", torch.openmp


def _system(machine: Hardware) -> Iterator[Fact]:
    system, power = machine.os, machine.power
    if machine.machine != UNKNOWN:
        yield "machine", machine.machine
    yield "system", " ".join(name for name in (system.name, system.version) if name != UNKNOWN) or UNKNOWN
    yield "Python", system.python
    if power.battery_percent is not None:
        source = "plugged in" if power.plugged_in else "on battery: it may be slower"
        yield "battery", f"{power.battery_percent:.0f} %, {source}"
    if power.saver:
        yield "power", "saving: the processor is slowed down"
    if power.speed_limit_percent is not None and power.speed_limit_percent < 100:
        yield "heat", f"throttled to {power.speed_limit_percent:.0f} % of its speed"


def _known(count: int | None) -> str:
    return UNKNOWN if count is None else str(count)


def _size(count: int | None) -> str:
    return UNKNOWN if count is None else format_bytes(count)
