"""A run whose training puzzles stay in a file: said to be streamed, and the same when stopped and resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.trm_tui.cli.test_hub_data import csv_of
from trm_engine.tasks import streaming, subset
from trm_engine.tasks.sudoku.lists import prepared


@pytest.fixture
def streamed_toml(tmp_path: Path, tiny_toml: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A configuration whose list counts as long and too large to hold, with a window of a few rows."""
    monkeypatch.setenv("TRM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(prepared, "LONG_BYTES", 100)
    monkeypatch.setattr(subset, "IN_MEMORY_BYTES", 100)
    monkeypatch.setattr(streaming.StreamingSampler.__init__, "__defaults__", (36 * 10,))
    (tmp_path / "train.csv").write_bytes(csv_of(0))
    (tmp_path / "test.csv").write_bytes(csv_of(1))
    data = '[task]\ndata = "train.csv"\ntest_data = "test.csv"\ntrain_size = 1000\n'
    (tmp_path / "streamed.toml").write_text(
        tiny_toml.replace("[task]\n", data).replace("train_size = 40\n", "")
    )
    return "streamed.toml"


def test_a_streamed_run_says_so(trm: Any, streamed_toml: str) -> None:
    done = trm("--no-ui", "run", streamed_toml, "--json", "--set", "eval.every=0")
    assert done.code == 0
    assert "streamed, shuffled within" in str(done.objects[0]["decisions"])


def test_a_streamed_run_that_was_stopped_ends_as_one_that_was_not(trm: Any, streamed_toml: str) -> None:
    whole = trm("--no-ui", "run", streamed_toml, "--json").objects[-1]
    assert trm("--no-ui", "run", streamed_toml, "--name", "first", "--steps", "2").code == 0
    resumed = trm("--no-ui", "resume", "first", "--json").objects[-1]
    assert resumed["weights_sha256"] == whole["weights_sha256"]


def test_a_streamed_run_replays(trm: Any, streamed_toml: str) -> None:
    assert trm("--no-ui", "run", streamed_toml, "--name", "first").code == 0
    assert trm("--no-ui", "replay", "first").code == 0
