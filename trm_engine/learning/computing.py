"""What computes a learner's rows, by its configuration, the device and the ranks."""

from __future__ import annotations

import torch
from torch import nn

from trm_engine.compute.accelerator import Accelerator
from trm_engine.compute.compiler import compiler_problem
from trm_engine.compute.compute import Compute, Serial
from trm_engine.compute.devices import prefer_kernels
from trm_engine.compute.parameters import FlatParameters
from trm_engine.compute.parts import Parts
from trm_engine.compute.place import Place
from trm_engine.compute.precision import reduced_type
from trm_engine.compute.threads import Threads
from trm_engine.config.sections import RuntimeConfig
from trm_engine.models.layers import refresh_tiles, use_kernels


def compute_of(
    model: nn.Module,
    parameters: FlatParameters,
    runtime: RuntimeConfig,
    device: torch.device,
    threads: int,
    place: Place,
) -> Compute:
    """Return what computes this process's share of the rows with `threads` threads."""
    reduced = reduced_type(runtime.precision, device)
    if device.type != "cpu":
        prefer_kernels(device)
        compiles = compiler_problem(device, runtime) is None
        accelerator = Accelerator(model, parameters, reduced=reduced, begin=refresh_tiles)
        use_kernels(accelerator.twin, runtime, compiled=compiles)
        return accelerator
    if runtime.reduction == "exact":
        return Parts(model, parameters, threads, rank=place.rank, ranks=place.size, reduced=reduced)
    if runtime.parallelism == "rows" and threads > 1:
        return Threads(model, parameters, threads, reduced=reduced)
    return Serial(model, parameters, reduced=reduced)


def gemm_on(device: torch.device, runtime: RuntimeConfig) -> str:
    """Return which library makes matrix products; a choice there is on the CPU alone."""
    return runtime.gemm if device.type == "cpu" else "default"
