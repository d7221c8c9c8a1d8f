"""A session's curves as they are drawn: few enough points, and whether more will come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trm_engine.errors import TrmError
from trm_engine.sessions import Session, SessionRecord, Store
from trm_engine.text import safe_text

_MOST_POINTS = 400
_GOING = ("running", "paused")
_MOST_LISTED = 200


@dataclass(frozen=True)
class Mark:
    """Changes when a session has something new to tell."""

    bytes: int
    status: str


def session_json(record: SessionRecord, *, best: float | None) -> dict[str, Any]:
    """Return what a list of sessions says of one."""
    parent = record.parent
    return {
        "id": record.id,
        "title": safe_text(record.name or record.preset or record.id),
        "preset": safe_text(record.preset),
        "task": record.task,
        "status": record.status,
        "created": record.created.isoformat(timespec="seconds"),
        "updated": record.updated.isoformat(timespec="seconds"),
        "parent": None if parent is None else f"{parent.session}, step {parent.step} ({parent.how})",
        "step": record.summary.get("steps"),
        "accuracy": best,
        "servable": best is not None or bool(record.summary),
    }


def list_sessions(store: Store) -> list[dict[str, Any]]:
    """List the newest sessions, the newest first."""
    newest = store.list()[: -_MOST_LISTED - 1 : -1]
    whole = (record for record in newest if record.status != "damaged")
    return [session_json(record, best=_best(store, record.id)) for record in whole]


def _best(store: Store, session: str) -> float | None:
    try:
        best = store.get(session).best
    except TrmError:
        return None
    return None if best is None else best.score


def mark_of(session: Session, record: SessionRecord) -> Mark:
    """Return a session's mark, without reading its figures."""
    path = session.path / "metrics.jsonl"
    return Mark(path.stat().st_size if path.exists() else 0, record.status)


def curve_of(session: Session, record: SessionRecord) -> dict[str, Any]:
    """Return the curve of a session: losses thinned out evenly, all evaluations, and the latest figures."""
    records = session.metrics.read()
    steps = [one for one in records if one.get("event") == "step"]
    evaluations = [one for one in records if one.get("event") == "eval"]
    best = session.best
    return {
        "session": session_json(record, best=None if best is None else best.score),
        "steps": [_picked(one, ("step", "loss", "exact_accuracy")) for one in _thinned(steps)],
        "evaluations": [
            {"step": one.get("step"), "score": one.get("exact_accuracy")}
            for one in _thinned(evaluations)
            if one.get("exact_accuracy") is not None
        ],
        "latest": _picked(steps[-1], _LATEST) if steps else None,
        "going": record.status in _GOING,
    }


_LATEST = ("step", "steps", "loss", "samples", "samples_per_second", "seconds", "eta_seconds", "lr")


def _picked(record: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: record.get(name) for name in names}


def _thinned(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return at most some hundreds of records, evenly spread, the last always among them."""
    every = -(-len(records) // _MOST_POINTS) or 1
    return list(records[::-1][::every][::-1])
