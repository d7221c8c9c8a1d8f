"""Rates of matrix products: what a step could reach at its own shapes, and what this CPU does at its best."""

from __future__ import annotations

import torch

from trm_engine.compute.gemm import exact_libraries, use_gemm
from trm_engine.config import Config
from trm_engine.planning.costs import shape_of
from trm_engine.tuning.products import product_rate

LARGE = 2048
_SECONDS = 2.0  # the most that one product may take


def rates(config: Config) -> dict[str, float]:
    """Return GFLOP/s of products at the shapes of a configuration's step, and of large square ones.

    `step`: the highest of the products that a step consists of, in float32, by whichever library is fastest.
    `default` and `onednn`: 2048³ in float32 by torch's own choice of library and by oneDNN, where that is
    exact on this CPU. `bf16`: the same in bfloat16. What would take more than a moment is left out, `bf16`
    first of all: a CPU may have to emulate it. The library that `config` names is in force afterwards.
    """
    large = (LARGE, LARGE, LARGE)
    found = {"bf16": product_rate(large, torch.bfloat16, seconds=_SECONDS)}
    steps: list[float] = []
    try:
        for library in exact_libraries():
            use_gemm(library)
            found[library] = product_rate(large, seconds=_SECONDS)
            steps += [rate for sizes in _products(config) if (rate := product_rate(sizes, seconds=_SECONDS))]
    finally:
        use_gemm(config.runtime.gemm)
    return {name: rate for name, rate in found.items() if rate} | ({"step": max(steps)} if steps else {})


def _products(config: Config) -> list[tuple[int, int, int]]:
    """Return the sides of the products of one micro-batch: along the width, and along the length."""
    shape, rows = shape_of(config), config.micro_batch
    flat = shape.positions * rows
    found = [(flat, shape.size, shape.width), (flat, shape.width, shape.size)]
    if shape.length_width:
        found.append((shape.length_width, shape.positions, rows * shape.size))
    return found
