"""Tail probabilities of the distributions that the tests of studies need, without SciPy."""

from __future__ import annotations

import math
from collections.abc import Sequence

_TINY = 1e-300
_PRECISION = 1e-14
_TERMS = 500


def chi_squared_tail(value: float, dof: int) -> float:
    """Return P(χ² ≥ value) with `dof` degrees of freedom: a finite sum for whole numbers of them."""
    if value <= 0:
        return 1.0
    half = value / 2
    if dof % 2 == 0:
        term, total = 1.0, 1.0
        for k in range(1, dof // 2):
            term *= half / k
            total += term
        return min(1.0, math.exp(-half) * total)
    total = math.erfc(math.sqrt(half))
    term = math.exp(-half) * math.sqrt(half) * 2 / math.sqrt(math.pi)
    for k in range(1, (dof - 1) // 2 + 1):
        total += term
        term *= half / (k + 0.5)
    return min(1.0, total)


def f_tail(value: float, dof1: float, dof2: float) -> float:
    """Return P(F ≥ value) with `dof1` and `dof2` degrees of freedom."""
    if value <= 0:
        return 1.0
    if math.isinf(value):
        return 0.0
    return _incomplete_beta(dof2 / 2, dof1 / 2, dof2 / (dof2 + dof1 * value))


def t_tail(value: float, dof: float) -> float:
    """Return P(|T| ≥ |value|) of Student's distribution, both tails."""
    return f_tail(value * value, 1, dof)


def t_quantile(level: float, dof: float) -> float:
    """Return the t with P(|T| ≤ t) = `level`, between 0 and 1; infinite `dof` is the normal distribution."""
    tail = 1 - level

    def beyond(t: float) -> float:
        return math.erfc(t / math.sqrt(2)) if math.isinf(dof) else t_tail(t, dof)

    low, high = 0.0, 1.0
    while beyond(high) > tail:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle) > tail else (low, middle)
    return high


def holm(probabilities: Sequence[float]) -> list[float]:
    """Return probabilities adjusted for their number by Holm's method, in the order given."""
    order = sorted(range(len(probabilities)), key=lambda i: probabilities[i])
    adjusted, largest = [0.0] * len(probabilities), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * probabilities[i]))
        adjusted[i] = largest
    return adjusted


def binomial_two_sided(fewer: int, total: int) -> float:
    """Return the exact two-sided probability of `fewer` or fewer of `total` under equal chances."""
    if total == 0:
        return 1.0
    fewer = min(fewer, total - fewer)
    logs = [
        math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1) - total * math.log(2)
        for k in range(fewer + 1)
    ]
    return min(1.0, 2 * math.fsum(math.exp(log) for log in logs))


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    # The continued fraction converges fast on one side of the mean only; the other side is its mirror image.
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    result = d
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for numerator in (even, odd):
            d = 1 / _away_from_zero(1 + numerator * d)
            c = _away_from_zero(1 + numerator / c)
            result *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return result


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
