"""Another process takes a core from a running program: a person hears of it, and training goes on well."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from tests.program import begin
from trm_engine.hardware import detect

pytestmark = pytest.mark.torture

WARNED_WITHIN = 10.0  # seconds
MOST_SLOWDOWN = 3.0
ROUNDS, PERIOD_SECONDS = 3, 5.0
CORES = detect().cpu.usable_cores or 1
BUSY = [sys.executable, "-c", "while True: pass"]
RUN = [
    *("run", "sudoku-4x4", "--json", "-s", "model.hidden_size=128", "-s", "train.steps=100000"),
    *("-s", "train.log_every=1", "-s", "eval.every=100000", "-s", f"runtime.threads={CORES}"),
]


@contextmanager
def training(folder: Path) -> Iterator[Iterator[dict[str, Any]]]:
    """Train with a thread for each core; give the events from the third step on, and end the program."""
    with begin(folder, "sessions", *RUN, stderr=subprocess.DEVNULL) as program:
        assert program.stdout is not None
        events = (json.loads(line) for line in program.stdout)
        try:
            assert any(event.get("step", 0) >= 3 for event in events), "the program ended at once"
            yield events
        finally:
            program.terminate()
            program.communicate()


@contextmanager
def busy_cores() -> Iterator[None]:
    """Keep all cores but one busy, or the only one."""
    processes = [subprocess.Popen(BUSY) for _ in range(max(CORES - 1, 1))]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def steps_per_second(events: Iterator[dict[str, Any]]) -> float:
    """Follow training for a while; its first step may still belong to what was before."""
    steps = (event["step"] for event in events if event["event"] == "step")
    first, began = next(steps), time.monotonic()
    for step in steps:
        if (passed := time.monotonic() - began) >= PERIOD_SECONDS:
            return float((step - first) / passed)
    raise AssertionError("the program ended")


def test_a_person_hears_within_ten_seconds(tmp_path: Path) -> None:
    with training(tmp_path) as events, busy_cores():
        until = time.monotonic() + WARNED_WITHIN
        in_time = takewhile(lambda _: time.monotonic() <= until, events)
        assert "cores-contended" in (event.get("code") for event in in_time)


def test_training_slows_down_by_less_than_three_times(tmp_path: Path) -> None:
    alone, beside = [], []
    with training(tmp_path) as events:
        for _ in range(ROUNDS):
            alone.append(steps_per_second(events))
            with busy_cores():
                beside.append(steps_per_second(events))
    assert statistics.median(alone) / statistics.median(beside) < MOST_SLOWDOWN
