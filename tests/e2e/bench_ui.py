"""Measure what the app costs while `sudoku-9x9` trains.

    make bench-ui

Prints the time to the first frame, the time from a key to the frame that answers it, the CPU that the
thread of the interface takes, and the training throughput in the app as a share of `--no-ui`, from
alternating runs. Wants a quiet machine and takes about five minutes.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from engine.runs import Store
from tests.e2e.terminal import Terminal

PRESET = "sudoku-9x9"
RUNS = 5
SECONDS = 20
KEYS = 40
FIRST_FRAMES = 5
# Long runs: neither the last step nor the target ends one, and no evaluation stands in the way.
SETTINGS = ("--set", "train.steps=1000000", "--set", "eval.every=0", "--set", "train.warmup_steps=100")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = [first_frame(folder) for _ in range(FIRST_FRAMES)]
        print(f"first frame: median {statistics.median(first):.2f} s of {FIRST_FRAMES}")
        pairs = []
        for number in range(RUNS):
            headless = headless_rate(folder)
            app, keys, share = app_rate(folder)
            pairs.append(app / headless)
            print(
                f"run {number + 1}: --no-ui {headless:,.0f} samples/s, app {app:,.0f} "
                f"({app / headless:.1%}); key to frame p50 {quantile(keys, 50) * 1000:.0f} ms, "
                f"p95 {quantile(keys, 95) * 1000:.0f} ms; "
                f"interface {share:.1%} of a core"
            )
        print(f"throughput in the app: median {statistics.median(pairs):.1%} of --no-ui over {RUNS} pairs")


def first_frame(folder: Path) -> float:
    started = time.perf_counter()
    with Terminal(sessions=folder / "empty", home=folder) as app:
        app.wait("Pick a preset")
        return time.perf_counter() - started


def headless_rate(folder: Path) -> float:
    words = ["--no-ui", "--sessions-dir", str(folder / "headless"), "run", PRESET, *SETTINGS]
    done = subprocess.run(
        [sys.executable, "-m", "trm_tui", *words, "--seconds", str(SECONDS), "--json"],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(json.loads(done.stdout.splitlines()[-1])["samples_per_second"])


def app_rate(folder: Path) -> tuple[float, list[float], float]:
    """Train in the app; return samples/s, seconds from each key to its frame, the interface's CPU share."""
    sessions = folder / "app"
    with Terminal("run", PRESET, *SETTINGS, sessions=sessions, home=folder, columns=140, rows=45) as app:
        app.wait("samples/s")
        interface = psutil.Process(app.process.pid)
        before, started = interface_seconds(interface), time.monotonic()
        keys = []
        while time.monotonic() - started < SECONDS:
            if len(keys) < KEYS:
                keys += [answered(app, "i", "Decisions"), answered(app, "\x1b", "Log")]
            app.read(0.2)
        share = (interface_seconds(interface) - before) / (time.monotonic() - started)
        app.press("\x03")
        app.wait_for_end()
    store = Store(sessions)
    return float(str(store.get("latest").record.summary["samples_per_second"])), keys, share


def answered(app: Terminal, key: str, expected: str) -> float:
    """Press a key and return the seconds until the screen has changed into one that shows `expected`."""
    before = app.text
    pressed = time.perf_counter()
    app.process.send(key)
    app.wait(lambda text: expected in text and text != before)
    return time.perf_counter() - pressed


def interface_seconds(process: psutil.Process) -> float:
    """CPU seconds of the main thread, which is the interface's."""
    (main_thread,) = (thread for thread in process.threads() if thread.id == process.pid)
    return float(main_thread.user_time + main_thread.system_time)


def quantile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


if __name__ == "__main__":
    main()
