"""Sessions for tests of the browser: a row in a line, and real folders on disk with fixed names and times."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.trm_tui.fake_engine import LAPTOP, evaluated, stepped
from trm_engine.config import Config, apply, dumps
from trm_engine.sessions import Checkpoint, Store, history, log, record, store
from trm_engine.sessions.checkpoints import checkpoint
from trm_engine.sessions.layout import RECORD
from trm_tui.workbench.browser import clock
from trm_tui.workbench.browser.session_row import SessionRow, ShownRecord, row_of

NOW = datetime(2026, 3, 20, 15, 30, tzinfo=timezone.utc)


def row(session_id: str = "20260320-120000-sudoku-6x6-aaaa", **fields: object) -> SessionRow:
    """Return a row; fields are those of a record, and figures of its summary."""
    figures = ("steps", "seconds", "samples_per_second", "parameters", "best_exact_accuracy", "eval")
    values: dict[str, object] = {
        "created": NOW - timedelta(hours=1),
        "preset": "sudoku-6x6",
        "task": "sudoku",
    }
    values["summary"] = {name: fields.pop(name) for name in figures if name in fields}
    return row_of(session_id, ShownRecord.model_validate({**values, **fields}))


def stop_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it `NOW`, in UTC, for what is written and what is shown."""
    monkeypatch.setattr(clock, "local_now", lambda: NOW)
    for module in (record, store, history, log, checkpoint):
        monkeypatch.setattr(module, "now", lambda: NOW - timedelta(hours=1))


def make_session(
    store: Store,
    config: Config,
    session_id: str,
    *,
    steps: int = 500,
    exact: float = 0.9,
    hours_ago: float = 1.0,
    checkpoints: tuple[int, ...] = (),
    change: str = "",
    **fields: object,
) -> str:
    """Write a session as a run leaves it; `change` is an override that was made at half time."""
    import torch

    summary = {
        "reason": "last step reached",
        "steps": steps,
        "samples": steps * 64,
        "seconds": steps * 64 / 1034,
        "samples_per_second": 1034.0,
        "parameters": 412_000,
        "weights_sha256": "ab" * 32,
        "eval": dict(evaluated(steps, exact, final=True).figures),
        "resources": {"peak_rss_bytes": 610_000_000},
    }
    values = {"status": "completed", "task": "sudoku", "summary": summary, "threads": 4, **fields}
    facts = {"source": "Generated with seed 0.", "test": "500 puzzles"}
    with store.create(dumps(config), "six", hardware=LAPTOP.to_dict(), facts=facts) as session:
        for step in range(50, steps + 1, 50):
            session.metrics.append(stepped(step, steps).to_dict())
            if step % 250 == 0:
                seconds = step * 64 / 1034
                session.metrics.append(
                    {**evaluated(step, exact * step / steps).to_dict(), "seconds_trained": seconds}
                )
        for number, step in enumerate(checkpoints, 1):
            saved = Checkpoint(step, {"w": torch.full((64,), float(step))}, {}, {})
            session.save(saved, best_score=exact * number / len(checkpoints), keep=len(checkpoints) + 2)
        if values["status"] in ("running", "paused") and not checkpoints:  # it could not be interrupted else
            session.save(Checkpoint(steps, {"w": torch.zeros(1)}, {}, {}))
        if change:
            session.configure(dumps(apply(config, [change])), steps // 2, f"resumed with {change}")
        session.log("info", f"{values['status']}: last step reached")
        session.update(**values)
    folder = session.path.rename(store.root / session_id)
    record = json.loads((folder / RECORD).read_text())
    record["created"] = (NOW - timedelta(hours=hours_ago)).isoformat()
    (folder / RECORD).write_text(json.dumps(record))
    return session_id


def make_some(store: Store, config: Config) -> None:
    """Write six sessions that differ in everything the table shows."""
    make_session(
        store,
        config,
        "20260320-143000-sudoku-6x6-base",
        name="baseline",
        tags=["best", "paper"],
        exact=0.972,
        checkpoints=(250, 500),
        change="train.lr=0.001",
        note="The one to beat.",
    )
    make_session(
        store,
        apply(config, ["train.lr=0.004"]),
        "20260320-090000-sudoku-6x6-fast",
        name="lr 4e-3",
        exact=0.913,
        tags=["sweep"],
        hours_ago=6.5,
        steps=1500,
    )
    make_session(
        store, config, "20260319-200000-sudoku-6x6-q7x2", exact=0.555, hours_ago=19, status="stopped"
    )
    make_session(
        store,
        config,
        "20260318-120000-sudoku-6x6-boom",
        name="too hot",
        exact=0.02,
        hours_ago=51,
        status="diverged",
        tags=["sweep"],
    )
    make_session(
        store,
        config,
        "20260201-120000-sudoku-6x6-cut0",
        name="cut off",
        hours_ago=1130,
        status="running",
        summary={},
        checkpoints=(300,),
    )
    make_session(
        store, config, "20250101-120000-sudoku-4x4-oldx", name="very old", hours_ago=10_700, status="failed"
    )


def folders(root: Path) -> list[str]:
    """Return the names of the sessions in a folder."""
    return sorted(path.name for path in root.iterdir() if not path.name.startswith("."))
