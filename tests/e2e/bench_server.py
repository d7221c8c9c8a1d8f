"""Measure the puzzle server: start, page, latency, a crowd of clients, memory, and a run beside it.

    make bench-server            (ARGS="--sessions FOLDER --seconds 60 --requests 10000 --json FILE")

Trains `sudoku-6x6` first, unless the folder of sessions has one, and takes a few steps of `sudoku-9x9`; all
of it happens in a copy. Prints the seconds from the start of the process to the first answer of `/health`;
the page's first paint and its size, in a real browser; the latency of one 9×9 and one 6×6 puzzle; answers a
second and latencies of one client, of a crowd whose requests are let in one at a time, and of the same crowd
at once; the server's memory over the requests; and what one client that never rests costs a run beside it,
from windows in turn. The last line is all of it as JSON. Wants a quiet machine and takes about five minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.e2e.load_client import Load, ask_for
from trm_engine.config import loads
from trm_engine.sessions import Store
from trm_engine.tasks import build_puzzles

STARTS = 3
PAINTS = 5
ASKED = 30
"""Puzzles whose latency is measured, one after the other."""
WARM_REQUESTS = 1000
PAIRS = 4
WINDOW_SECONDS = 7.0
WARM_SECONDS = 8.0
BESIDE = "sudoku-9x9-36"
PROGRAM = [sys.executable, "-m", "trm_tui", "--sessions-dir"]


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    port: int
    process: subprocess.Popen[str]
    ready_seconds: float

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/"

    def get(self, path: str) -> Any:
        """Return what an address says, as JSON."""
        with urllib.request.urlopen(self.url + path) as answer:
            return json.load(answer)

    @property
    def memory(self) -> int:
        """Its resident bytes."""
        return int(psutil.Process(self.process.pid).memory_info().rss)


@contextmanager
def serving(sessions: Path) -> Iterator[Server]:
    """Start a server without a cache, so that every answer is computed; stop it at the end."""
    began = time.perf_counter()
    words = [*PROGRAM, str(sessions), "serve", "--port", "0", "--quiet", "--cache", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r":(\d+)/", process.stdout.readline())
            assert found, "the server did not start"
            urllib.request.urlopen(f"http://127.0.0.1:{found[1]}/health?ready=1").close()
            yield Server(int(found[1]), process, time.perf_counter() - began)
        finally:
            process.terminate()


def trained(sessions: Path, given: Path | None) -> None:
    """Copy the sessions that are given, and make those that are missing.

    A 6×6 model should solve most puzzles; of a 9×9 model any will do.
    """
    if given is not None:
        shutil.copytree(given, sessions)
    known = {record.preset for record in Store(sessions).list()}
    if "sudoku-6x6" not in known:
        _run(sessions, "sudoku-6x6", "--steps", "400")
    if not known & {"sudoku-9x9", "sudoku-9x9-36"}:
        _run(sessions, "sudoku-9x9", "--steps", "3", "--set", "task.train_size=60")


def _run(sessions: Path, *words: str) -> None:
    command = [*PROGRAM, str(sessions), "--no-ui", "run", *words, "--json"]
    subprocess.run(command, check=True, capture_output=True)


def session_of(sessions: Path, preset: str) -> str:
    """Return the newest session of a preset whose name begins so."""
    found = [record for record in Store(sessions).list() if record.preset.startswith(preset)]
    return found[-1].id


def bodies_of(sessions: Path, session: str, count: int, **effort: object) -> list[bytes]:
    """Return requests that ask a session for its held-out puzzles."""
    task = build_puzzles(loads(Store(sessions).get(session).config_text, session).task)
    rows = task.test.head(count).inputs
    ask = {"model": session, "steps": False, **effort}
    return [json.dumps({"puzzle": task.line(row), **ask}).encode() for row in rows]


# --- measurements -----------------------------------------------------------------------------------------


def start_to_ready(sessions: Path) -> list[float]:
    """Return the seconds from the start of the process until it takes requests, for some starts."""
    found = []
    for _ in range(STARTS):
        with serving(sessions) as server:
            found.append(server.ready_seconds)
    return found


def first_paint(server: Server) -> dict[str, float]:
    """Return seconds until the page's first and its largest paint in a fresh browser, and its bytes."""
    from playwright.sync_api import sync_playwright

    paints, boards, size = [], [], 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for _ in range(PAINTS):
            page = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
            page.goto(server.url)
            page.locator(".board .cell").first.wait_for()
            boards.append(page.evaluate("performance.now()") / 1000)
            paints.append(page.evaluate(FIRST_PAINT) / 1000)
            size = page.evaluate(PAGE_BYTES)
            page.context.close()
        browser.close()
    return {
        "first_paint": statistics.median(paints),
        "board": statistics.median(boards),
        "bytes": float(size),
    }


FIRST_PAINT = 'performance.getEntriesByName("first-contentful-paint")[0].startTime'
PAGE_BYTES = """[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .reduce((sum, entry) => sum + entry.encodedBodySize, 0)"""


def latency(server: Server, bodies: list[bytes]) -> Load:
    """Ask for puzzles one after the other, once the model is in memory."""
    asyncio.run(ask_for(server.port, bodies, clients=1, requests=2))
    return asyncio.run(ask_for(server.port, bodies, clients=1, requests=ASKED))


def crowd(server: Server, bodies: list[bytes], seconds: float, requests: int) -> dict[str, Any]:
    """Measure one client, a crowd let in one at a time, and the same crowd at once; and the memory."""
    asyncio.run(ask_for(server.port, bodies, clients=50, requests=WARM_REQUESTS))
    warm = server.memory
    part = max(seconds / 4, 5.0)
    one = asyncio.run(ask_for(server.port, bodies, clients=1, seconds=part))
    in_turn = asyncio.run(ask_for(server.port, bodies, clients=50, seconds=part, in_turn=True))
    together = asyncio.run(ask_for(server.port, bodies, clients=50, seconds=seconds))
    done = sum(len(load.took) for load in (one, in_turn, together))
    memory = [warm, server.memory]
    while done < requests:
        more = asyncio.run(ask_for(server.port, bodies, clients=50, requests=min(requests - done, 2500)))
        done += len(more.took)
        memory.append(server.memory)
        together.statuses += more.statuses
    return {
        "one client": one.to_dict(),
        "50 in turn": in_turn.to_dict(),
        "50 at once": together.to_dict(),
        "errors": one.errors + in_turn.errors + together.errors,
        "throughput_ratio": round(together.per_second / in_turn.per_second, 2),
        "p95_ratio": round(together.quantile(0.95) / in_turn.quantile(0.95), 3),
        "requests": done,
        "memory_mb": [round(value / 1e6, 1) for value in memory],
    }


def beside(sessions: Path, server: Server, bodies: list[bytes]) -> dict[str, Any]:
    """Return the throughput of a run in windows without and with a client, and the share that it loses."""
    words = ["run", BESIDE, "--set", "train.steps=1000000", "--set", "eval.every=0", "--json"]
    command = [*PROGRAM, str(sessions), "--no-ui", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        run = _Run(process)
        try:
            run.wait_for_steps(WARM_SECONDS)
            alone, accompanied, answers = [], [], Load()
            for pair in range(2 * PAIRS):
                # Alone, with, with, alone, …: a machine that warms up favours neither.
                if pair % 4 in (1, 2):
                    with _client(server, bodies, answers):
                        accompanied.append(run.rate(WINDOW_SECONDS))
                else:
                    alone.append(run.rate(WINDOW_SECONDS))
        finally:
            process.terminate()
    lost = 1 - statistics.median(accompanied) / statistics.median(alone)
    return {
        "preset": BESIDE,
        "alone": [round(rate, 1) for rate in alone],
        "with one client": [round(rate, 1) for rate in accompanied],
        "lost": round(lost, 4),
        "client": answers.to_dict(),
    }


class _Run:
    """A run that trains, and how far it says that it is."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._samples = self._seconds = 0.0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = json.loads(line)
            if event.get("event") == "step":
                self._samples, self._seconds = float(event["samples"]), float(event["seconds"])

    def wait_for_steps(self, seconds: float) -> None:
        while self._seconds < seconds:
            assert self._process.poll() is None, "the run beside has ended"
            # Events come in another thread; looking all the time would slow the run that is measured.
            time.sleep(0.1)

    def rate(self, seconds: float) -> float:
        """Return the samples a second over the time to come."""
        samples, began = self._samples, self._seconds
        self.wait_for_steps(began + seconds)
        return (self._samples - samples) / (self._seconds - began)


@contextmanager
def _client(server: Server, bodies: list[bytes], answers: Load) -> Iterator[None]:
    """Let one client ask without a rest, in a thread."""
    stopping = threading.Event()

    def ask() -> None:
        while not stopping.is_set():
            part = asyncio.run(ask_for(server.port, bodies, clients=1, seconds=0.5))
            answers.took += part.took
            answers.seconds += part.seconds
            answers.statuses += part.statuses
            answers.solved += part.solved

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


# --- all of it --------------------------------------------------------------------------------------------


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--sessions", type=Path)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--requests", type=int, default=10_000)
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        sessions = Path(name) / "sessions"
        trained(sessions, given.sessions)
        figures = _measured(sessions, given.seconds, given.requests)
    print(json.dumps(figures))
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _measured(sessions: Path, seconds: float, requests: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    ready = start_to_ready(sessions)
    figures["start_to_ready"] = [round(value, 2) for value in ready]
    say(f"start to ready: median {statistics.median(ready):.2f} s, slowest {max(ready):.2f} s of {STARTS}")
    with serving(sessions) as server:
        figures["page"] = page = first_paint(server)
        paint, board = page["first_paint"], page["board"]
        say(f"first paint {paint:.3f} s, board {board:.3f} s; {page['bytes']:,.0f} bytes")
        for size in ("9x9", "6x6"):
            session = session_of(sessions, f"sudoku-{size}")
            one = latency(server, bodies_of(sessions, session, ASKED, until="all", views=0))
            figures[f"latency {size}"] = one.to_dict()
            median, slowest = one.quantile(0.5), one.quantile(0.95)
            say(f"one {size} puzzle, all steps: median {median:.3f} s, p95 {slowest:.3f} s")
        session = session_of(sessions, "sudoku-6x6")
        for title, effort in (("all steps", {"until": "all", "views": 0}), ("default settings", {})):
            long = title == "all steps"
            bodies = bodies_of(sessions, session, 500, **effort)
            found = crowd(server, bodies, seconds if long else seconds / 3, requests if long else 0)
            figures[f"load, {title}"] = found
            say_load(title, found)
    with serving(sessions) as server:
        figures["beside"] = found = beside(sessions, server, bodies_of(sessions, session, 500))
        say(
            f"training beside: {statistics.median(found['alone']):.1f} samples/s alone, "
            f"{statistics.median(found['with one client']):.1f} with one client: {found['lost']:.1%} lost"
        )
    return figures


def say_load(title: str, found: dict[str, Any]) -> None:
    """Print a table of load."""
    for who in ("one client", "50 in turn", "50 at once"):
        row = found[who]
        say(
            f"{title}, {who}: {row['per_second']:.1f} answers/s, p50 {1000 * row['p50']:.0f} ms, "
            f"p95 {1000 * row['p95']:.0f} ms, {row['solved']} of {row['answers']} solved, {row['statuses']}"
        )
    say(
        f"{title}: at once {found['throughput_ratio']:.2f} times the answers of in turn, p95 "
        f"{found['p95_ratio']:.2f} of it; {found['errors']} errors; {found['requests']:,} requests, memory "
        f"{' '.join(map(str, found['memory_mb']))} MB"
    )


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
