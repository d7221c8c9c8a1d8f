"""Loss scaling for float16 (arXiv 1710.03740): small gradients would be zeros there, large ones infinite.

The loss is multiplied by a power of two before gradients are computed, and they are divided by it. The factor
is halved when gradients overflow, and doubled again after a while of updates that went well.
"""

from __future__ import annotations

from typing import Protocol

_FIRST = 2.0**14
_LARGEST = 2.0**16
_PATIENCE = 200
"""Updates that go well before the factor is doubled."""


class Scaled(Protocol):
    """The counters that the factor is kept in."""

    loss_scale: float
    scaled_in_a_row: int


def first_scale(precision: str) -> float:
    """Return the factor to begin with: 1, which is none, but for float16."""
    return _FIRST if precision == "fp16" else 1.0


def lower_scale(counters: Scaled) -> bool:
    """Halve the factor; return whether there was one."""
    had_one = counters.loss_scale > 1
    counters.loss_scale, counters.scaled_in_a_row = max(counters.loss_scale / 2, 1.0), 0
    return had_one


def raise_scale(counters: Scaled) -> None:
    """Count an update that went well; double the factor after enough of them."""
    if counters.loss_scale == 1:
        return
    counters.scaled_in_a_row += 1
    if counters.scaled_in_a_row >= _PATIENCE:
        counters.loss_scale, counters.scaled_in_a_row = min(counters.loss_scale * 2, _LARGEST), 0
