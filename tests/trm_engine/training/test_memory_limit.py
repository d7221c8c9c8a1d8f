"""A real limit on a real process: the fast form of the torture test of the same name."""

from __future__ import annotations

import resource
from pathlib import Path

from tests.torture.limited_runs import hold_at, needs_prlimit, run_needy
from trm_engine.sessions import Store


@needs_prlimit
def test_a_run_whose_memory_is_taken_away_stops_saved(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    outcome = run_needy(
        folder, steps=100_000, disturb_at=1, disturb=hold_at(resource.RLIMIT_DATA, -400_000_000)
    )
    assert (outcome.exit_code, outcome.errors) == (6, "")
    assert "micro-batch-reduced" in outcome.codes()
    assert outcome.events[-1]["exit_code"] == 6
    assert Store(folder / "sessions").get("latest").load()[0].step == outcome.events[-1]["steps"]
