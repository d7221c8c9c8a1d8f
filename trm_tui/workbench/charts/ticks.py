"""Where an axis has its marks, and how numbers are written on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from trm_engine.text import format_bytes, format_seconds

Unit = Literal["number", "percent", "bytes", "seconds"]

_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


def ticks(low: float, high: float, count: int, unit: Unit = "number") -> list[float]:
    """Return about `count` round numbers between `low` and `high`."""
    if not high > low or count < 1:
        return [low] if math.isfinite(low) else []
    step = step_of(low, high, count, unit)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [n * step for n in range(first, last + 1)]


def log_ticks(low: float, high: float, count: int) -> list[float]:
    """Return about `count` round numbers between two powers: `low` and `high` are decimal logarithms."""
    whole = [float(n) for n in range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)]
    if len(whole) > count:
        return whole[:: math.ceil(len(whole) / count)]
    if len(whole) >= 2:
        return whole
    parts = [
        exponent + math.log10(digit)
        for exponent in range(math.floor(low), math.ceil(high) + 1)
        for digit in (1, 2, 5)
    ]
    inside = [part for part in parts if low - 1e-9 <= part <= high + 1e-9]
    if len(inside) >= 2:
        return inside[:: max(1, math.ceil(len(inside) / max(count, 1)))]
    return [math.log10(tick) for tick in ticks(10**low, 10**high, count) if tick > 0]


def labels(places: Sequence[float], unit: Unit = "number") -> list[str]:
    """Write the marks of one axis: numbers all with as many decimals as tell neighbours apart."""
    step = min((b - a for a, b in pairwise(places)), default=0.0)
    largest = max((abs(place) for place in places), default=0.0)
    if unit != "number" or not 1e-3 <= largest < 1e4 or step <= 0:
        return [write(place, unit) for place in places]
    decimals = min(max(0, -math.floor(math.log10(step) + 1e-9)), 6)
    return ["0" if place == 0 else f"{place:.{decimals}f}" for place in places]


def write(value: float, unit: Unit = "number", *, short: bool = True) -> str:
    """Write a number as its unit is read; `short` for an axis, where 12 000 is 12k."""
    if unit == "percent":
        percent = 100 * value
        return f"{percent:.0f}%" if short and abs(percent - round(percent)) < 1e-6 else f"{percent:.1f}%"
    if unit == "bytes":
        return format_bytes(value)
    if unit == "seconds":
        return format_seconds(value)
    return _number(value, short)


def _number(value: float, short: bool) -> str:
    size = abs(value)
    if value == 0:
        return "0"
    if size >= 1e4 and short:
        for bound, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if size >= bound:
                return f"{value / bound:.4g}{letter}"
    if size >= 1e4:
        return f"{value:,.0f}"
    if size < 1e-3:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    return f"{value:.4g}"


def step_of(low: float, high: float, count: int, unit: Unit = "number") -> float:
    """Return the round distance at which about `count` marks cover a range that is not empty."""
    rough = (high - low) / count
    if unit == "seconds":
        return float(next((step for step in _MINUTES if step >= rough), math.ceil(rough / 86400) * 86400))
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
