"""Draw every screen of the app from real runs into docs/screens; or elsewhere, in other sizes and themes.

    make screens
    make screens ARGS="--into /tmp/screens --sizes 60x18,80x24,120x40,200x60 --themes trm-dark,trm-light"

Trains sudoku-4x4 to its end and begins sudoku-6x6, then walks through the screens while it trains; at last a
text model learns this project's own log for a while. `--png` draws each picture as PNG too (extra `png`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot

from tests.trm_tui.picture import text_of
from trm_engine.config import apply, find_preset
from trm_engine.process_setup import prepare_process
from trm_engine.sessions import Store
from trm_tui.tui.app import TrmApp
from trm_tui.workbench.local_workbench import LocalWorkbench
from trm_tui.workbench.workbench import Workbench

DOCS = Path(__file__).parents[2] / "docs"
LOG = DOCS / "LOG.md"
TEXT_STEPS = 300
PATIENCE = 600.0
LARGEST = (140, 45)
SCREENS = {"config": "e", "sessions": "s", "studies": "S", "hardware": "h", "watch": "w"}
IN_DOCS = {"": LARGEST, "-small": (80, 24)}


@dataclass(frozen=True)
class Drawing:
    """Where to, at which sizes (by the ending of the file's name), and in which themes."""

    folder: Path
    sizes: dict[str, tuple[int, int]]
    themes: Sequence[str] = ("trm-dark",)
    png: bool = False

    async def draw(self, pilot: Pilot[int], name: str) -> None:
        """Save the screen at every size and in every theme."""
        app = pilot.app
        assert isinstance(app, TrmApp)
        for theme in self.themes:
            app.set_theme(theme)
            for suffix, size in self.sizes.items():
                await pilot.resize_terminal(*size)
                app.refresh_now()
                await pilot.pause(1.0)
                look = f"-{theme.removeprefix('trm-')}" if len(self.themes) > 1 else ""
                self._write(f"{name}{suffix}{look}", app.export_screenshot(title="trm-tui"))
        app.set_theme(self.themes[0])
        await pilot.resize_terminal(*LARGEST)
        await pilot.pause(0.5)

    def _write(self, name: str, svg: str) -> None:
        file = self.folder / f"{name}.svg"
        file.write_text(svg, encoding="utf-8")
        if self.png:
            import resvg_py

            file.with_suffix(".png").write_bytes(bytes(resvg_py.svg_to_bytes(svg_string=svg)))
        print(file.name, flush=True)


async def main(drawing: Drawing) -> None:
    drawing.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["TRM_PRESETS_DIR"] = str(folder / "presets")
        await draw_welcome(drawing, folder)
        workbench = LocalWorkbench(Store(folder / "sessions"), None)
        workbench.open()
        try:
            await draw_runs(drawing, workbench, folder)
        finally:
            workbench.close()


async def draw_welcome(drawing: Drawing, folder: Path) -> None:
    empty = LocalWorkbench(Store(folder / "empty"), None, measures=True)
    empty.open()
    app = TrmApp(empty, config_dir=folder / "settings")
    async with app.run_test(size=LARGEST) as pilot:
        await until(pilot, lambda: any(found.seconds for found in app.prospects.values()))
        await drawing.draw(pilot, "welcome")
    empty.close()


async def draw_runs(drawing: Drawing, workbench: Workbench, folder: Path) -> None:
    app = TrmApp(workbench, config_dir=folder / "settings")
    async with app.run_test(size=LARGEST) as pilot:
        await pilot.pause(1.0)
        app.start_run(find_preset("sudoku-4x4").config, preset="sudoku-4x4")
        await until(pilot, lambda: workbench.slots()[0].state == "completed")
        app.start_run(find_preset("sudoku-6x6").config, preset="sudoku-6x6")
        await until(pilot, lambda: workbench.snapshot().step > 400)
        await drawing.draw(pilot, "dashboard")
        await draw_dialogs(drawing, pilot)
        for mode, key in (
            ("config", "e"),
            ("sessions", "s"),
            ("studies", "S"),
            ("hardware", "h"),
            ("watch", "w"),
        ):
            await pilot.press("escape", key)
            await pilot.pause(3.0)
            await until(pilot, lambda: "waiting for the run" not in text_of(app))
            await drawing.draw(pilot, mode)
        text = apply(find_preset("shakespeare-char-laptop").config, [f"task.data={json.dumps(str(LOG))}"])
        app.start_run(text, preset="shakespeare-char-laptop")
        await until(pilot, lambda: workbench.snapshot().step > TEXT_STEPS)
        await pilot.press("escape", "w", "l")
        await pilot.pause(20.0)
        await drawing.draw(pilot, "watch-text")


async def draw_dialogs(drawing: Drawing, pilot: Pilot[int]) -> None:
    """Draw what stands before a screen: help, presets, queue, palette."""
    app = pilot.app
    assert isinstance(app, TrmApp)
    faster = apply(find_preset("sudoku-6x6").config, ["train.lr=0.002"])
    app.enqueue([(faster, "sudoku-6x6", f"sudoku-6x6 lr={lr}") for lr in ("0.002", "0.004")])
    for name, key in (("help", "question_mark"), ("new-run", "n"), ("queue", "Q"), ("palette", "ctrl+p")):
        await pilot.press(key)
        await pilot.pause(2.0)
        await drawing.draw(pilot, name)
        await pilot.press("escape")
    app.queue.hold()
    for run in app.queue.file.read():
        app.queue.file.remove(run.id)


async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    for _ in range(int(PATIENCE / 0.2)):
        if condition():
            return
        await pilot.pause(0.2)
    raise TimeoutError("the run did not come that far")


def asked() -> Drawing:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--into", type=Path, default=DOCS / "screens")
    parser.add_argument("--sizes", default="", help="such as 80x24,120x40")
    parser.add_argument("--themes", default="trm-dark")
    parser.add_argument("--png", action="store_true")
    given = parser.parse_args()
    sizes = {f"-{size}": _size(size) for size in given.sizes.split(",") if size} or IN_DOCS
    return Drawing(given.into, sizes, given.themes.split(","), given.png)


def _size(text: str) -> tuple[int, int]:
    width, height = text.split("x")
    return int(width), int(height)


if __name__ == "__main__":
    prepare_process()
    asyncio.run(main(asked()))
