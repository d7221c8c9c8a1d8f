"""A run of several ranks in the app: rank 0 is the app's own thread, tells, and is told what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.program import TINY
from tests.waiting import PATIENCE, eventually
from trm_engine.config import Config, apply, loads
from trm_engine.sessions import Store
from trm_tui.workbench.local_workbench import LocalWorkbench


@pytest.fixture
def workbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalWorkbench]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    made = LocalWorkbench(Store(tmp_path / "sessions"))
    yield made
    assert made.close(PATIENCE), "every thread has ended"
    assert not followers(), "no process is left"


def followers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "RANK" in child.environ()]


@pytest.fixture
def endless() -> Config:
    return apply(loads(TINY, "tiny"), ["train.steps=100000", "eval.every=0", "checkpoint.every_steps=5"])


def test_a_run_of_two_ranks_is_driven_and_survives_the_other(
    workbench: LocalWorkbench, endless: Config
) -> None:
    workbench.start(endless, preset="tiny", ranks=2)
    eventually(lambda: workbench.snapshot().step >= 3)
    snapshot = workbench.snapshot()
    assert {one.subject: one.choice for one in snapshot.decisions}["ranks"] == "2"
    assert len(followers()) == 1

    workbench.pause()
    eventually(lambda: workbench.snapshot().state == "paused")
    held = workbench.snapshot().step
    workbench.go_on()
    eventually(lambda: workbench.snapshot().step > held)

    workbench.checkpoint()
    eventually(lambda: (saved := workbench.snapshot().saved) is not None and saved.reason == "asked")

    followers()[0].kill()
    eventually(lambda: any("restart 1 of 3" in line.message for line in workbench.snapshot().log))
    eventually(lambda: workbench.snapshot().state == "running" and len(followers()) == 1)
    again = workbench.snapshot().step
    eventually(lambda: workbench.snapshot().step > again + 3)

    workbench.stop()
    eventually(lambda: workbench.snapshot().state == "stopped")
    assert workbench.snapshot().session == snapshot.session
    assert not followers()
    record = workbench.store.get(snapshot.session).record
    assert (record.status, record.ranks) == ("stopped", 2)
