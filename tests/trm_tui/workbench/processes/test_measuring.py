"""The machine's rate is taken from what another process has measured, or stays unknown."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.trm_tui.fake_engine import LAPTOP
from trm_engine.tuning.cache import GEMM_RATE, Trial, TuningCache, machine_key
from trm_tui.workbench.processes.measuring import measured

UNKNOWN = LAPTOP.model_copy(update={"gemm_gflops": None})
MEASURES_NOTHING = (sys.executable, "-c", "")


def test_what_was_measured_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRM_CACHE_DIR", str(tmp_path))
    assert measured(UNKNOWN, MEASURES_NOTHING) == UNKNOWN
    trial = Trial.now("products", GEMM_RATE, {"default": 40.0, "other": 50.0}, share=0.5)
    TuningCache().put(machine_key(UNKNOWN, GEMM_RATE), trial)
    found = measured(UNKNOWN, MEASURES_NOTHING)
    assert (found.gemm_gflops, found.gemm_share) == (50.0, 0.5)


def test_a_program_that_cannot_be_run_leaves_it_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRM_CACHE_DIR", str(tmp_path))
    assert measured(UNKNOWN, (str(tmp_path / "none"),)) == UNKNOWN
