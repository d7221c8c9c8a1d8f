"""Reduced precision of matrix products, where it can be had, and how to get out of it."""

from __future__ import annotations

import functools
import warnings

import torch
from torch import Tensor

from trm_engine.errors import UsageError

_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def reduced_type(precision: str, device: torch.device | None = None) -> torch.dtype | None:
    """Return the type of matrix products that `runtime.precision` names; None for float32.

    `auto` is bfloat16 on a device whose matrix units have it, else float32. Raises `UsageError` where this
    torch cannot compute with it on the CPU.
    """
    if device is not None and device.type != "cpu":
        return torch.bfloat16 if precision == "auto" and has_bfloat16(device) else _TYPES.get(precision)
    found = _TYPES.get(precision)
    if found is torch.float16 and not _has_float16():
        raise UsageError(
            f'runtime.precision = "fp16" needs torch 2.3 or newer, and this is {torch.__version__}; '
            'update it, or take "bf16"'
        )
    return found


def has_bfloat16(device: torch.device) -> bool:
    """Whether the matrix units of a device multiply in bfloat16, and its kind is known to do so well."""
    if device.type == "cuda":
        return torch.version.hip is not None or torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "xpu"


def widened(tensor: Tensor) -> Tensor:
    """Return a tensor of 16-bit numbers in float32; one of wider numbers as it is."""
    return tensor.float() if tensor.dtype in _TYPES.values() else tensor


def widest(tensor: Tensor) -> Tensor:
    """Return a tensor in float64; in float32 on the kind of device that has none."""
    return tensor.float() if tensor.device.type == "mps" else tensor.double()


@functools.cache
def _has_float16() -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an older torch warns that it turns the type off
        with torch.autocast("cpu", torch.float16):
            return bool((torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float16)
