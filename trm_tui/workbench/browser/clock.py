"""The local time, asked for in one place."""

from __future__ import annotations

from datetime import datetime


def local_now() -> datetime:
    """Return the time now, in the time zone of this machine."""
    return datetime.now().astimezone()
