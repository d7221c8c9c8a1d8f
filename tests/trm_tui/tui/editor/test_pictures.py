"""The configuration editor and the hardware screen as they look, at two sizes, dark and light, and small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from tests.trm_tui.editor_pilot import SIX, Desk, editing, quick
from tests.trm_tui.fake_engine import LAPTOP, FakeWorkbench
from tests.trm_tui.picture import assert_looks_as_before
from tests.trm_tui.session_makers import NOW
from trm_engine.config import Preset, apply
from trm_engine.hardware import Gpu, OperatingSystem, TorchBuild
from trm_tui.tui.app import TrmApp
from trm_tui.tui.hardware.screen import HardwareScreen
from trm_tui.workbench.browser import clock

SIZES = [(80, 24), (140, 45)]
THEMES = ["trm-dark", "trm-light"]
PRESETS = {
    "sudoku-4x4": SIX.model_copy(update={"title": "Sudoku 4×4"}),
    "sudoku-extreme-attention": SIX.model_copy(update={"title": "Sudoku-Extreme, attention, as published"}),
}


@pytest.fixture(autouse=True)
def at_a_fixed_time_and_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """The header says when a run ends, a dialog where a preset is saved."""
    monkeypatch.setattr(clock, "local_now", lambda: NOW)
    monkeypatch.setenv("TRM_PRESETS_DIR", "/home/me/.config/trm-tui/presets")


@pytest.fixture
def still(app: TrmApp) -> TrmApp:
    """The app with presets that no file changes."""
    app.presets = [Preset(name, Path(f"{name}.toml"), config) for name, config in PRESETS.items()]
    app.read_presets = lambda: None  # type: ignore[method-assign,assignment]
    return app


async def look(desk: Desk, name: str, *, themes: list[str] = THEMES, colours: bool = True) -> None:
    """Compare the screen with its picture, in each theme."""
    for field in desk.app.screen.query(Input):
        field.cursor_blink = False
    for theme in themes:
        desk.app.set_theme(theme)
        await desk.pilot.pause()
        width, height = desk.app.size
        suffix = f"-{theme}" if colours else ""
        assert_looks_as_before(desk.app, f"{name}-{width}x{height}{suffix}", colours=colours)


@pytest.mark.parametrize("size", SIZES)
async def test_the_editor(still: TrmApp, size: tuple[int, int]) -> None:
    async with editing(still, size=size) as desk:
        await desk.press("tab", "right", "down", "right")
        await desk.advised()
        await look(desk, "config")
        await desk.press("up", "enter", "end", "ctrl+u", "9", "9", "9", "9")
        await desk.advised()
        await look(desk, "config-wrong")


@pytest.mark.parametrize("size", SIZES)
async def test_a_configuration_that_does_not_fit(still: TrmApp, size: tuple[int, int]) -> None:
    async with editing(still, apply(SIX, ["model.hidden_size=4096"]), size=size) as desk:
        await look(desk, "config-too-large", themes=["trm-dark"])


async def test_views_and_dialogs(still: TrmApp) -> None:
    async with editing(still, size=(80, 24)) as desk:
        await desk.set("model.layers", "3")
        await desk.advised()
        views: list[tuple[str, list[str], Callable[[], object]]] = [
            ("config-choices", ["down", "enter"], lambda: desk.form.editing),
            ("config-search", ["escape", "slash", "d", "e", "c", "a", "y"], lambda: len(desk.listed()) < 9),
            ("config-open", ["escape", "o"], lambda: desk.app.screen.query(OptionList)),
            ("config-differences", ["escape", "b", "enter"], lambda: "difference" in desk.text(".box")),
            (
                "config-save",
                ["escape", "ctrl+s"],
                lambda: "sudoku" in desk.text() or desk.app.screen.is_modal,
            ),
            ("config-leave", ["escape", "escape"], lambda: "not saved" in desk.text()),
        ]
        for name, keys, shown in views:
            await desk.press(*keys)
            await desk.until(shown)
            await look(desk, name, themes=["trm-dark"], colours=False)


async def test_small_and_odd_sizes(still: TrmApp) -> None:
    async with editing(still, size=(80, 24)) as desk:
        await desk.set("model.layers", "99")
        await desk.advised()
        for size in ((20, 5), (46, 12), (60, 24), (80, 12), (110, 30)):
            await desk.pilot.resize_terminal(*size)
            await desk.pilot.pause()
            await look(desk, "config", themes=["trm-dark"], colours=False)


@pytest.mark.parametrize("size", SIZES)
async def test_hardware(
    training: FakeWorkbench, app: TrmApp, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    found = LAPTOP.model_copy(
        update={
            "gpus": (
                Gpu(kind="cuda", present=False, usable=False),
                Gpu(kind="mps", present=False, usable=False),
            ),
            "torch": TorchBuild(
                version="2.2.2", blas="mkl", cpu_capability="AVX2", onednn=True, default_threads=4
            ),
            "os": OperatingSystem(name="macOS", version="14.5", python="3.11.7"),
        }
    )
    monkeypatch.setattr(HardwareScreen, "detected_by", staticmethod(lambda **_: found))
    with quick():
        async with app.run_test(size=size) as pilot:
            desk = Desk(app, pilot)
            await pilot.pause()
            app.switch_mode("hardware")
            await desk.seen(HardwareScreen)
            await desk.until(lambda: "mkl" in desk.text("FactsPanel"))
            app.tick()
            await desk.until(lambda: "oneDNN" in desk.text("DecisionsPanel"))
            await look(desk, "hardware")
            if size == (80, 24):
                for small in ((20, 5), (60, 24)):
                    await pilot.resize_terminal(*small)
                    await pilot.pause()
                    await look(desk, "hardware", themes=["trm-dark"], colours=False)
