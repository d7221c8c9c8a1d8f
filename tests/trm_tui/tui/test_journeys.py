"""What people do most, in how few keys; typing a value or a name is not counted."""

from __future__ import annotations

from pathlib import Path

from tests.trm_tui.app_pilot import go_to_setting, open_editor, settle, until
from tests.trm_tui.fake_engine import FakeWorkbench
from trm_engine.config import Config, Preset
from trm_tui.tui.app import TrmApp
from trm_tui.tui.common.chart import Chart
from trm_tui.tui.dashboard.screen import DashboardScreen


async def test_one_key_to_the_first_training(app: TrmApp, bench: FakeWorkbench, config: Config) -> None:
    app.presets = [Preset("sudoku-6x6", Path("sudoku-6x6.toml"), config)]
    app.read_presets = lambda: None  # type: ignore[method-assign,assignment]
    async with app.run_test(size=(110, 36)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: bench.runs)
        assert isinstance(app.screen, DashboardScreen)


async def test_one_key_to_a_value_of_a_curve(live: TrmApp) -> None:
    async with live.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("left")
        latest = live.workbench.snapshot().latest
        assert latest is not None
        assert f"{latest.loss:.4g}" in str(live.screen.query_one("#chart-0", Chart).border_title)


async def test_five_keys_to_a_run_with_another_learning_rate(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await open_editor(pilot)
        await go_to_setting(pilot, "train.lr")
        await pilot.press("enter", *["backspace"] * 8, *"0.003", "ctrl+r")
        await until(pilot, lambda: len(training.runs) == 2)
        assert training.run.config.train.lr == 0.003
