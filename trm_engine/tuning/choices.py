"""What the engine chooses by itself before a run, and why."""

from __future__ import annotations

import os

from trm_engine.config import RuntimeConfig
from trm_engine.decisions import Decision
from trm_engine.hardware import Hardware
from trm_engine.process_setup import preparations


def choose_threads(asked: int, hardware: Hardware) -> tuple[int, Decision]:
    """Return how many threads compute: those asked for, else one for each physical core."""
    if asked:
        return asked, Decision("threads", str(asked), "as configured")
    count = hardware.cpu.usable_physical_cores or hardware.cpu.usable_cores or os.cpu_count() or 1
    return count, Decision("threads", str(count), "the physical cores this process may use")


def choose_kernels(runtime: RuntimeConfig) -> Decision:
    """Return which operations the model computes with."""
    if runtime.tuning == "off":
        return Decision("kernels", "plain", "runtime.tuning is off")
    return Decision("kernels", "fused", "fewer passes over memory for the same mathematics")


def decisions(runtime: RuntimeConfig) -> list[Decision]:
    """Return the choices that need no measurement."""
    return [*preparations(), choose_kernels(runtime)]
