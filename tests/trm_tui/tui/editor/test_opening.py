"""What the configuration editor opens on by itself."""

from __future__ import annotations

from pathlib import Path

from tests.trm_tui.editor_pilot import Desk, quick
from tests.trm_tui.fake_engine import FakeWorkbench
from trm_engine.config import Config
from trm_tui.tui.app import TrmApp
from trm_tui.tui.editor.screen import ConfigScreen


async def test_it_opens_on_the_first_preset_when_nothing_runs(app: TrmApp) -> None:
    with quick():
        async with app.run_test(size=(100, 30)) as pilot:
            desk = Desk(app, pilot)
            await desk.until(lambda: app.presets)
            app.switch_mode("config")
            await desk.until(lambda: isinstance(app.screen, ConfigScreen) and app.screen.draft)
            assert desk.draft.origin.name == app.presets[0].name


async def test_it_opens_on_the_run_on_screen_also_while_the_display_is_frozen(
    training: FakeWorkbench, tmp_path: Path, config: Config
) -> None:
    app = TrmApp(training, config_dir=tmp_path, opening=lambda _: None)
    with quick():
        async with app.run_test(size=(100, 30)) as pilot:
            desk = Desk(app, pilot)
            await pilot.press("f", "e")
            await desk.until(lambda: isinstance(app.screen, ConfigScreen) and app.screen.draft)
            assert (desk.draft.origin.name, desk.draft.checked.config) == ("sudoku-6x6", config)
