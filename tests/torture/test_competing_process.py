"""Another process takes a core from a running training: a person hears of it within ten seconds."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

import engine.tasks
from engine.config import Config, apply
from engine.hardware import detect
from engine.runs import Store
from engine.training.control import Control
from engine.training.events import Event, Stepped, Warned
from engine.training.launch import Sitting, start

pytestmark = pytest.mark.torture

SECONDS = 10.0
BUSY = [sys.executable, "-c", "while True: pass"]


class Watcher:
    """Starts a busy process for each core but one once training goes, and waits to hear of it."""

    def __init__(self, control: Control, count: int) -> None:
        self.control = control
        self.count = count
        self.busy: list[subprocess.Popen[bytes]] = []
        self.since = 0.0
        self.heard_after: float | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, Stepped) and event.step >= 3 and not self.busy:
            self.busy = [subprocess.Popen(BUSY) for _ in range(self.count)]
            self.since = time.monotonic()
        passed = time.monotonic() - self.since
        if isinstance(event, Warned) and event.code == "cores-contended" and self.heard_after is None:
            self.heard_after = passed if self.busy else 0.0  # before: the machine was busy already
        if self.busy and (self.heard_after is not None or passed > 3 * SECONDS):
            self.control.stop()


def test_a_competing_process_is_told_within_ten_seconds(tmp_path: Path) -> None:
    cores = detect().cpu.usable_cores or 1
    config = apply(
        Config(task=engine.tasks.SudokuConfig(clues=6, train_size=40, test_size=12)),
        ["model.hidden_size=128", "train.steps=100000", "train.log_every=1", f"runtime.threads={cores}"],
    )
    control = Control()
    watcher = Watcher(control, max(cores - 1, 1))
    try:
        start(Store(tmp_path), config, Sitting(control, [watcher]), preset="torture")
    finally:
        for process in watcher.busy:
            process.kill()
            process.wait()
    assert watcher.heard_after is not None
    assert watcher.heard_after <= SECONDS
