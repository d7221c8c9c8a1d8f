"""Rates of matrix products: what a step could reach at its own shapes, and what this CPU does at its best."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from trm_engine.compute.gemm import exact_libraries, use_gemm
from trm_engine.config import Config
from trm_engine.planning.costs import shape_of

LARGE = 2048
_SECONDS = 0.15  # of measuring each product, after one that warms up
_FEWEST = 3


def rates(config: Config) -> dict[str, float]:
    """Return GFLOP/s of products at the shapes of a configuration's step, and of large square ones.

    `step`: the highest of the products that a step consists of, in float32, by whichever library is fastest.
    `default` and `onednn`: 2048³ in float32 by torch's own choice of library and by oneDNN, where that is
    exact on this CPU. `bf16`: the same in bfloat16. The library that `config` names is in force afterwards.
    """
    large = torch.randn(LARGE, LARGE)
    half = large.to(torch.bfloat16)
    found = {"step": 0.0, "bf16": _rate(half, half)}
    try:
        for library in exact_libraries():
            use_gemm(library)
            found[library] = _rate(large, large)
            found["step"] = max(found["step"], *(_rate(a, b) for a, b in _products(config)))
    finally:
        use_gemm(config.runtime.gemm)
    return found


def _products(config: Config) -> list[tuple[Tensor, Tensor]]:
    """Return factors of the products of one micro-batch: along the width, and along the length."""
    shape, rows = shape_of(config), config.micro_batch
    flat = torch.randn(shape.positions * rows, shape.size)
    inner = torch.randn(shape.positions * rows, shape.width)
    found = [(flat, torch.randn(shape.size, shape.width)), (inner, torch.randn(shape.width, shape.size))]
    if shape.length_width:
        columns = torch.randn(shape.positions, rows * shape.size)
        found.append((torch.randn(shape.length_width, shape.positions), columns))
    return found


def _rate(a: Tensor, b: Tensor) -> float:
    out = a @ b
    flops = 2 * a.shape[0] * a.shape[1] * b.shape[1]
    return flops / _median_seconds(lambda: torch.mm(a, b, out=out)) / 1e9


def _median_seconds(work: Callable[[], object]) -> float:
    taken: list[float] = []
    while len(taken) < _FEWEST or sum(taken) < _SECONDS:
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)
