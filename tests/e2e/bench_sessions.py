"""Measure the session browser on 10 000 sessions.

    python -m tests.e2e.bench_sessions [COUNT]

Writes so many records of the size that real runs leave into a temporary folder, then measures how long the
browser takes to open (to a screenful of rows, and to all of them), to filter while text is typed, to sort by
every column and to look for changes; beside that `Store.list`, which checks every record whole. The frame is
included: what is timed ends when the app has painted and is idle.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

from tests.trm_tui.fake_engine import LAPTOP, FakeWorkbench, evaluated
from trm_engine.sessions import SessionRecord, Store
from trm_engine.sessions.layout import RECORD
from trm_tui.tui.app import TrmApp
from trm_tui.tui.sessions.filter_bar import FilterBar
from trm_tui.tui.sessions.screen import SessionsScreen
from trm_tui.workbench.browser.catalogue import Catalogue
from trm_tui.workbench.browser.columns import COLUMNS

COUNT = 10_000
OPEN_SECONDS, ACT_SECONDS = 1.0, 0.2
FILTERS = (
    "task:sudoku",
    "exact>0.9",
    "task:sudoku exact>0.9 tag:best status:completed steps>=1000 base",
    "age<30d",
)
ROUNDS = 5


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "sessions"
        print(f"{count:,} sessions of {write_sessions(root, count):,} bytes each")
        say("Store.list", [timed(lambda: Store(root).list()) for _ in range(3)])
        read = [read_all(root) for _ in range(3)]
        say("read: a screenful", [first for first, _, _ in read])
        say("read: all", [whole for _, whole, _ in read])
        say("read again, nothing new", [again for _, _, again in read])
        asyncio.run(use(root, Path(name) / "settings", count))


def write_sessions(root: Path, count: int) -> int:
    """Write plausible records that differ in everything the table shows; return the size of the last."""
    chance = random.Random(1)
    end = datetime.now(timezone.utc)
    size = 0
    for number in range(count):
        created = end - timedelta(minutes=37 * (count - number))
        preset = chance.choice(("sudoku-4x4", "sudoku-6x6", "sudoku-9x9"))
        steps = chance.randrange(100, 5000)
        record = SessionRecord(
            id=f"{created:%Y%m%d-%H%M%S}-{preset}-{number:04x}"[:79],
            name=chance.choice(("", "baseline", f"sweep {number % 97}", "no augmentation")),
            preset=preset,
            task="sudoku",
            status=chance.choice(("completed", "completed", "stopped", "failed", "diverged")),
            created=created,
            updated=created,
            tags=tuple(sorted(chance.sample(("best", "paper", "sweep", "wide"), chance.randrange(3)))),
            hardware=LAPTOP.to_dict(),
            versions={"python": "3.11.7", "torch": "2.2.2", "numpy": "1.26.4", "trm-tui": "0.1.0"},
            data={"train": "a" * 64, "test": "b" * 64},
            facts={
                "source": "Generated with seed 0.",
                "unseen": "No two puzzles are images of each other. " * 6,
            },
            threads=4,
            summary={
                "steps": steps,
                "samples": steps * 64,
                "seconds": steps * 64 / 1034,
                "samples_per_second": chance.uniform(300, 1500),
                "parameters": chance.choice((68_000, 412_000, 1_200_000)),
                "weights_sha256": "c" * 64,
                "eval": dict(evaluated(steps, chance.random()).figures),
                "resources": {"peak_rss_bytes": 610_000_000, "mean_cpu_percent": 382.0},
            },
        )
        folder = root / record.id
        folder.mkdir(parents=True)
        text = record.model_dump_json(indent=2)
        (folder / RECORD).write_text(text)
        size = len(text)
    return size


def read_all(root: Path) -> tuple[float, float, float]:
    """Return the seconds to the first rows, to all, and to learn that nothing is new."""
    catalogue = Catalogue(root)
    started = time.perf_counter()
    found = [time.perf_counter() - started for _ in catalogue.refresh()]
    return found[0], found[-1], timed(lambda: list(catalogue.refresh()))


async def use(root: Path, settings: Path, count: int) -> None:
    """Open the browser in the app, filter and sort."""
    app = TrmApp(FakeWorkbench(root), config_dir=settings, opening=lambda _: None)
    async with app.run_test(size=(140, 45)) as pilot:
        await pilot.pause()
        started = time.perf_counter()
        app.switch_mode("sessions")
        screen = app.screen
        assert isinstance(screen, SessionsScreen)
        await until(lambda: len(screen.listing.rows) > 0)
        await painted(app)
        say("open: a screenful", [time.perf_counter() - started], OPEN_SECONDS)
        await until(lambda: len(screen.listing.rows) == count)
        await painted(app)
        say("open: all", [time.perf_counter() - started], OPEN_SECONDS)
        for text in FILTERS:
            seconds = []
            for _ in range(ROUNDS):
                seconds.append(await filtered(app, screen, text))
                await filtered(app, screen, "")
            say(f"filter {text}", seconds, ACT_SECONDS)
        letters = "task:sudoku exact>0.9 base"
        typed = [await filtered(app, screen, letters[:n]) for n in range(1, len(letters) + 1)]
        say("filter letter by letter", typed, ACT_SECONDS)
        await filtered(app, screen, "")
        sorts = [await acted(app, lambda: screen.action_sort(1)) for _ in range(2 * len(COLUMNS))]
        say("sort by another column", sorts, ACT_SECONDS)
        say("move the cursor", [await acted(app, lambda: screen.action_move(1)) for _ in range(20)])


async def filtered(app: TrmApp, screen: SessionsScreen, text: str) -> float:
    """Return the seconds that a filter takes, from the change of the text to the frame."""
    wanted = screen.listing.filter
    started = time.perf_counter()
    screen.query_one(FilterBar).field.value = text
    while screen.listing.filter is wanted:
        await asyncio.sleep(0)
    await painted(app)
    return time.perf_counter() - started


async def acted(app: TrmApp, act: Callable[[], object]) -> float:
    """Return the seconds that an action takes, to the frame."""
    started = time.perf_counter()
    act()
    await painted(app)
    return time.perf_counter() - started


async def painted(app: TrmApp) -> None:
    """Wait for the next frame."""
    done = asyncio.Event()
    app.screen.call_after_refresh(done.set)
    await done.wait()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def say(what: str, seconds: list[float], limit: float | None = None) -> None:
    """Print median and slowest in milliseconds, and whether the median keeps its promise."""
    median = statistics.median(seconds)
    slowest = f", slowest {1000 * max(seconds):.0f}" if len(seconds) > 1 else ""
    promise = (
        "" if limit is None else f"  (promised {1000 * limit:.0f}{'' if median <= limit else ': BROKEN'})"
    )
    print(f"{what:<84} {1000 * median:6.0f} ms{slowest}{promise}")


if __name__ == "__main__":
    main()
