"""What happened in a session, for people: `events.log`, one `time LEVEL message #check value` a line."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trm_engine.errors import SessionError
from trm_engine.files import append_lines, disk_errors, open_plain
from trm_engine.sessions.record import now
from trm_engine.sessions.seals import ChangedError, sealed_line, unsealed_line, with_end
from trm_engine.text import safe_text

_MAX_BYTES = 64_000_000

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Event:
    """One line of the log."""

    time: str
    """ISO 8601, UTC."""
    level: str
    """INFO, WARNING or ERROR."""
    message: str
    """On one line: a line break is written as `\\n`."""


def append_event(path: Path, level: Level, message: str) -> None:
    """Append one event; text that could drive a terminal is taken out. Raises `ResourceError`."""
    time = now().isoformat(timespec="seconds").replace("+00:00", "Z")
    text = safe_text(message).replace("\n", "\\n")
    with disk_errors("write the event log"):
        line = f"{time} {level.upper()} {text}".encode("utf-8", "backslashreplace")
        append_lines(path, sealed_line(line))


def read_events(path: Path) -> list[Event]:
    """Return the events in order, at most the last of a log that is absurdly long.

    A line that a crash has torn is passed over, one that has changed since it was written says so. Raises
    `SessionError` when the file exists but cannot be read.
    """
    try:
        with open_plain(path) as file:
            file.seek(max(file.seek(0, os.SEEK_END) - _MAX_BYTES, 0))
            data = file.read(_MAX_BYTES)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SessionError(f"cannot read {path}: {error.strerror or error}.") from error
    whole, end, last = data.rpartition(b"\n")
    events = (_parse(line) for line in (whole + end + with_end(last)).split(b"\n")[:-1])
    return [event for event in events if event is not None]


def _parse(line: bytes) -> Event | None:
    damaged = ""
    try:
        line = unsealed_line(line)
    except ChangedError:
        damaged = "(this line has changed since it was written) "
    parts = line.decode("utf-8", "replace").split(" ", 2)
    if len(parts) != 3 and damaged:
        return Event("", "WARNING", damaged + safe_text(line.decode("utf-8", "replace")))
    if len(parts) != 3:
        return None
    time, level, message = (safe_text(part) for part in parts)
    return Event(time, level, damaged + message)
