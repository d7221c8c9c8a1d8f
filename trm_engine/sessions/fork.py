"""A new session that continues from a checkpoint of another one, which stays as it is."""

from __future__ import annotations

from trm_engine.sessions.record import Parent
from trm_engine.sessions.session import Session
from trm_engine.sessions.store import Store

_TAKEN_OVER = ("task", "hardware", "data", "facts", "vocabulary", "threads", "numerics", "origin", "trial")


def fork_session(store: Store, ref: str, *, step: int | None = None, name: str = "") -> str:
    """Copy a session as it was at a checkpoint, the newest or that of `step`; return the new session's id.

    Configuration, its history, the recorded figures up to there and the checkpoint are copied: resuming the
    copy gives what resuming the original would have given. Raises `SessionError` when the checkpoint is
    missing or damaged, `ResourceError` when the disk is full; nothing is left of the copy then.
    """
    source = store.get(ref)
    found, _ = source.load(step)
    fields = {key: getattr(source.record, key) for key in _TAKEN_OVER}
    parent = Parent(session=source.id, step=found.step, how="forked")
    with store.begin(source.config_text, source.record.preset, name=name, parent=parent, **fields) as copy:
        _copy_figures(source, copy, found.step)
        best = source.best
        copy.save(found, best_score=best.score if best is not None and best.step == found.step else None)
        why = f"forked from step {found.step} of {source.id}"
        copy.log("info", why)
        copy.update(status="stopped", summary={"steps": found.step, "reason": why})
        return copy.id


def _copy_figures(source: Session, copy: Session, step: int) -> None:
    """Copy what was recorded up to a step, and the configurations that it was recorded under."""
    for entry in source.history.entries():
        if 0 < entry.step <= step:
            copy.history.append(entry.config_toml, entry.step, entry.reason)
    for record in source.metrics.read():
        at = record.get("step")
        if isinstance(at, (int, float)) and at <= step:
            copy.metrics.append(record)
