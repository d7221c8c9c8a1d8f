"""A session as the table, the filter and the sorting see it: plain values, safe to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from trm_engine.config.kinds import KINDS
from trm_engine.sessions import Status
from trm_engine.sessions.record import FORMAT, Moment, Values
from trm_engine.text import safe_text
from trm_tui.shared.words import number, words_of
from trm_tui.workbench.browser.session_settings import Settings

ACTIVE_STATUSES: frozenset[Status] = frozenset({"running", "paused"})
"""Of a session that some process runs now."""


_LARGEST = 1e30
"""No count and no figure of a run reaches that: what does is damage."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One line of the browser. Texts have been through `safe_text`; figures are None where there are none."""

    id: str
    title: str
    """The name, or what stands for it: the preset and the end of the id."""
    name: str
    preset: str
    task: str
    status: Status
    created: datetime
    tags: tuple[str, ...]
    note: str
    steps: float | None
    """Optimizer updates made."""
    measured: str
    """The figure that counts most, the best where that is known; empty where nothing was measured."""
    score: float | None
    """The same to sort by: the higher the better."""
    exact: float | None
    """Exact accuracy on held-out puzzles, 0 … 1: the best where it is known, else the last measured."""
    loss: float | None
    """Loss on held-out text, likewise; None for puzzles."""
    parameters: float | None
    rate: float | None
    """Samples a second of training."""
    seconds: float | None
    """Of training alone."""
    started: float
    """When it was made, in seconds since 1970."""
    text: str
    """Everything that free text is sought in, in small letters."""
    settings: Settings | None = None
    """Its configuration, where somebody has asked for it."""
    curve: tuple[float, ...] | None = None
    """What it was measured at, in order, where somebody has asked for that."""


class ShownRecord(BaseModel):
    """The part of a `SessionRecord` that a row needs: checking no more than this is three times as fast."""

    model_config = ConfigDict(extra="ignore")

    format: int = FORMAT
    name: str = ""
    preset: str = ""
    task: str = ""
    status: Status = "created"
    created: Moment
    tags: tuple[str, ...] = ()
    note: str = ""
    summary: Values = Field(default_factory=dict)


def row_of(session_id: str, record: ShownRecord) -> SessionRow:
    """Return a record as a row."""
    summary = record.summary
    name, preset, task, note = map(safe_text, (record.name, record.preset, record.task, record.note))
    tags = tuple(map(safe_text, record.tags))
    measured, score = _measured(summary)
    return SessionRow(
        id=session_id,
        title=name or _stand_in(session_id, preset),
        name=name,
        preset=preset,
        task=task,
        status=record.status,
        created=record.created,
        tags=tags,
        note=note,
        steps=number(summary, "steps"),
        measured=measured,
        score=score,
        exact=_best(summary, "exact_accuracy", max),
        loss=_best(summary, "val_loss", min),
        parameters=number(summary, "parameters"),
        rate=number(summary, "samples_per_second"),
        seconds=number(summary, "seconds"),
        started=record.created.timestamp(),
        text=" ".join((name, session_id, preset, task, record.status, *tags, note)).casefold(),
    )


def _measured(summary: Mapping[str, object]) -> tuple[str, float | None]:
    for kind in KINDS.values():
        value = _best(summary, kind.score.figure, max if kind.score.higher_is_better else min)
        if value is not None:
            return words_of(kind).show(value), kind.score.of(value)
    return "", None


def _best(summary: Mapping[str, object], name: str, better: Callable[[float, float], float]) -> float | None:
    best = number(summary, f"best_{name}")
    measured = summary.get("eval")
    last = number(measured, name) if isinstance(measured, Mapping) else None
    return last if best is None else best if last is None else better(best, last)


def _stand_in(session_id: str, preset: str) -> str:
    return f"{preset} ·{session_id[-4:]}" if preset else session_id
