"""What the engine chooses by itself before a run, and why."""

from __future__ import annotations

import os
from collections.abc import Mapping

import torch

from trm_engine.compute.compiler import compiler_problem
from trm_engine.compute.devices import chosen
from trm_engine.compute.precision import has_bfloat16
from trm_engine.config import RuntimeConfig
from trm_engine.decisions import Decision
from trm_engine.hardware import Hardware
from trm_engine.process_setup import preparations

_OMP = "OMP_NUM_THREADS"


def choose_threads(
    asked: int, hardware: Hardware, environment: Mapping[str, str] = os.environ, *, ranks: int = 1
) -> tuple[int, Decision]:
    """Return how many threads compute: those asked for, else `OMP_NUM_THREADS`, else one a physical core.

    Of several `ranks` on one machine each takes its share; `OMP_NUM_THREADS` is for each process.
    """
    told = environment.get(_OMP, "")
    first = told.split(",")[0].strip()  # further numbers are for nested teams, of which there are none
    most = int(first) if first.isascii() and first.isdigit() and len(first) < 5 else 0
    if asked:
        overruled = f"; runtime.threads overrules {_OMP}={first}" if most and most != asked else ""
        if ranks > 1:
            share = max(1, asked // ranks)
            why = f"{ranks} ranks share {asked}, as configured"
            return share, Decision("threads", f"{share} a rank", why)
        return asked, Decision("threads", str(asked), f"as configured{overruled}")
    if most:
        return most, Decision("threads", str(most), f"{_OMP} is set in the environment")
    count = hardware.cpu.usable_physical_cores or hardware.cpu.usable_cores or os.cpu_count() or 1
    if ranks > 1:
        share = max(1, count // ranks)
        return share, Decision("threads", f"{share} a rank", f"{ranks} ranks share {count} physical cores")
    return count, Decision("threads", str(count), "the physical cores this process may use")


def choose_kernels(runtime: RuntimeConfig) -> Decision | None:
    """Return which operations the model computes with; None where the tuner tells."""
    device = chosen(runtime.device)[0]
    if device.type != "cpu":
        why = compiler_problem(device, runtime)
        if why is not None:
            return Decision("kernels", "plain", why)
        graph = ", each step recorded as one CUDA graph" if device.type == "cuda" else ""
        return Decision("kernels", f"blocks compiled{graph}", "fewer passes over memory, fewer launches")
    if runtime.tuning == "off":
        return Decision("kernels", "plain", "runtime.tuning is off")
    return None


def decisions(runtime: RuntimeConfig) -> list[Decision]:
    """Return the choices that need no measurement."""
    kernels = choose_kernels(runtime)
    return [*preparations(), chosen(runtime.device)[1], *([kernels] if kernels else [])]


def choose_precision(runtime: RuntimeConfig, device: torch.device) -> Decision:
    """Return the precision of matrix products on a device that is not the processor."""
    if runtime.precision != "auto":
        default = runtime.precision == type(runtime).model_fields["precision"].default
        return Decision("precision", runtime.precision, "default" if default else "as configured")
    if has_bfloat16(device):
        why = f"{device} has matrix units for it; weights are kept and updated in float32"
        return Decision("precision", "bf16", why)
    return Decision("precision", "exact", f"{device} has no matrix units for bfloat16 that are known to help")
