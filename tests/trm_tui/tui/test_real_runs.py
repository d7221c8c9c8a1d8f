"""The workbench with the real engine, on a task whose steps take milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import trm_engine.tasks
from tests.waiting import PATIENCE, eventually
from trm_engine.config import Config, apply
from trm_engine.sessions import Store
from trm_tui.workbench.local_workbench import LocalWorkbench
from trm_tui.workbench.workbench import Look

SMALL = (
    "model.hidden_size=8",
    "train.batch_size=6",
    "train.halt_max_steps=3",
    "train.warmup_steps=2",
    "train.log_every=3",
    "eval.every=6",
    "eval.puzzles=12",
    "checkpoint.every_steps=0",
    "checkpoint.every_seconds=0",
    "runtime.threads=1",
    *(f"runtime.{setting}" for setting in ("gemm=default", "attention=sdpa", "parallelism=rows")),
    "runtime.kernels=fused",
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def workbench(tmp_path: Path) -> Iterator[LocalWorkbench]:
    made = LocalWorkbench(Store(tmp_path / "sessions"))
    yield made
    assert made.close(PATIENCE)


def tiny(*overrides: str) -> Config:
    config = Config(task=trm_engine.tasks.sudoku.config.SudokuConfig(clues=6, train_size=40, test_size=12))
    return apply(config, [*SMALL, *overrides])


def test_a_run_completes_is_extended_and_replayed(workbench: LocalWorkbench) -> None:
    workbench.start(tiny("train.steps=12"), preset="tiny")
    eventually(lambda: workbench.snapshot().state == "completed")
    first = workbench.snapshot()
    assert (first.step, first.steps, first.title) == (12, 12, "tiny")
    assert list(first.curve("exact_accuracy").steps) == [6, 12, 12]
    workbench.extend(6)
    eventually(lambda: workbench.snapshot().state == "completed" and workbench.snapshot().step == 18)
    longer = workbench.snapshot()
    assert longer.session == first.session
    assert list(longer.curve("loss").steps) == [3, 6, 9, 12, 15, 18], "the curve goes on where it was"
    workbench.replay(first.session)
    eventually(lambda: workbench.snapshot().verdict != "")
    assert "every loss agrees" in workbench.snapshot().verdict


def test_two_runs_take_turns_and_their_weights_can_be_seen(workbench: LocalWorkbench) -> None:
    endless = tiny("train.steps=100000", "eval.every=0", "train.log_every=1")
    workbench.start(endless, preset="first")
    eventually(lambda: workbench.snapshot().step > 2)
    workbench.start(endless, preset="second")
    eventually(lambda: workbench.snapshot().step > 2)
    assert [view.state for view in workbench.slots()] == ["paused", "running"]
    seen: list[Look] = []
    assert workbench.look(seen.append)
    eventually(lambda: len(seen) == 1)
    assert seen[0].config == endless
    assert all(torch.isfinite(tensor).all() for tensor in seen[0].weights.values())
    workbench.switch(1)
    workbench.go_on()
    before = workbench.snapshot().step
    eventually(lambda: workbench.snapshot().step > before)
    assert [view.state for view in workbench.slots()] == ["running", "paused"]
    workbench.stop()
    eventually(lambda: workbench.snapshot().state == "stopped")
    stopped = workbench.snapshot().step
    workbench.go_on()
    eventually(lambda: workbench.snapshot().state == "running" and workbench.snapshot().step > stopped)
    assert list(workbench.snapshot().curve("loss").steps)[:3] == [1, 2, 3]


def test_what_does_not_fit_is_said(workbench: LocalWorkbench) -> None:
    workbench.start(tiny("memory.budget_gb=0.001"), preset="huge")
    eventually(lambda: workbench.snapshot().state == "failed")
    failure = workbench.snapshot().failure
    assert failure is not None
    assert "memory" in failure.message
    assert failure.traceback == "", "an error for people needs none"
