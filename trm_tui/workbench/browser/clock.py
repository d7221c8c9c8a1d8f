"""The local time, asked for in one place."""

from __future__ import annotations

from datetime import datetime, timedelta

_LONGEST = 300 * 86_400
"""Seconds beyond which a date without its year would mislead."""


def ends_at(seconds: float) -> str:
    """Return when something ends that takes so many seconds: `21:19`, `Tue 03:10`, `3 Feb`; or nothing."""
    if not 0 <= seconds < _LONGEST:
        return ""
    now = local_now()
    end = (now + timedelta(seconds=seconds)).astimezone(now.tzinfo)
    if end.date() == now.date():
        return f"{end:%H:%M}"
    return f"{end:%a %H:%M}" if end - now < timedelta(days=6) else f"{end.day} {end:%b}"


def local_now() -> datetime:
    """Return the time now, in the time zone of this machine."""
    return datetime.now().astimezone()
