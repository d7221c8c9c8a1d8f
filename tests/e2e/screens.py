"""Draw every screen of the app, from real runs, into docs/screens/*.svg at two sizes.

    make screens

Trains sudoku-4x4 to its end and begins sudoku-6x6, then walks through the screens while it trains; at last a
text model learns this project's own log for a while.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from trm_engine.config import apply, find_preset
from trm_engine.process_setup import prepare_process
from trm_engine.sessions import Store
from trm_tui.tui.app import TrmApp
from trm_tui.workbench.local_workbench import LocalWorkbench
from trm_tui.workbench.workbench import Workbench

DOCS = Path(__file__).parents[2] / "docs"
FOLDER, LOG = DOCS / "screens", DOCS / "LOG.md"
TEXT_STEPS = 300
SIZES = {"": (140, 45), "-small": (80, 24)}
PATIENCE = 180.0


async def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        await draw_welcome(folder)
        workbench = LocalWorkbench(Store(folder / "sessions"), None)
        workbench.open()
        try:
            await draw_runs(workbench, folder)
        finally:
            workbench.close()


async def draw_welcome(folder: Path) -> None:
    empty = LocalWorkbench(Store(folder / "empty"), None)
    app = TrmApp(empty, config_dir=folder / "settings")
    async with app.run_test(size=SIZES[""]) as pilot:
        await pilot.pause(1.0)
        await draw(pilot, "welcome")


async def draw_runs(workbench: Workbench, folder: Path) -> None:
    app = TrmApp(workbench, config_dir=folder / "settings")
    async with app.run_test(size=SIZES[""]) as pilot:
        await pilot.pause(1.0)
        app.start_run(find_preset("sudoku-4x4").config, preset="sudoku-4x4")
        await until(pilot, lambda: workbench.slots()[0].state == "completed")
        app.start_run(find_preset("sudoku-6x6").config, preset="sudoku-6x6")
        await until(pilot, lambda: workbench.snapshot().step > 400)
        await draw(pilot, "dashboard")
        await pilot.press("question_mark")
        await draw(pilot, "help")
        await pilot.press("escape")
        for mode, key in (("config", "e"), ("sessions", "s"), ("hardware", "h"), ("watch", "w")):
            await pilot.press("escape", key)
            await pilot.pause(3.0)
            await draw(pilot, mode)
        text = apply(find_preset("shakespeare-char-laptop").config, [f"task.data={json.dumps(str(LOG))}"])
        app.start_run(text, preset="shakespeare-char-laptop")
        await until(pilot, lambda: workbench.snapshot().step > TEXT_STEPS)
        await pilot.press("escape", "w", "l")
        await pilot.pause(20.0)
        await draw(pilot, "watch-text")


async def draw(pilot: Pilot[int], name: str) -> None:
    """Save the screen at every size."""
    for suffix, size in SIZES.items():
        await pilot.resize_terminal(*size)
        await pilot.pause(1.0)
        file = FOLDER / f"{name}{suffix}.svg"
        file.write_text(pilot.app.export_screenshot(title="trm-tui"), encoding="utf-8")
        print(file.name)
    await pilot.resize_terminal(*SIZES[""])
    await pilot.pause(0.5)


async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE / 0.2)):
        if condition():
            return
        await pilot.pause(0.2)
    raise TimeoutError("the run did not come that far")


if __name__ == "__main__":
    prepare_process()
    asyncio.run(main())
