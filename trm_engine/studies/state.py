"""How far the trials of a plan are, found in the sessions folder each time: nothing is kept beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from trm_engine.sessions import SessionRecord, Store
from trm_engine.studies.claims import is_claimed
from trm_engine.studies.plan import Trial

Stage = Literal["done", "running", "begun", "diverged", "waiting"]
"""`begun`: there is a session to go on with (stopped, interrupted, failed)."""

_RANK = {"completed": 4, "running": 3, "paused": 3, "diverged": 2}


@dataclass(frozen=True)
class Found:
    """A trial and the session that is furthest with it; `shorter`: a finished run of fewer steps."""

    trial: Trial
    stage: Stage
    record: SessionRecord | None = None
    shorter: bool = False

    @property
    def step(self) -> int:
        """Steps taken, as far as the session's record says."""
        steps = self.record.summary.get("steps") if self.record else 0
        return int(steps) if isinstance(steps, (int, float)) else 0


def look(store: Store, trials: Sequence[Trial], *, claimed: bool = False) -> list[Found]:
    """Return where each trial stands now; with `claimed` the asker itself holds their claims."""
    records: dict[str, list[SessionRecord]] = {}
    families: dict[str, list[SessionRecord]] = {}
    for record in store.list():
        if record.trial:
            records.setdefault(record.trial, []).append(record)
            families.setdefault(_family(record.trial), []).append(record)
    return [_found(store, trial, records, families, claimed=claimed) for trial in trials]


def _found(
    store: Store,
    trial: Trial,
    records: dict[str, list[SessionRecord]],
    families: dict[str, list[SessionRecord]],
    *,
    claimed: bool,
) -> Found:
    best = _furthest(records.get(trial.digest, ()))
    if best is not None and best.status == "completed":
        return Found(trial, "done", best)
    lives = best is not None and best.status in ("running", "paused")
    if lives or (not claimed and is_claimed(store.root, trial.digest)):
        return Found(trial, "running", best)
    if best is not None:
        return Found(trial, "diverged" if best.status == "diverged" else "begun", best)
    shorter = [
        record
        for record in families.get(_family(trial.digest), ())
        if record.status == "completed" and _steps(record.trial) < trial.config.train.steps
    ]
    if shorter:
        return Found(trial, "begun", max(shorter, key=lambda record: _steps(record.trial)), shorter=True)
    return Found(trial, "waiting")


def _furthest(records: Iterable[SessionRecord]) -> SessionRecord | None:
    """Return the session to count or to go on with: finished before running, then the one furthest."""
    usable = [record for record in records if record.status != "damaged"]
    return max(usable, key=_progress, default=None)


def _progress(record: SessionRecord) -> tuple[int, float, str]:
    steps = record.summary.get("steps")
    return _RANK.get(record.status, 1), float(steps) if isinstance(steps, (int, float)) else 0.0, record.id


def _family(digest: str) -> str:
    return digest.rpartition("-")[0]


def _steps(digest: str) -> int:
    return int(digest.rpartition("-")[2])
