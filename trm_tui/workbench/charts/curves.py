"""Curves of a run: recorded in bounded memory, and what is done to points before they are drawn."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

XAxis = Literal["step", "samples", "seconds"]
X_AXES: tuple[XAxis, ...] = ("step", "samples", "seconds")

MAX_POINTS = 4096
"""Points that a curve holds; more than twice the pixel columns of any terminal."""

_TOO_LARGE = 1e150  # the span of an axis must be finite too; NaN is not below it


@dataclass(frozen=True)
class Curve:
    """One figure over a run; the four sequences have one length, and nobody changes them."""

    steps: Sequence[float] = ()
    samples: Sequence[float] = ()
    seconds: Sequence[float] = ()
    """Training seconds (pauses and evaluation not counted)."""
    values: Sequence[float] = ()

    def __len__(self) -> int:
        return len(self.values)

    def x(self, axis: XAxis) -> Sequence[float]:
        """Return the points' places on an axis."""
        return {"step": self.steps, "samples": self.samples, "seconds": self.seconds}[axis]


class CurveRecorder:
    """Collects the points of one curve. Full, it keeps of every four points the lowest and the highest."""

    def __init__(self, max_points: int = MAX_POINTS) -> None:
        self._max = max_points
        self._columns = [array("d") for _ in range(4)]
        self._frozen: Curve | None = None

    def __len__(self) -> int:
        return len(self._columns[0])

    def add(self, step: float, samples: float, seconds: float, value: float) -> None:
        """Append a point; one that is not finite is left out."""
        if not math.isfinite(value):
            return
        for column, number in zip(self._columns, (step, samples, seconds, value), strict=True):
            column.append(number)
        if len(self) >= self._max:
            self._keep(extremes(self._columns[3], len(self) // 4))
        self._frozen = None

    def rewind(self, step: float) -> None:
        """Drop every point after `step`: a run that went back to a checkpoint has not been there."""
        kept = bisect_right(self._columns[0], step)
        if kept < len(self):
            self._columns = [column[:kept] for column in self._columns]
            self._frozen = None

    def freeze(self) -> Curve:
        """Return the curve as it is now; the same object until a point is added."""
        if self._frozen is None:
            self._frozen = Curve(*(column[:] for column in self._columns))
        return self._frozen

    def _keep(self, indices: Sequence[int]) -> None:
        self._columns = [array("d", (column[i] for i in indices)) for column in self._columns]


def extremes(values: Sequence[float], buckets: int) -> list[int]:
    """Return, in order, the indices of the first and last value and of every bucket's lowest and highest."""
    count = len(values)
    kept = {0, count - 1} if count else set()
    for bucket in range(buckets):
        part = range(bucket * count // buckets, (bucket + 1) * count // buckets)
        if part:
            kept.add(min(part, key=values.__getitem__))
            kept.add(max(part, key=values.__getitem__))
    return sorted(kept)


Points = tuple[Sequence[float], Sequence[float]]


def finite(x: Iterable[float], y: Iterable[float], *, positive: bool = False) -> Points:
    """Leave out points that cannot be drawn: not finite, or with `positive` not above zero."""
    kept = [
        (a, b)
        for a, b in zip(x, y, strict=True)
        if math.isfinite(a) and abs(b) < _TOO_LARGE and (b > 0 or not positive)
    ]
    return [a for a, _ in kept], [b for _, b in kept]


def smoothed(y: Sequence[float], weight: float) -> list[float]:
    """Return the exponential moving average, corrected for its beginning (`weight` 0 … 1 on the past)."""
    result: list[float] = []
    mean, share = 0.0, 0.0
    for value in y:
        mean = weight * mean + (1 - weight) * value
        share = weight * share + (1 - weight)
        result.append(mean / share)
    return result


@dataclass(frozen=True)
class Column:
    """What a line does within one pixel column: where it enters and leaves, and how low and high it goes."""

    first: float
    low: float
    high: float
    last: float


def columns(points: Points, window: tuple[float, float], width: int) -> dict[int, Column]:
    """Gather the points of a window into `width` pixel columns; rising x.

    Where a line enters and leaves the window stands at column −1 and `width`.
    """
    xs, ys = points
    low, high = window
    begin, end = bisect_left(xs, low), bisect_right(xs, high)
    place = _placer(low, high, width)
    found: dict[int, Column] = {}
    if begin > 0:
        y = _crossing(xs, ys, begin - 1, low)
        found[-1] = Column(y, y, y, y)
    for i in range(begin, end):
        at, y = place(xs[i]), ys[i]
        before = found.get(at)
        found[at] = (
            Column(before.first, min(before.low, y), max(before.high, y), y) if before else Column(y, y, y, y)
        )
    if end < len(xs):
        y = _crossing(xs, ys, end - 1, high)
        found[width] = Column(y, y, y, y)
    return found


def _placer(low: float, high: float, width: int) -> Callable[[float], int]:
    scale = (width - 1) / (high - low) if high > low else 0.0
    return lambda x: round((x - low) * scale)


def _crossing(xs: Sequence[float], ys: Sequence[float], i: int, x: float) -> float:
    """Return where the line through points i and i + 1 is at `x`."""
    if i + 1 >= len(xs) or i < 0 or xs[i + 1] == xs[i]:
        return ys[max(i, 0)]
    return ys[i] + (ys[i + 1] - ys[i]) * (x - xs[i]) / (xs[i + 1] - xs[i])


def nearest(xs: Sequence[float], x: float) -> int | None:
    """Return the index of the value nearest to `x` in a rising sequence; None in an empty one."""
    if not xs:
        return None
    i = bisect_left(xs, x)
    return i - 1 if i == len(xs) or (i > 0 and x - xs[i - 1] <= xs[i] - x) else i


def value_at(points: Points, x: float) -> float | None:
    """Return the y of the point nearest to `x`; None without points."""
    i = nearest(points[0], x)
    return None if i is None else points[1][i]


def best_of(points: Points, *, highest: bool) -> tuple[float, float] | None:
    """Return the point that is best, the first of equals; None without points."""
    xs, ys = points
    if not ys:
        return None
    i = (max if highest else min)(range(len(ys)), key=ys.__getitem__)
    return xs[i], ys[i]
