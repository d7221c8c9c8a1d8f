"""Whether torch can compile for a device here: it needs Triton and a C compiler, on a CPU a C++ compiler."""

from __future__ import annotations

import functools
import os
import warnings

import torch

from trm_engine.config.sections import RuntimeConfig
from trm_engine.paths import cache_folder
from trm_engine.text import first_line


def compiler_problem(device: torch.device, runtime: RuntimeConfig) -> str | None:
    """Return why the blocks of a model are not compiled for a device; None: they can be.

    Found out by compiling next to nothing, once in a process.
    """
    if runtime.tuning == "off":
        return "runtime.tuning is off"
    return _trial(device.type)


@functools.cache
def _trial(kind: str) -> str | None:
    if kind == "mps":
        return "torch's compiler for MPS is not finished"
    # Compiled kernels are kept, so that another run of the same shapes begins at once.
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_folder() / "compiled"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of its own parts that are to go
            torch.compile(_next_to_nothing, dynamic=False)(torch.ones(8, device=kind))
    except Exception as error:  # which ones torch's compiler raises is not documented
        first = first_line(str(error), type(error).__name__)
        return f"torch cannot compile here: {first}"
    return None


def _next_to_nothing(x: torch.Tensor) -> torch.Tensor:
    return 2 * x + 1
