"""Rates of matrix products, measured within a share of time: a small one tells what a large one takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

from trm_engine.tuning.share import Clock, Share, seconds_of

_SMALL = 256  # a product of this side is soon over, even where a type of numbers is emulated
_ENOUGH_SECONDS, _FEWEST = 0.15, 3
_EMULATED = 10.0  # times as slow as float32: more than any overhead


def product_rate(
    sizes: tuple[int, int, int],
    dtype: torch.dtype = torch.float32,
    *,
    seconds: float,
    clock: Clock = time.perf_counter,
    multiply: Callable[[torch.Tensor, torch.Tensor], object] = torch.mm,
) -> float | None:
    """Return the GFLOP/s of a product (n × k) · (k × m), the median of some within `seconds`.

    None: by the rate of a small product, already one would take longer than that.
    """
    small = small_product_rate(dtype, clock=clock, multiply=multiply)
    flops = 2.0 * sizes[0] * sizes[1] * sizes[2]
    if flops / (small * 1e9) > seconds:
        return None
    a, b = (torch.randn(*sides).to(dtype) for sides in (sizes[:2], sizes[1:]))
    share, enough = Share(seconds, clock), Share(_ENOUGH_SECONDS, clock)
    taken = [seconds_of(lambda: multiply(a, b), clock)]  # warms up; counts where there is time for no other
    while share.left > taken[-1] and (len(taken) <= _FEWEST or enough.left > 0):
        taken.append(seconds_of(lambda: multiply(a, b), clock))
    return flops / max(statistics.median(taken[1:] or taken), 1e-9) / 1e9


def small_product_rate(
    dtype: torch.dtype,
    *,
    clock: Clock = time.perf_counter,
    multiply: Callable[[torch.Tensor, torch.Tensor], object] = torch.mm,
) -> float:
    """Return the GFLOP/s of a small product: the better of two, the first of which warms up."""
    a = torch.randn(_SMALL, _SMALL).to(dtype)
    taken = min(seconds_of(lambda: multiply(a, a), clock) for _ in range(2))
    return 2 * _SMALL**3 / max(taken, 1e-9) / 1e9


def bf16_problem(
    *, clock: Clock = time.perf_counter, multiply: Callable[[torch.Tensor, torch.Tensor], object] = torch.mm
) -> str | None:
    """Return why products in bfloat16 are not worth a trial here; None: they may be.

    Processors without instructions for it emulate them, hundreds of times slower than float32.
    """
    single, half = (
        small_product_rate(dtype, clock=clock, multiply=multiply) for dtype in (torch.float32, torch.bfloat16)
    )
    if half * _EMULATED > single:
        return None
    return f"bf16 is emulated here: a small product makes {half:.2g} GFLOP/s, in float32 {single:.2g}"
