"""How far a rate of matrix products can be trusted, in words."""

from __future__ import annotations

from trm_engine.hardware import Hardware

_UNDISTURBED = 0.8
"""Share of the cores from which on a measurement had them to itself (`trm_engine.tuning.gemm_rate`)."""


def disturbance(machine: Hardware) -> str:
    """Say what disturbed the measurement that times are planned with, and how much faster it may be."""
    share = machine.gemm_share
    if share is None or share >= _UNDISTURBED or not machine.gemm_gflops:
        return ""
    return (
        f"measured while other programs took {1 - share:.0%} of the cores: "
        f"{machine.gemm_gflops:.0f} to {machine.gemm_gflops / share:.0f} GFLOP/s"
    )
