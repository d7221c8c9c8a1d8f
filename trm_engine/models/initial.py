"""Initial weights: truncated normals whose standard deviation is the one asked for."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# The standard deviation of a unit normal cut at ±2: dividing by it makes the cut distribution's deviation
# exact.
_CUT = 2.0
_MASS = math.erf(_CUT / math.sqrt(2))
_DENSITY = math.exp(-0.5 * _CUT**2) / math.sqrt(2 * math.pi)
_CUT_STD = math.sqrt(1 - 2 * _CUT * _DENSITY / _MASS)


def truncated_normal(*shape: int, std: float, generator: torch.Generator) -> Tensor:
    """Return a tensor of `shape` from a normal cut at two deviations, corrected to have deviation `std`."""
    uniform = torch.empty(shape).uniform_(-_MASS, _MASS, generator=generator)
    return (
        uniform.erfinv_()
        .mul_(math.sqrt(2) * std / _CUT_STD)
        .clamp_(-_CUT * std / _CUT_STD, _CUT * std / _CUT_STD)
    )


def lecun_normal(fan_out: int, fan_in: int, generator: torch.Generator) -> Tensor:
    """Return a (fan_out, fan_in) matrix with deviation 1/√fan_in."""
    return truncated_normal(fan_out, fan_in, std=fan_in**-0.5, generator=generator)
