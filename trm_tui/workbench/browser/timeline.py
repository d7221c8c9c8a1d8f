"""What happened to a session, in order: its configurations with their changes, and its log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from trm_engine.config import Change, Config, Value, diff, loads
from trm_engine.errors import TrmError
from trm_engine.sessions import Event, HistoryEntry
from trm_engine.text import one_line, safe_text

_MOST_EVENTS = 200
_SAID_ELSEWHERE = ("decision:", "configuration at step")
"""Beginnings of log lines that say what the configuration history, or the run's panel, says better."""


@dataclass(frozen=True)
class Moment:
    """One point of the timeline."""

    time: datetime | None
    """None where what is written is none."""
    kind: str
    """`config`, or the level of an event: `info`, `warning`, `error`."""
    title: str
    step: int | None = None
    """The step from which on a configuration applied."""
    changes: tuple[str, ...] = ()
    """What a configuration changed: `train.lr 0.002 → 0.001`."""


def timeline(
    history: Sequence[HistoryEntry], events: Sequence[Event], preset: Config | None = None
) -> list[Moment]:
    """Return configurations and events by time; the first configuration is held against its preset."""
    moments = [*_configurations(history, preset), *_events(events)]
    # A stable sort, and one that no unreadable time breaks: those keep the place where they stood.
    latest = 0.0
    keyed = []
    for moment in moments:
        latest = moment.time.timestamp() if moment.time else latest
        keyed.append((latest, moment))
    return [moment for _, moment in sorted(keyed, key=_first)]


def say_change(change: Change) -> str:
    """Write a changed setting: `train.lr 0.002 → 0.001`."""
    return safe_text(f"{change.key} {say_value(change.a)} → {say_value(change.b)}")


def say_value(value: Value | None) -> str:
    """Write a setting's value; `—` where there is none."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return one_line(text, None) or '""'


def _configurations(history: Sequence[HistoryEntry], preset: Config | None) -> Iterator[Moment]:
    before = preset
    for number, entry in enumerate(history):
        changes: tuple[str, ...] = ()
        try:
            config = loads(entry.config_toml, f"configuration {entry.number}")
        except TrmError as error:
            changes = (safe_text(str(error)),)
        else:
            # A preset's words about itself are nobody's change.
            found = diff(before, config) if before is not None else []
            changes = tuple(say_change(c) for c in found if c.key not in ("title", "expect"))
            before = config
        title = safe_text(entry.reason)
        if number == 0 and preset is not None:
            title += " as the preset says" if not changes else ", with changed settings"
        yield Moment(_time(entry.time), "config", title, entry.step, changes)


def _events(events: Sequence[Event]) -> Iterator[Moment]:
    told = [event for event in events if not event.message.startswith(_SAID_ELSEWHERE)]
    for event in told[-_MOST_EVENTS:]:
        yield Moment(_time(event.time), event.level.lower(), safe_text(event.message))


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _first(pair: tuple[float, Moment]) -> float:
    return pair[0]
