"""Measure what the app costs while `sudoku-9x9-36` trains.

    make bench-ui

Prints the time to the first frame; the time from a digit to the first new step of the other experiment; from
pairs of runs in alternating order, the training throughput in the app as a share of `--no-ui` with the CPU
that the thread of the interface takes; the time from a key to the frame that answers it; and the memory of
the app over two simulated hours at a hundred times their speed. Wants a quiet machine and takes about nine
minutes.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import pexpect
import psutil

from tests.e2e.terminal import PATIENCE, Terminal
from trm_engine.sessions import Store

PRESET = "sudoku-9x9-36"
PAIRS = 9
WARM_SECONDS = 4.0
SECONDS = 14.0
KEYS = 60
FIRST_FRAMES = 5
SWITCHES = 8
# Long runs: neither the last step nor the target ends one, and no evaluation stands in the way.
SETTINGS = ("--set", "train.steps=1000000", "--set", "eval.every=0", "--set", "train.warmup_steps=100")

# Keys of the dashboard, and what the frame that answers them shows: one line of it or all of it.
# Not escape: Textual waits a tenth of a second for the rest of a code that could begin with it.
ANSWERS = (("f", "frozen"), ("f", "ETA"), ("m", "Loss"), ("m", "Machine"))

HOURS = 2.0
SPEED = 100.0
EVENTS_A_SECOND = 2.0  # as the engine tells them


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = [first_frame(folder) for _ in range(FIRST_FRAMES)]
        print(f"first frame: median {statistics.median(first):.2f} s of {FIRST_FRAMES}", flush=True)
        switches = switch_times(folder)
        print(
            f"switching between two experiments: median {statistics.median(switches):.2f} s, "
            f"slowest {max(switches):.2f} s of {len(switches)}",
            flush=True,
        )
        throughput(folder)
        keys = key_times(folder)
        print(
            f"key to frame while training: p50 {quantile(keys, 50) * 1000:.0f} ms, "
            f"p95 {quantile(keys, 95) * 1000:.0f} ms of {len(keys)}",
            flush=True,
        )
        asyncio.run(two_hours(folder / "simulated"))


def first_frame(folder: Path) -> float:
    started = time.perf_counter()
    with Terminal(sessions=folder / "empty", home=folder) as app:
        app.wait("Pick a preset")
        return time.perf_counter() - started


def switch_times(folder: Path) -> list[float]:
    """Return the seconds from digit and space until the other experiment, that rested, has taken a step."""
    times = []
    with training(folder / "switched", folder) as app:
        app.wait("samples/s")
        app.press("n")
        app.wait("sudoku-6x6")
        app.press("down", "enter")
        app.wait(lambda text: "2 sudoku-6x6" in text and steps_shown(text)[1] == 1000)
        for switch in range(SWITCHES):
            rested = time.monotonic() + 1.5
            while time.monotonic() < rested:
                app.read()
            slot = 1 + switch % 2
            started = time.perf_counter()
            app.process.send(f"{slot} ")  # the digit looks, space runs
            app.wait(partial(shows, slot=slot))
            app.wait(partial(shows, slot=slot, beyond=steps_shown(app.text)[0]))
            times.append(time.perf_counter() - started)
        app.press("\x03")
        app.wait_for_end()
    return times


def shows(text: str, slot: int, beyond: int = -1) -> bool:
    """Whether the dashboard shows a slot's run, beyond a step."""
    step, steps = steps_shown(text)
    return (steps == 1000) == (slot == 2) and step > beyond


def steps_shown(text: str) -> tuple[int, int]:
    """Return the step that the dashboard shows, and the last one; zeros where it shows none."""
    found = re.search(r"step\s+([\d,]+) of ([\d,]+)", text)
    return (int(found[1].replace(",", "")), int(found[2].replace(",", ""))) if found else (0, 0)


def throughput(folder: Path) -> None:
    shares = []
    for number in range(PAIRS):
        if number % 2:
            app, share = app_rate(folder)
            headless = headless_rate(folder)
        else:
            headless = headless_rate(folder)
            app, share = app_rate(folder)
        shares.append(app / headless)
        print(
            f"pair {number + 1}: --no-ui {headless:,.0f} samples/s, app {app:,.0f} ({app / headless:.1%}); "
            f"interface {share:.1%} of a core",
            flush=True,
        )
    print(f"throughput in the app: median {statistics.median(shares):.1%} of --no-ui over {PAIRS} pairs")


def headless_rate(folder: Path) -> float:
    words = ["--no-ui", "--sessions-dir", str(folder / "headless"), "run", PRESET, *SETTINGS]
    subprocess.run(
        [sys.executable, "-m", "trm_tui", *words, "--seconds", str(WARM_SECONDS + SECONDS), "--json"],
        check=True,
        capture_output=True,
    )
    return rate_of(Store(folder / "headless"))


def app_rate(folder: Path) -> tuple[float, float]:
    """Train in the app with nobody at the keys; return samples/s and the interface's share of a core."""
    sessions = folder / "app"
    with training(sessions, folder) as app:
        app.wait("samples/s")
        interface = psutil.Process(app.process.pid)
        pass_time(app, WARM_SECONDS)
        before, started = interface_seconds(interface), time.monotonic()
        pass_time(app, SECONDS)
        share = (interface_seconds(interface) - before) / (time.monotonic() - started)
        app.press("\x03")
        app.wait_for_end()
    return rate_of(Store(sessions)), share


def key_times(folder: Path) -> list[float]:
    """Return the seconds from keys to the frames that answer them, pressed at any moment of training."""
    times = []
    with training(folder / "keys", folder) as app:
        app.wait("samples/s")
        while len(times) < KEYS:
            for key, expected in ANSWERS:
                times.append(answered(app, key, expected))
                pass_time(app, 0.13)
        app.press("\x03")
        app.wait_for_end()
    return times


def training(sessions: Path, home: Path) -> Terminal:
    return Terminal("run", PRESET, *SETTINGS, sessions=sessions, home=home, columns=140, rows=45)


def pass_time(app: Terminal, seconds: float) -> None:
    """Take what is drawn without understanding it: the terminal's own work is not the app's."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(pexpect.TIMEOUT):
            app.process.read_nonblocking(65536, timeout=0.1)


def rate_of(store: Store) -> float:
    """Return the samples a second of the newest session, its first seconds left out."""
    records = [record for record in store.get("latest").metrics.read() if record["event"] == "step"]
    warm = next(record for record in records if number(record, "seconds") > WARM_SECONDS)
    seconds = number(records[-1], "seconds") - number(warm, "seconds")
    return (number(records[-1], "samples") - number(warm, "samples")) / seconds


def number(record: dict[str, object], name: str) -> float:
    return float(json.dumps(record[name]))


def answered(app: Terminal, key: str, expected: str) -> float:
    """Press a key and return the seconds until a frame that shows `expected` has been written."""
    pass_time(app, 0.1)
    written = ""
    pressed = time.perf_counter()
    app.process.send(key)
    while expected not in written:
        if time.perf_counter() - pressed > PATIENCE:
            raise AssertionError(f"{expected!r} was never shown after {key!r}")
        with suppress(pexpect.TIMEOUT):
            written += app.process.read_nonblocking(65536, timeout=1.0)
    return time.perf_counter() - pressed


def interface_seconds(process: psutil.Process) -> float:
    """CPU seconds of the main thread, which is the interface's."""
    (main_thread,) = (thread for thread in process.threads() if thread.id == process.pid)
    return float(main_thread.user_time + main_thread.system_time)


async def two_hours(folder: Path) -> None:
    """Feed the app two hours of events at a hundred times their speed and print its memory on the way."""
    from tests.trm_tui.fake_engine import FakeWorkbench, stepped
    from trm_engine.config import find_preset
    from trm_tui.tui.app import TrmApp

    bench = FakeWorkbench(folder)
    app = TrmApp(bench, config_dir=folder)
    events = round(HOURS * 3600 * EVENTS_A_SECOND)
    begin, memory = time.monotonic(), []
    async with app.run_test(size=(140, 45)) as pilot:
        bench.start(find_preset(PRESET).config, preset=PRESET)
        app.switch_mode("dashboard")
        for event in range(1, events + 1):
            bench.run.recorder(stepped(event, events, seconds=event / EVENTS_A_SECOND))
            if event % 20 == 0:
                bench.run.recorder.log("info", f"checkpoint {event}")
            while time.monotonic() - begin < event / EVENTS_A_SECOND / SPEED:
                await pilot.pause(0.01)
            if event % (events // 8) == 0:
                memory.append(psutil.Process().memory_info().rss)
    shown = " ".join(f"{value / 1e6:.0f}" for value in memory)
    growth = memory[-1] / memory[1] - 1
    print(
        f"{HOURS:g} simulated hours in {time.monotonic() - begin:.0f} s: {shown} MB every 15 minutes "
        f"({growth:+.1%} since the first half hour)"
    )


def quantile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


if __name__ == "__main__":
    main()
