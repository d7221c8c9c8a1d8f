"""What the dashboard's keys do to its charts, panels and log."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.trm_tui.fake_engine import FakeWorkbench
from tests.trm_tui.picture import text_of
from trm_tui.tui.app import TrmApp
from trm_tui.tui.common.chart import Chart
from trm_tui.tui.dashboard.event_log import fits
from trm_tui.workbench.settings import SETTINGS, Settings, load_settings, read_settings, save_settings
from trm_tui.workbench.snapshot import LogLine


@pytest.fixture
def live(training: FakeWorkbench, tmp_path: Path) -> TrmApp:
    """The app, opened on a run that trains."""
    return TrmApp(training, config_dir=tmp_path / "config", opening=lambda _: None)


async def pressed(pilot: Pilot[int], *keys: str) -> str:
    """Press keys and return what the screen shows then."""
    app = pilot.app
    assert isinstance(app, TrmApp)
    await pilot.pause()
    app.tick()
    await pilot.press(*keys)
    await pilot.pause()
    app.refresh_now()
    await pilot.pause()
    return text_of(app)


def chart(app: TrmApp, number: int = 0) -> Chart:
    return app.screen.query_one(f"#chart-{number}", Chart)


FIGURES = (
    "Accuracy ━ ",
    "Halting steps",
    "Learning rate",
    "samples/s",
    "Memory ━ 610 MB this process",
    "Gradient norm",
    "Parts of the loss",
    "Loss ━ 0.",
)


async def test_keys_change_what_is_shown(live: TrmApp) -> None:
    async with live.run_test(size=(100, 30)) as pilot:
        assert "Loss ━ 0." in await pressed(pilot)
        for figure in FIGURES:
            assert figure in await pressed(pilot, "g")
        for key, shown in (
            ("y", "log · step"),
            ("a", "· samples"),
            ("a", "· time"),
            ("a", "log · step"),
            ("u", "smoothed 0.9 "),
            ("u", "smoothed 0.97"),
            ("left", "step 1240"),
            ("up", "zoomed"),
        ):
            assert shown in await pressed(pilot, key), key


async def test_the_views_go_round(live: TrmApp) -> None:
    async with live.run_test(size=(100, 30)) as pilot:
        first = await pressed(pilot)
        assert await pressed(pilot, *["g"] * 8) == first
        assert await pressed(pilot, *["u"] * 4) == first
        assert await pressed(pilot, *["a"] * 3) == first
        assert await pressed(pilot, *["y"] * 2) == first
        assert await pressed(pilot, *["b"] * 2) == first


async def test_zoom_pan_cursor_and_reset(live: TrmApp) -> None:
    async with live.run_test(size=(100, 30)) as pilot:
        await pressed(pilot, "up", "shift+left")
        low, high = chart(live).window
        assert 10 < low < high < 1240
        await pressed(pilot, "down", "down")
        assert chart(live).window == (10, 1250)
        await pressed(pilot, "left", "left")
        assert chart(live).has_cursor
        await pressed(pilot, "escape")
        assert not chart(live).has_cursor
        await pressed(pilot, "up", "left", "r")
        assert (chart(live).window, chart(live).has_cursor) == ((10, 1250), False)


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (110, 36), (120, 40), (200, 60)])
@pytest.mark.parametrize("name", ["chart-0", "chart-1", "run", "machine", "decisions", "log"])
async def test_any_panel_fills_the_screen_at_any_size(live: TrmApp, size: tuple[int, int], name: str) -> None:
    async with live.run_test(size=size) as pilot:
        await pressed(pilot)
        panel = live.screen.query_one(f"#{name}")
        if not panel.display or not panel.size:
            return  # this size does not show it
        panel.focus()
        await pressed(pilot, "m")
        shown = [one for one in live.screen.query("Chart, Panel, EventLog") if one.display and one.region]
        assert shown == [panel]
        assert (panel.outer_size.width, panel.outer_size.height) == (size[0], size[1] - 2)


async def test_one_key_reads_a_value_in_all_charts(live: TrmApp) -> None:
    async with live.run_test(size=(120, 40)) as pilot:
        await pressed(pilot, "left")
        for number in range(4):
            assert chart(live, number).cursor == 1240
            assert "step 1240" in str(chart(live, number).border_subtitle)
        title = str(chart(live, 0).border_title)
        assert f"{live.workbench.snapshot().latest.loss:.4g}" in title  # type: ignore[union-attr]


async def test_a_panel_is_maximised_and_given_back(live: TrmApp) -> None:
    async with live.run_test(size=(100, 30)) as pilot:
        before = await pressed(pilot)
        large = await pressed(pilot, "m")
        assert "Loss" in large
        assert "Machine" not in large
        assert "trm-tui" in large, "the header stays"
        assert await pressed(pilot, "escape") == before
        assert "Log" in await pressed(pilot, "shift+tab", "m")
        assert await pressed(pilot, "m", "tab") == before


async def test_the_log_is_searched_by_words_and_severity(live: TrmApp, training: FakeWorkbench) -> None:
    training.warn("memory is short")
    async with live.run_test(size=(100, 30)) as pilot:
        before = await pressed(pilot)
        assert "checkpoint 1,000 (steps)" in before
        shown = await pressed(pilot, "slash", *"warnings", "colon", "enter")
        assert "memory is short" in shown
        assert "checkpoint 1,000 (steps)" not in shown
        assert "only “warnings:” · / searches" in shown
        shown = await pressed(pilot, "slash", "ctrl+u", *"STEPS", "space", *"check", "enter")
        assert "memory is short" not in shown
        assert "checkpoint 1,000 (steps)" in shown
        assert await pressed(pilot, "slash", "ctrl+u", "enter") == before


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ("", True),
        ("MEMORY short", True),
        ("warnings: memory", True),
        ("errors: memory", False),
        ("memory long", False),
        ("12:00", True),
    ],
)
def test_a_line_fits_when_it_has_every_word(sought: str, found: bool) -> None:
    assert fits(LogLine("12:00:01", "warning", "memory is short"), sought) == found


async def test_new_lines_come_to_the_log_once(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=(100, 30)) as pilot:
        await pressed(pilot)
        training.warn("first of all")
        training.warn("second to none")
        shown = await pressed(pilot)
        assert (shown.count("first of all"), shown.count("second to none")) == (1, 1)


async def test_another_slot_shows_its_own_run(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=(100, 30)) as pilot:
        await pressed(pilot)
        training.start(training.run.config, preset="other")
        training.run.advance(50)
        training.warn("only here")
        shown = await pressed(pilot)
        assert "only here" in shown
        assert "checkpoint 1,000 (steps)" not in shown
        assert "only here" not in await pressed(pilot, "1")


async def test_views_are_remembered(live: TrmApp, tmp_path: Path) -> None:
    async with live.run_test(size=(100, 30)) as pilot:
        await pressed(pilot, "y", "a", "u", "b")
    remembered = load_settings(tmp_path / "config")
    assert remembered == Settings(log_y=True, x_axis="samples", smoothing=0.9, markers="blocks")


async def test_memory_above_the_limit_is_said_in_words(live: TrmApp, training: FakeWorkbench) -> None:
    from dataclasses import replace

    training.sample = replace(training.sample, rss_bytes=3_000_000_000, available_bytes=500_000_000)
    async with live.run_test(size=(140, 45)) as pilot:
        assert "run above 2.8 GB: micro-batch halves" in await pressed(pilot)


async def test_memory_that_others_hold_shrinks_no_batch(live: TrmApp, training: FakeWorkbench) -> None:
    from dataclasses import replace

    # 94 % of the machine is in use, but the run holds only 55 % of what it could have.
    training.sample = replace(training.sample, rss_bytes=610_000_000, available_bytes=500_000_000)
    async with live.run_test(size=(140, 45)) as pilot:
        shown = await pressed(pilot)
        assert "RAM" in shown
        assert "above" not in shown
        assert "shrink" not in shown


async def test_without_a_machine_or_a_run_nothing_breaks(app: TrmApp, bench: FakeWorkbench) -> None:
    from trm_engine.monitoring.monitor import Sample

    bench.detected, bench.sample = None, Sample(0.0)
    async with app.run_test(size=(140, 45)) as pilot:
        assert "Presets" in await pressed(pilot, "d"), "without a run, the presets stand in its place"


# --- settings -------------------------------------------------------------------------------------------


def test_settings_come_back(tmp_path: Path) -> None:
    changed = Settings(
        theme="nord",
        smoothing=0.5,
        log_y=True,
        x_axis="seconds",
        markers="blocks",
        bell=False,
        columns="train.lr",
    )
    save_settings(changed, tmp_path / "new")
    assert load_settings(tmp_path / "new") == changed
    assert [path.name for path in (tmp_path / "new").iterdir()] == [SETTINGS], "no litter"


@pytest.mark.parametrize(
    "text",
    ["not toml at all [", "smoothing = 7", 'smoothing = "much"', 'x_axis = "hours"', "theme = 3", "\x00", ""],
)
def test_wrong_settings_count_as_not_there(tmp_path: Path, text: str) -> None:
    (tmp_path / SETTINGS).write_text(text)
    assert load_settings(tmp_path) == Settings()


def test_one_wrong_setting_does_not_cost_the_others(tmp_path: Path) -> None:
    (tmp_path / SETTINGS).write_text('theme = "nord"\nsmoothing = 7\n')
    assert load_settings(tmp_path).theme == "nord"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("smoothing = 7", "smoothing is ignored: Input should be less than 1"),
        ("smooth = 0.5", 'smooth is not a setting. Did you mean "smoothing"?'),
        ("not toml at all [", "is ignored"),
        ('theme = "nord"', ""),
    ],
)
def test_what_is_ignored_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / SETTINGS).write_text(text)
    problems = read_settings(tmp_path)[1]
    assert len(problems) == bool(told)
    assert told in "".join(problems)
    assert read_settings(tmp_path / "none")[1] == []


def test_what_a_later_version_keeps_there_stays(tmp_path: Path) -> None:
    (tmp_path / SETTINGS).write_text("shine = 3 # much\n")
    save_settings(Settings(), tmp_path)
    assert "shine = 3 # much" in (tmp_path / SETTINGS).read_text()


async def test_a_folder_that_cannot_be_written_stops_nothing(training: FakeWorkbench, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file where the folder should be")
    app = TrmApp(training, config_dir=tmp_path / "config", opening=lambda _: None)
    async with app.run_test(size=(100, 30)) as pilot:
        assert "log · step" in await pressed(pilot, "y")
