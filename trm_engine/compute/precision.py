"""Reduced precision of matrix products, and whether this torch has it on the CPU."""

from __future__ import annotations

import functools
import warnings

import torch

from trm_engine.errors import UsageError

_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def reduced_type(precision: str) -> torch.dtype | None:
    """Return the type of matrix products that `runtime.precision` names; None for float32.

    Raises `UsageError` where this torch cannot compute with it on the CPU.
    """
    found = _TYPES.get(precision)
    if found is torch.float16 and not _has_float16():
        raise UsageError(
            f'runtime.precision = "fp16" needs torch 2.3 or newer, and this is {torch.__version__}; '
            'update it, or take "bf16"'
        )
    return found


@functools.cache
def _has_float16() -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an older torch warns that it turns the type off
        with torch.autocast("cpu", torch.float16):
            return bool((torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float16)
