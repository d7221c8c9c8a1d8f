"""The columns of the table of sessions: what each shows, how it sorts, which give way first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trm_engine.config import describe
from trm_engine.errors import UsageError
from trm_engine.text import did_you_mean, format_seconds, safe_text, three_digits
from trm_tui.workbench.browser.session_curve import sparkline
from trm_tui.workbench.browser.session_row import SessionRow
from trm_tui.workbench.browser.session_settings import shown

GAP = 2
"""Cells between two columns."""


@dataclass(frozen=True)
class Column:
    """One column. `priority` 0 is always shown; of the others the highest number gives way first."""

    key: str
    title: str
    width: int
    """In cells; of a column that grows, the least."""
    text: Callable[[SessionRow, datetime], str]
    """What a cell says; the second argument is the local time now."""
    value: Callable[[SessionRow], float | str | None]
    """What it sorts by; None for what is not known, which stands last either way."""
    right: bool = False
    priority: int = 0
    grows: int = 0
    """Share of the room that is left over."""
    falls: bool = False
    """Is the first sorting from high to low?"""


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _rate(value: float | None) -> str:
    return "" if value is None else three_digits(value)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}%"


def measured(row: SessionRow) -> str:
    """Return what a session's model reached on held-out data, in the words of its kind."""
    return row.measured


def _measured(row: SessionRow) -> float | None:
    return row.score


def short_count(value: float | None) -> str:
    """Return a number in four or five cells: `940`, `112k`, `6.8M`."""
    if value is None:
        return ""
    for bound, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= bound:
            return f"{three_digits(value / bound)}{letter}"
    return f"{value:.0f}"


def when(moment: datetime, now: datetime) -> str:
    """Return a moment as briefly as it is understood now: `14:05`, `Tue 14:05`, `3 Feb`, `2025-02-03`."""
    local = moment.astimezone(now.tzinfo)
    if local.date() == now.date():
        return f"{local:%H:%M}"
    if timedelta(0) <= now - local < timedelta(days=6):
        return f"{local:%a %H:%M}"
    return f"{local.day} {local:%b}" if local.year == now.year else f"{local:%Y-%m-%d}"


def _duration(row: SessionRow, _now: datetime) -> str:
    return "" if row.seconds is None else format_seconds(row.seconds)


def _started(row: SessionRow, now: datetime) -> str:
    return when(row.created, now)


def _parameters(row: SessionRow) -> float | None:
    return row.parameters


def _tags(row: SessionRow) -> str | None:
    return " ".join(row.tags) or None


COLUMNS: tuple[Column, ...] = (
    Column("name", "Name", 16, lambda r, _: r.title, lambda r: r.title.casefold(), grows=3),
    Column("task", "Task", 7, lambda r, _: r.task, lambda r: r.task, priority=8),
    Column("status", "Status", 13, lambda r, _: r.status, lambda r: r.status, priority=2),
    Column("steps", "Steps", 8, lambda r, _: _count(r.steps), lambda r: r.steps, True, 3, falls=True),
    Column("exact", "Exact", 6, lambda r, _: measured(r), _measured, True, 1, falls=True),
    Column("params", "Params", 6, lambda r, _: short_count(r.parameters), _parameters, True, 7, falls=True),
    Column("rate", "Smp/s", 7, lambda r, _: _rate(r.rate), lambda r: r.rate, True, 6, falls=True),
    Column("time", "Time", 8, _duration, lambda r: r.seconds, True, 5, falls=True),
    Column("started", "Started", 10, _started, lambda r: r.started, True, 4, falls=True),
    Column("tags", "Tags", 10, lambda r, _: " ".join(r.tags), _tags, priority=9, grows=2),
)
CURVE = Column(
    "curve", "Curve", 14, lambda r, _: sparkline(r.curve or (), 14), _measured, priority=9, falls=True
)
"""The course of the evaluations; among the columns where it is asked for."""
DEFAULT_SORT = "started"


def column(key: str) -> Column:
    """Return the column of that key, or of a setting. Raises `StopIteration` when there is none."""
    return _of_setting(key) if "." in key else next(c for c in (*COLUMNS, CURVE) if c.key == key)


def chosen_columns(words: str) -> tuple[Column, ...]:
    """Return the columns that are named, each once; all of the usual ones where none is.

    A dotted name is a setting: `train.lr`. The session's name always comes first. Raises `UsageError` for
    what is neither.
    """
    keys = dict.fromkeys(word.lower() for word in words.replace(",", " ").split())
    if not keys:
        return COLUMNS
    settings = [info.key for info in describe() if info.section]
    known = [*(column.key for column in (*COLUMNS, CURVE)), *settings]
    for key in keys:
        if key not in known and not key.startswith("task."):
            raise UsageError(f'"{safe_text(key)}" is not a column.{did_you_mean(key, known)}')
    return tuple(column(key) for key in dict.fromkeys(["name", *keys]))


def columns_problem(words: str) -> str:
    """Return what is wrong with names of columns; nothing where nothing is."""
    try:
        chosen_columns(words)
    except UsageError as error:
        return str(error)
    return ""


def _of_setting(key: str) -> Column:
    def value(row: SessionRow) -> float | str | None:
        found = (row.settings or {}).get(key)
        if found is None:
            return None
        # As text of equal length: tasks may give one name to a number here and to a word there.
        return f"{found:040.12f}" if isinstance(found, (int, float)) else found.casefold()

    title = key.rpartition(".")[2]
    priority = 9  # gives way before what tells sessions apart
    width = max(len(title) + 1, 8)
    return Column(
        key, title, width, lambda row, _: shown((row.settings or {}).get(key)), value, True, priority
    )


def fitting(room: int, columns: Sequence[Column] = COLUMNS) -> list[tuple[Column, int]]:
    """Return the columns that `room` cells hold, in their order, each with its width."""
    held = list(columns)
    while _least(held) > room and any(c.priority for c in held):
        held.remove(max(held, key=lambda c: c.priority))
    left = room - _least(held)
    shares = sum(c.grows for c in held)
    widths = {c.key: c.width + (left * c.grows // shares if left > 0 and shares else 0) for c in held}
    if left < 0:  # even the last columns do not fit: the first gives way
        widths[held[0].key] = max(widths[held[0].key] + left, 1)
    return [(c, widths[c.key]) for c in held]


def _least(columns: Iterable[Column]) -> int:
    widths = [c.width for c in columns]
    return sum(widths) + GAP * max(len(widths) - 1, 0)
