"""Studies whose trials other schedulers run: the real packages, on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny import STUDY, write_study

from tests.program import told


@pytest.mark.parametrize(("where", "package"), [("slurm:local", "submitit"), ("ray", "ray")])
def test_a_study_runs_where_it_is_told_to(tmp_path: Path, where: str, package: str) -> None:
    pytest.importorskip(package, reason=f"the package {package} is not installed")
    write_study(tmp_path, STUDY)
    words = ("studies", "run", "tiny.toml", "--pattern", "ta", "--seeds", "1")
    events = told(tmp_path, "sessions", *words, "--on", where)
    kinds = [
        event["event"] for event in events if event["event"].endswith(("-started", "-session", "-finished"))
    ]
    assert kinds == ["study-started", "trial-started", "trial-session", "trial-finished", "study-finished"]
    assert any(event["event"] == "trial-eval" and event["final"] for event in events)
    assert events[-1]["done"] == 1
