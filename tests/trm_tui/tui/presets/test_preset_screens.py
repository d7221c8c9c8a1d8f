"""Presets to choose from: what each would take, data that are missing, and presets of one's own."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from tests.trm_tui.app_pilot import open_editor, settle, toasts, until
from tests.trm_tui.fake_engine import FakeWorkbench
from tests.trm_tui.picture import text_of
from trm_engine.config import Config, Preset, apply, find_preset
from trm_engine.errors import UsageError
from trm_engine.progress import Progress
from trm_tui.tui.app import TrmApp
from trm_tui.tui.common.dialogs import Ask, Choice
from trm_tui.tui.dashboard.screen import DashboardScreen
from trm_tui.tui.editor.screen import ConfigScreen
from trm_tui.tui.presets import download
from trm_tui.tui.presets.dialog import PickPreset
from trm_tui.tui.presets.preset_list import PresetChooser

SIZE = (120, 40)
TEXT = find_preset("shakespeare-char-laptop")


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRM_PRESETS_DIR", str(tmp_path / "presets"))
    monkeypatch.setenv("TRM_DATA_DIR", str(tmp_path / "data"))


def offering(app: TrmApp, *presets: Preset) -> TrmApp:
    """Have the app offer these, and read no others."""
    app.presets = list(presets)
    app.read_presets = lambda: None  # type: ignore[method-assign]
    return app


async def test_the_list_says_what_each_takes(app: TrmApp, config: Config) -> None:
    mine = Preset("mine", Path("mine.toml"), apply(config, ["title="]), "yours")
    offering(app, mine, find_preset("maze-hard"), TEXT)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(app.prospects) == 3)
        app.tick()
        await settle(pilot)
        seen = text_of(app)
        assert "Yours, in " in seen
        assert "Shipped" in seen
        assert "4×4 Sudoku, 2 layers of 64" in seen, "without a title its settings describe it"
        assert "7.8 GB" in seen
        assert "download 1.1 MB" in seen
        (line,) = (line for line in seen.splitlines() if " mine " in line)
        assert "generated" in line
        await pilot.press("down")
        await settle(pilot)
        assert "Needs 7.8 GB, more than is free here" in " ".join(text_of(app).replace("│", " ").split())


@pytest.mark.parametrize("width", [200, 120, 80, 60, 46])
async def test_no_column_is_cut_in_the_middle(app: TrmApp, config: Config, width: int) -> None:
    offering(app, Preset("six", Path("six.toml"), config), TEXT)
    async with app.run_test(size=(width, 24)) as pilot:
        await until(pilot, lambda: len(app.prospects) == 2)
        app.tick()
        await settle(pilot)
        listed = app.screen.query_one(OptionList)
        room = listed.content_size.width
        for number in range(listed.option_count):
            assert len(str(listed.get_option_at_index(number).prompt).rstrip()) <= room


class Fetching:
    """Stands in for the download: goes on when a test says so."""

    def __init__(self) -> None:
        self.go, self.error = threading.Event(), ""

    def __call__(self, task: object, progress: Progress) -> list[object]:
        while not self.go.wait(0.01):
            progress("downloading it", 400_000, 1_100_000)
        if self.error:
            raise UsageError(self.error)
        return []


@pytest.fixture
def fetching(monkeypatch: pytest.MonkeyPatch) -> Fetching:
    fetching = Fetching()
    monkeypatch.setattr(download, "fetch_data", fetching)
    return fetching


async def test_missing_data_are_offered_and_then_it_trains(
    app: TrmApp, bench: FakeWorkbench, fetching: Fetching
) -> None:
    offering(app, TEXT)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        assert isinstance(app.screen, Choice), "no run is begun that could only fail"
        assert "1.1 MB to download" in text_of(app)
        await pilot.press("d")
        await until(pilot, lambda: "400 kB of 1.1 MB" in text_of(app))
        assert not bench.runs
        fetching.go.set()
        await until(pilot, lambda: bench.runs)
        assert isinstance(app.screen, DashboardScreen)


async def test_a_download_is_called_off(app: TrmApp, bench: FakeWorkbench, fetching: Fetching) -> None:
    offering(app, TEXT)
    before = threading.active_count()
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("d")
        assert isinstance(app.screen, download.Download)
        await until(pilot, lambda: "of 1.1 MB" in text_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: not any(t.name == "download" for t in threading.enumerate()))
        assert not isinstance(app.screen, download.Download)
        assert not bench.runs
    assert threading.active_count() <= before + 1


async def test_a_download_that_fails_says_why(app: TrmApp, fetching: Fetching) -> None:
    offering(app, TEXT)
    fetching.error = "the server is gone"
    fetching.go.set()
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("d")
        await until(pilot, lambda: "the server is gone" in text_of(app))
        await pilot.press("escape")
        assert not isinstance(app.screen, download.Download)


async def test_what_cannot_be_downloaded_is_told(app: TrmApp, bench: FakeWorkbench, config: Config) -> None:
    gone = apply(config, ['task.data="/nowhere/x.csv"'])
    offering(app, Preset("gone", Path("gone.toml"), gone), Preset("six", Path("six.toml"), config))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        assert "There is no /nowhere/x.csv" in toasts(app)
        await pilot.press("down", "d")
        assert "nothing to download" in toasts(app)
        assert not bench.runs


async def test_welcome_opens_the_chosen_preset_in_the_editor(app: TrmApp, config: Config) -> None:
    other = apply(config, ["train.steps=77"])
    offering(app, Preset("six", Path("six.toml"), config), Preset("other", Path("other.toml"), other))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("down", "e")
        await until(pilot, lambda: isinstance(app.screen, ConfigScreen) and app.screen.draft)
        await settle(pilot)
        assert isinstance(app.screen, ConfigScreen)
        assert app.screen.draft is not None
        assert app.screen.draft.origin.name == "other"


async def test_a_variant_is_saved_and_run_again_in_four_keys(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: live.presets)
        await open_editor(pilot)
        screen = live.screen
        assert isinstance(screen, ConfigScreen)
        assert screen.document is not None
        screen.document.change({"train.lr": "0.003"})
        await pilot.press("ctrl+s")  # 1
        await until(pilot, lambda: isinstance(live.screen, Ask))
        live.screen.query_one(Input).value = "mine"
        await pilot.press("enter")  # 2
        await until(pilot, lambda: live.presets[0].name == "mine")
        assert "trm-tui run mine" in toasts(live)
        assert screen.draft is not None
        assert (screen.draft.texts["title"], screen.draft.texts["expect"]) == ("", "")
        await pilot.press("n")  # 3
        await until(pilot, lambda: isinstance(live.screen, PickPreset))
        await until(pilot, lambda: live.screen.query_one(PresetChooser).chosen is not None)
        await settle(pilot)
        await pilot.press("enter")  # 4
        await until(pilot, lambda: len(training.runs) == 2)
        assert training.run.title == "mine"
        assert training.run.config.train.lr == 0.003
        assert training.run.config.expect == "", "what was measured of its parent"
