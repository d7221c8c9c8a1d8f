"""What happened in a session, for people: `events.log`, one `time LEVEL message` a line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trm_engine.errors import SessionError
from trm_engine.files import append_lines, disk_errors
from trm_engine.sessions.record import now
from trm_engine.text import safe_text

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
        append_lines(path, f"{time} {level.upper()} {text}\n".encode("utf-8", "backslashreplace"))


def read_events(path: Path) -> list[Event]:
    """Return the events in order; a line that a crash has torn is passed over.

    Raises `SessionError` when the file exists but cannot be read.
    """
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SessionError(f"cannot read {path}: {error.strerror or error}.") from error
    parts = (line.split(" ", 2) for line in text.split("\n")[:-1])
    return [Event(part[0], part[1], safe_text(part[2])) for part in parts if len(part) == 3]
