"""Every screen of the shell as it looks, at two sizes, dark and light; and useful down to 20×5."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.trm_tui.app_pilot import until
from tests.trm_tui.fake_engine import FakeWorkbench
from tests.trm_tui.picture import assert_looks_as_before, text_of
from tests.trm_tui.session_makers import NOW
from trm_engine.config import Config, Preset
from trm_tui.tui.app import TrmApp
from trm_tui.workbench.browser import clock
from trm_tui.workbench.recorder import Recorder

SIZES = [(80, 24), (140, 45)]
THEMES = ["trm-dark", "trm-light"]


@pytest.fixture(autouse=True)
def at_a_fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The header says when a run ends."""
    monkeypatch.setattr(clock, "local_now", lambda: NOW)


@pytest.fixture
def scene(bench: FakeWorkbench, config: Config) -> FakeWorkbench:
    """Three slots: paused, complete, training."""
    bench.start(config, preset="sudoku-4x4")
    bench.run.advance(300)
    bench.start(config, preset="maze-10")
    bench.run.advance(500)
    bench.end(bench.run, "completed")
    bench.start(config, preset="sudoku-6x6")
    bench.run.advance(1240)
    bench.warn("memory 81 %: batch in flight 64 → 32 (effective batch stays 64)")
    return bench


def opened(bench: FakeWorkbench, folder: Path, config: Config, *, run: bool = True) -> TrmApp:
    """Return the app, with presets that no file changes."""
    app = TrmApp(bench, config_dir=folder / "config", opening=(lambda _: None) if run else None)
    names = ("sudoku-4x4", "sudoku-6x6", "sudoku-9x9")
    app.presets = [Preset(name, Path(f"{name}.toml"), config) for name in names]
    app.read_presets = lambda: None  # type: ignore[method-assign,assignment]
    return app


async def ready(pilot: Pilot[int], theme: str) -> None:
    """Wait until the screen stands, in the colours asked for."""
    app = pilot.app
    assert isinstance(app, TrmApp)
    app.set_theme(theme)
    app.refresh_now()
    await until(pilot, lambda: len(app.prospects) == len(app.presets))
    for _ in range(2):
        await pilot.pause()
        app.refresh_now()
        await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_dashboard(scene: FakeWorkbench, tmp_path: Path, config: Config, size: tuple[int, int]) -> None:
    app = opened(scene, tmp_path, config)
    async with app.run_test(size=size) as pilot:
        for theme in THEMES:
            await ready(pilot, theme)
            assert_looks_as_before(app, f"dashboard-{size[0]}x{size[1]}-{theme}")


@pytest.mark.parametrize("size", SIZES)
async def test_welcome(bench: FakeWorkbench, tmp_path: Path, config: Config, size: tuple[int, int]) -> None:
    app = opened(bench, tmp_path, config, run=False)
    async with app.run_test(size=size) as pilot:
        for theme in THEMES:
            await ready(pilot, theme)
            assert_looks_as_before(app, f"welcome-{size[0]}x{size[1]}-{theme}")


@pytest.mark.parametrize("size", SIZES)
async def test_failed_run(
    scene: FakeWorkbench, tmp_path: Path, config: Config, size: tuple[int, int]
) -> None:
    scene.run.recorder.fail("RuntimeError: the disk under /data is gone", "Traceback …")
    app = opened(scene, tmp_path, config)
    async with app.run_test(size=size) as pilot:
        await ready(pilot, "trm-dark")
        assert_looks_as_before(app, f"failed-{size[0]}x{size[1]}", colours=False)


async def test_run_that_prepares(bench: FakeWorkbench, tmp_path: Path, config: Config) -> None:
    bench.start(config, preset="sudoku-6x6")
    bench.run.recorder = Recorder(1, "sudoku-6x6")
    bench.run.recorder.prepare("generating puzzles", 1200, 20_000)
    app = opened(bench, tmp_path, config)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "trm-dark")
        assert_looks_as_before(app, "preparing-80x24", colours=False)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("help", ["question_mark"]),
        ("quit", ["q"]),
        ("new-run", ["n"]),
        ("cursor", ["left", "left", "left"]),
        ("maximised", ["tab", "m"]),
        ("blocks", ["b"]),
    ],
)
async def test_dialogs_and_chart_views(
    scene: FakeWorkbench, tmp_path: Path, config: Config, name: str, keys: list[str]
) -> None:
    app = opened(scene, tmp_path, config)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, "trm-dark")
        await pilot.press(*keys)
        await ready(pilot, "trm-dark")
        assert_looks_as_before(app, f"{name}-80x24", colours=False)


async def test_small_and_odd_sizes(scene: FakeWorkbench, tmp_path: Path, config: Config) -> None:
    app = opened(scene, tmp_path, config)
    async with app.run_test(size=(80, 24)) as pilot:
        for width, height in ((20, 5), (46, 12), (60, 24), (80, 12), (110, 30)):
            await pilot.resize_terminal(width, height)
            await ready(pilot, "trm-dark")
            assert_looks_as_before(app, f"dashboard-{width}x{height}", colours=False)


async def test_no_size_breaks_it(scene: FakeWorkbench, tmp_path: Path, config: Config) -> None:
    app = opened(scene, tmp_path, config)
    async with app.run_test(size=(80, 24)) as pilot:
        for size in ((1, 1), (200, 60), (45, 11), (30, 40), (300, 8), (2, 50), (80, 24)):
            await pilot.resize_terminal(*size)
            await ready(pilot, "trm-dark")
            assert "1,240" in text_of(app) or min(size) < 8, size


async def test_other_themes_show_everything_too(scene: FakeWorkbench, tmp_path: Path, config: Config) -> None:
    app = opened(scene, tmp_path, config)
    async with app.run_test(size=(140, 45)) as pilot:
        for theme in ("ansi-dark", "ansi-light", "textual-dark", "nord", "solarized-light"):
            await ready(pilot, theme)
            text = text_of(app)
            for words in ("Loss", "1,240 of 3,000", "oneDNN", "memory 81 %", "checkpoint"):
                assert words in text, theme


HOSTILE = "\x1b[2J\x1b]0;owned\x07 \u202eevil\u202c [bold]x[/] [/] [@click=app.quit]y \x9b31m \x00 a\nb"


def is_harmless(text: str) -> bool:
    """Whether no character could drive a terminal or reorder a line."""
    return not any(
        (ord(sign) < 32 and sign != "\n") or 0x7F <= ord(sign) <= 0x9F or sign in "\u202e\u202c"
        for sign in text
    )


async def test_hostile_text_is_shown_harmless(scene: FakeWorkbench, tmp_path: Path, config: Config) -> None:
    """In a title, a warning, a verdict, a failure, a preparation, a toast, the details and a question."""
    scene.start(config, preset=HOSTILE)
    scene.warn(HOSTILE)
    scene.run.recorder.judge(HOSTILE, agrees=False)
    app = opened(scene, tmp_path, config)
    async with app.run_test(size=(140, 45)) as pilot:
        await ready(pilot, "trm-dark")
        shown = [text_of(app)]
        scene.run.recorder.prepare(HOSTILE, 1, 2)
        scene.run.recorder.fail(HOSTILE, HOSTILE)
        app.say(HOSTILE)
        for keys in (["i"], ["escape", "n"], ["escape", "space", "q"], ["escape", "ctrl+p"]):
            await pilot.press(*keys)
            await ready(pilot, "trm-dark")
            shown.append(text_of(app))
    assert all(map(is_harmless, shown))
    assert "[bold]x[/]" in shown[0], "markup from elsewhere is shown as it is"
    assert "[bold]x[/]" in shown[1]
