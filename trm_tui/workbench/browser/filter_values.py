"""Values in the filter language: numbers, shares, durations and dates, each read into the span that it names.

What is written names a span, since figures are shown rounded: `97.2%` is all that reads so, `2026-01` is a
month.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

_NUMBER = re.compile(r"([0-9]+(?:\.([0-9]*))?|\.([0-9]+))(%|[kKmMgG])?")
_SCALES = {"": 1.0, "%": 0.01, "k": 1e3, "m": 1e6, "g": 1e9}
_CLOCK = re.compile(r"(?:([0-9]{1,6}):)?([0-9]{1,6}):([0-5][0-9])")
_DURATION = re.compile(r"([0-9]+(?:\.([0-9]*))?)(s|min|m|h|d|w)?")
_SECONDS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?")
_LONGEST = 40


@dataclass(frozen=True)
class Span:
    """From `low` to before `high`; `exactly` is the number written, which `<` and `>` compare with."""

    low: float
    high: float
    exactly: float | None = None

    def compare(self, operator: str, value: float) -> bool:
        """Return whether `value operator what was written` holds; the operators are those of the language."""
        if operator in (":", "="):
            return self.low <= value < self.high
        after, before = (self.high, self.low) if self.exactly is None else (self.exactly, self.exactly)
        if operator == ">":
            return value >= after if self.exactly is None else value > after
        if operator == ">=":
            return value >= before
        if operator == "<":
            return value < before
        return value < after if self.exactly is None else value <= after


Reader = Callable[[str, datetime], Span | None]
"""Reads a value at a given local time; None where it is none of the kind."""


def read_number(text: str, _now: datetime) -> Span | None:
    """Read `1500`, `1.5k`, `2M`."""
    match = _NUMBER.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None or match[4] == "%":
        return None
    return _around(match)


def read_exactly(text: str) -> Span | None:
    """Read `0.001`, `1e-3`, `2k` as that very number: settings are not rounded where they are shown."""
    try:
        value = float(text) if len(text) <= _LONGEST else math.nan
    except ValueError:
        match = _NUMBER.fullmatch(text) if len(text) <= _LONGEST else None
        if match is None:
            return None
        value = float(match[1]) * _SCALES[(match[4] or "").lower()]
    return Span(value, math.nextafter(value, math.inf), value) if math.isfinite(value) else None


def read_share(text: str, _now: datetime) -> Span | None:
    """Read `0.9`, `90%`, and `90` as the percentage that it can only be."""
    match = _NUMBER.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None or (match[4] or "%") != "%":
        return None
    span = _around(match)
    if match[4] is None and span.exactly is not None and span.exactly > 1:
        return Span(span.low / 100, span.high / 100, span.exactly / 100)
    return span


def read_duration(text: str, _now: datetime) -> Span | None:
    """Read `90`, `90s`, `5m`, `1.5h`, `7d`, `2w`, `1:30` and `1:30:00` as seconds."""
    if len(text) > _LONGEST:
        return None
    if clock := _CLOCK.fullmatch(text):
        seconds = 3600.0 * int(clock[1] or 0) + 60.0 * int(clock[2]) + int(clock[3])
        return Span(seconds - 0.5, seconds + 0.5, seconds)
    if match := _DURATION.fullmatch(text):
        unit = _SECONDS[match[3] or "s"]
        seconds, half = float(match[1]) * unit, unit / 2 * 10.0 ** -len(match[2] or "")
        return Span(seconds - half, seconds + half, seconds)
    return None


def read_date(text: str, now: datetime) -> Span | None:
    """Read `2026`, `2026-01`, `2026-01-31`, `today` and `yesterday` as the time from beginning to end."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if text in ("today", "yesterday"):
        begin = midnight if text == "today" else _next_midnight(midnight, -1)
        return Span(begin.timestamp(), _next_midnight(begin, 1).timestamp())
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day = int(match[1]), int(match[2] or 1), int(match[3] or 1)
    try:
        begin = midnight.replace(year=year, month=month, day=day)
        if match[3]:
            end = _next_midnight(begin, 1)
        elif match[2]:
            end = begin.replace(year=year + month // 12, month=month % 12 + 1)
        else:
            end = begin.replace(year=year + 1)
        return Span(begin.timestamp(), end.timestamp())
    except (ValueError, OverflowError, OSError):
        return None


def _around(match: re.Match[str]) -> Span:
    decimals = len(match[2] if match[2] is not None else match[3] or "")
    scale = _SCALES[(match[4] or "").lower()]
    value, half = float(match[1]) * scale, 0.5 * 10.0**-decimals * scale
    return Span(value - half, math.nextafter(value + half, math.inf), value)


def _next_midnight(moment: datetime, days: int) -> datetime:
    return moment + timedelta(days=days)
