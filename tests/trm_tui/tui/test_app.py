"""The app on a fake engine: how it begins, what it announces, and what its dashboard shows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from textual.widgets import OptionList

from tests.trm_tui.app_pilot import SIZE, settle, toasts, until
from tests.trm_tui.fake_engine import FakeWorkbench
from trm_engine.config import Config, dumps, list_presets
from trm_engine.errors import SessionError
from trm_tui.tui.app import TrmApp
from trm_tui.tui.common.chart import Chart
from trm_tui.tui.common.dialogs import Reading
from trm_tui.tui.dashboard.screen import DashboardScreen
from trm_tui.tui.presets.dialog import PickPreset, PickSessions
from trm_tui.tui.presets.screen import WelcomeScreen
from trm_tui.tui.terminal import StrayOutput
from trm_tui.workbench.settings import load_settings

# --- beginning ------------------------------------------------------------------------------------------


async def test_without_sessions_the_app_welcomes_and_enter_trains(app: TrmApp, bench: FakeWorkbench) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(app.presets) > 0)
        await settle(pilot)
        assert isinstance(app.screen, WelcomeScreen)
        await pilot.press("enter")
        await settle(pilot)
        assert isinstance(app.screen, DashboardScreen)
        assert bench.run.title == app.presets[0].name == "sudoku-4x4", "the lightest comes first"


async def test_enter_before_the_presets_are_known_trains_when_they_are(
    app: TrmApp, bench: FakeWorkbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "read_presets", lambda: None)
    async with app.run_test() as pilot:
        await pilot.press("enter")
        await pilot.pause()
        assert not bench.slots()
        app.shelf.take(list_presets())
        app.tick()
        await pilot.pause()
        assert [slot.title for slot in bench.slots()] == [app.presets[0].name]


async def test_a_run_that_cannot_be_opened_leads_to_the_welcome(bench: FakeWorkbench, tmp_path: Path) -> None:
    def refuse(_: object) -> None:
        raise SessionError("session is in use by process 77")

    app = TrmApp(bench, config_dir=tmp_path, opening=refuse)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert isinstance(app.screen, WelcomeScreen)
        assert "in use by process 77" in toasts(app)


async def test_a_new_run_is_picked_from_a_list(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(live.presets) > 0)
        await pilot.press("n")
        assert isinstance(live.screen, PickPreset)
        await until(pilot, lambda: live.screen.query_one(OptionList).option_count > 0)
        await pilot.press("down", "enter")
        await settle(pilot)
        assert [run.title for run in training.runs.values()] == ["sudoku-6x6", live.presets[1].name]


# --- notices --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "said"), [("completed", "is complete"), ("diverged", "diverged")])
async def test_the_end_of_a_run_is_announced_once(
    live: TrmApp, training: FakeWorkbench, status: str, said: str
) -> None:
    rung: list[str] = []
    live.bell = lambda: rung.append("bell")  # type: ignore[method-assign]
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        training.end(training.run, status)
        await settle(pilot)
        await settle(pilot)
        assert toasts(live).count(said) == 1
        assert rung == ["bell"]


async def test_a_warning_of_the_active_run_is_said_once(live: TrmApp, training: FakeWorkbench) -> None:
    training.warn("an old one")
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        training.warn("the log on the dashboard says this one")
        await settle(pilot)
        assert toasts(live) == ""
        await pilot.press("h")
        await settle(pilot)
        training.warn("memory is short")
        await settle(pilot)
        await settle(pilot)
        assert toasts(live) == "memory is short"


async def test_a_stop_by_hand_is_not_announced(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("x", "x")
        await settle(pilot)
        assert training.run.asked == ["stop stopped by hand"]
        assert toasts(live) == ""


async def test_what_python_prints_goes_to_the_log(training: FakeWorkbench, tmp_path: Path) -> None:
    with StrayOutput() as stray:
        app = TrmApp(training, config_dir=tmp_path, opening=lambda _: None, stray=stray)
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot)
            print("a library says hello\x1b[2J")  # noqa: T201
            os.write(1, b"and so does native code\n")
            await settle(pilot)
            await settle(pilot)
    assert "output: and so does native code" in training.lines
    assert "output: a library says hello[2J" in training.lines


# --- what it shows --------------------------------------------------------------------------------------


async def test_a_frozen_display_stands_still_while_training_goes_on(
    live: TrmApp, training: FakeWorkbench
) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("f")
        training.run.advance(1300)
        await settle(pilot)
        assert "train" in str(live.screen.query_one("#chart-0", Chart).border_title)
        assert live.screen.query_one("RunPanel").snapshot.step == 1240  # type: ignore[attr-defined]
        await pilot.press("f")
        await settle(pilot)
        assert live.screen.query_one("RunPanel").snapshot.step == 1300  # type: ignore[attr-defined]


async def test_the_theme_is_changed_and_remembered(live: TrmApp, tmp_path: Path) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert live.theme == "trm-dark"
        await pilot.press("t")
        assert live.theme == "trm-light"
    assert load_settings(tmp_path / "config").theme == "trm-light"


async def test_other_sessions_curves_are_picked_and_drawn(
    live: TrmApp, training: FakeWorkbench, config: Config
) -> None:
    with training.store.create(dumps(config), "sudoku-6x6", name="rival") as session:
        for step in (10, 20):
            session.metrics.append({"event": "step", "step": step, "samples": 1, "seconds": 1.0, "loss": 1.0})
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("o")
        assert isinstance(live.screen, PickSessions)
        await until(pilot, lambda: live.screen.query_one("SelectionList").option_count == 1)  # type: ignore[attr-defined]
        await pilot.press("space", "enter")
        await until(pilot, lambda: len(live.overlays) == 1)
        await settle(pilot)
        assert "rival" in str(live.screen.query_one("#chart-0", Chart).border_title)


async def test_details_show_decisions_configuration_and_failure(
    live: TrmApp, training: FakeWorkbench
) -> None:
    training.run.recorder.fail("RuntimeError: broken", "Traceback (most recent call last) …")
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert live.screen.has_class("-failed")
        await pilot.press("i")
        assert isinstance(live.screen, Reading)
        text = str(live.screen._content)
        for words in ("Traceback", "oneDNN", "hidden_size", "20,000 generated"):
            assert words in text
