"""The app on a fake engine: every key, every command, notices, themes, and every way out."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_engine import FakeWorkbench
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from engine.config import Config, dumps, list_presets
from engine.errors import SessionError
from trm_tui.tui.app import TrmApp
from trm_tui.tui.commands import Commands
from trm_tui.tui.keys import TABLE, Key, keys_of, names
from trm_tui.tui.screens.dashboard import DashboardScreen
from trm_tui.tui.screens.dialogs import Ask, Choice, Reading, Waiting
from trm_tui.tui.screens.help import keys_text
from trm_tui.tui.screens.pick import PickPreset, PickSessions
from trm_tui.tui.screens.welcome import WelcomeScreen
from trm_tui.tui.settings import load_settings
from trm_tui.tui.widgets.chart import Chart

SIZE = (100, 30)


@pytest.fixture
def live(training: FakeWorkbench, tmp_path: Path) -> TrmApp:
    """The app, opened on a run that trains."""
    return TrmApp(training, config_dir=tmp_path / "config", opening=lambda _: None)


async def settle(pilot: Pilot[int]) -> None:
    """Let everything that was set in motion come to rest, and show it."""
    await pilot.pause()
    assert isinstance(pilot.app, TrmApp)
    pilot.app.tick()
    await pilot.pause()


def toasts(app: TrmApp) -> str:
    return " ".join(notification.message for notification in app._notifications)


def action_names(rows: tuple[Key, ...]) -> set[str]:
    return {key.action.partition("(")[0] for key in rows}


# --- keys -----------------------------------------------------------------------------------------------


def test_every_action_of_the_table_exists() -> None:
    for where, owner in (("app", TrmApp), ("dashboard", DashboardScreen), ("welcome", WelcomeScreen)):
        wanted = action_names(keys_of(where))  # type: ignore[arg-type]
        missing = [name for name in wanted if not hasattr(owner, f"action_{name}")]
        assert missing == []


async def test_every_key_does_what_the_table_says(live: TrmApp) -> None:
    """Each action is replaced by one that takes a note; then all keys of app and dashboard are pressed."""
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        noted: list[str] = []
        rows = [*keys_of("app"), *keys_of("dashboard")]
        for key in rows:
            owner = live if key.where == "app" else live.screen
            name, _, argument = key.action.partition("(")
            setattr(owner, f"action_{name}", _noting(noted, name))
        pressed = []
        for key in rows:
            if key.id in ("view.next_panel", "view.last_panel"):  # Textual's own screens do this
                continue
            for name in names(key.keys):
                await pilot.press(name)
                pressed.append(key.action.replace('"', "'"))
        await pilot.pause()
        assert noted == [_with_parentheses(action) for action in pressed]


def _noting(noted: list[str], name: str) -> Callable[..., None]:
    return lambda *arguments, **_: noted.append(f"{name}({', '.join(map(repr, arguments))})")


def _with_parentheses(action: str) -> str:
    return action if action.endswith(")") else f"{action}()"


async def test_tab_moves_the_focus(live: TrmApp) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        seen = []
        for _ in range(5):
            seen.append(live.focused and live.focused.id)
            await pilot.press("tab")
        assert seen == ["chart-0", "chart-1", "run", "machine", "log"]
        await pilot.press("shift+tab")
        assert live.focused
        assert live.focused.id == "log"


async def test_a_keymap_moves_a_key(training: FakeWorkbench, tmp_path: Path) -> None:
    (tmp_path / "keymap.toml").write_text('"run.pause" = "f5"\n"run.nothing" = "f6"\n')
    app = TrmApp(training, config_dir=tmp_path, opening=lambda _: None)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert "no binding" in toasts(app)
        await pilot.press("space")
        assert training.run.asked == []
        await pilot.press("f5")
        assert training.run.asked == ["pause"]


def test_the_help_names_every_key_of_the_screen_and_of_the_app() -> None:
    from trm_tui.tui.keymap import Keymap

    text = keys_text("dashboard", Keymap({"run.pause": "f5"})).plain
    assert "F5" in text
    for key in (*keys_of("app"), *keys_of("dashboard")):
        assert key.help in text or key.id.startswith("slot.")


async def test_driving_keys_reach_the_run(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("c", "v", "left_square_bracket", "right_square_bracket", "space", "x")
        assert training.run.asked == [
            "checkpoint",
            "evaluate",
            "lr 0.5",
            "lr 2",
            "pause",
            "stop stopped by hand",
        ]


async def test_space_lets_a_paused_run_go_on(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("space", "space")
        assert training.run.asked == ["pause", "go_on"]


async def test_extending_asks_for_steps_and_refuses_what_is_none(
    live: TrmApp, training: FakeWorkbench
) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("plus")
        assert isinstance(live.screen, Ask)
        live.screen.query_one(Input).value = "many"
        await pilot.pause()
        assert "whole number" in str(live.screen.query_one(".problem", Static).content)
        await pilot.press("enter")
        assert isinstance(live.screen, Ask)
        live.screen.query_one(Input).value = "500"
        await pilot.press("enter")
        assert training.run.asked == ["extend 500"]


async def test_a_command_without_a_run_is_a_toast(app: TrmApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("c")
        assert "no run is open" in toasts(app)
        await pilot.press("4")
        assert "slot 4 is free" in toasts(app)


async def test_digits_switch_between_runs(live: TrmApp, training: FakeWorkbench, config: Config) -> None:
    training.start(config, preset="other")
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("1")
        await settle(pilot)
        assert [(v.number, v.state, v.active) for v in training.slots()] == [
            (1, "running", True),
            (2, "paused", False),
        ]


async def test_a_click_on_a_slot_and_on_a_hint_works(
    live: TrmApp, training: FakeWorkbench, config: Config
) -> None:
    training.start(config, preset="other")
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.click("SlotHeader", offset=(12, 0))
        assert training.active == 1
        await settle(pilot)
        await pilot.click("KeyFooter", offset=(3, 0))
        assert training.run.asked[-1] == "pause"


async def test_closing_a_slot(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("X")
        assert training.runs == {}


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


# --- the command palette --------------------------------------------------------------------------------


async def test_every_command_of_the_palette_can_be_run(
    live: TrmApp, training: FakeWorkbench, config: Config
) -> None:
    with training.store.create(dumps(config), "sudoku-6x6", name="kept") as session:
        kept = session.id
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        live.presets = list_presets()
        noted: list[str] = []
        for name in ("start_run", "edit_config", "resume_run", "set_theme", "run_key"):
            setattr(live, name, _noting(noted, name))
        provider = Commands(live.screen)
        await provider.startup()
        commands = list(provider.commands())
        for command in commands:
            command.run()
        shown = [command.name for command in commands]
    keys = [key for key in TABLE if key.palette and key.where in ("app", "dashboard")]
    assert [note for note in noted if note.startswith("run_key")] == [f"run_key({key.id!r})" for key in keys]
    assert f"resume_run({kept!r})" in noted
    assert {"Run sudoku-4x4", "Edit sudoku-4x4", f"Resume kept {kept}", "Theme trm-light"} <= set(shown)
    assert all(command.help for command in commands)


async def test_the_palette_finds_and_runs_a_command(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"checkp")
        await _until(
            pilot,
            lambda: (
                bool(live.screen.query(OptionList)) and live.screen.query_one(OptionList).option_count > 0
            ),
        )
        await pilot.press("down", "enter")
        await _until(pilot, lambda: training.run.asked == ["checkpoint"])


async def _until(pilot: Pilot[int], holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        await pilot.pause(0.01)
    raise AssertionError("it never came to be")


# --- beginning ------------------------------------------------------------------------------------------


async def test_without_sessions_the_app_welcomes_and_enter_trains(app: TrmApp, bench: FakeWorkbench) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await _until(pilot, lambda: len(app.presets) > 0)
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
        app._take_presets(list_presets())
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
        await _until(pilot, lambda: len(live.presets) > 0)
        await pilot.press("n")
        assert isinstance(live.screen, PickPreset)
        await _until(pilot, lambda: live.screen.query_one(OptionList).option_count > 0)
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
        training.warn("memory is short")
        await settle(pilot)
        await settle(pilot)
        assert toasts(live) == "memory is short"


async def test_a_stop_by_hand_is_not_announced(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("x")
        await settle(pilot)
        assert toasts(live) == ""


# --- ways out -------------------------------------------------------------------------------------------


async def test_quitting_while_nothing_trains_asks_nothing(app: TrmApp, bench: FakeWorkbench) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("q")
        await pilot.pause()
    assert (app.return_value, bench.stopped) == (0, ["the app was closed"])


async def test_quitting_while_training_asks_and_saves(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("q")
        assert isinstance(live.screen, Choice)
        await pilot.press("escape")
        assert training.stopped == []
        await pilot.press("q", "c")
        assert training.stopped == []
        await pilot.press("q", "s")
        await pilot.pause()
    assert (live.return_value, training.snapshot().state) == (0, "stopped")


async def test_quitting_can_wait_for_the_end_of_the_run(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("q", "w")
        await settle(pilot)
        assert training.stopped == []
        training.end(training.run, "completed")
        await _until(pilot, lambda: training.stopped != [])
    assert live.return_value == 0


async def test_unsaved_edits_are_asked_about(live: TrmApp, training: FakeWorkbench) -> None:
    training.end(training.run, "completed")
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        live.screen.unsaved = lambda: "edits of sudoku-4x4 are"  # type: ignore[attr-defined]
        await pilot.press("q")
        assert isinstance(live.screen, Choice)
        assert "edits of sudoku-4x4 are not saved" in str(live.screen.query_one(".text", Static).content)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
async def test_signals_save_and_leave_with_their_code(
    live: TrmApp, training: FakeWorkbench, name: str
) -> None:
    number = getattr(signal, name)
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        os.kill(os.getpid(), number)
        await _until(pilot, lambda: training.stopped != [])
    assert (live.return_value, training.stopped) == (128 + number, [f"signal {int(number)}"])
    asyncio.get_running_loop().remove_signal_handler(number)


async def test_ctrl_c_saves_and_a_second_one_does_not_wait(live: TrmApp, training: FakeWorkbench) -> None:
    training.is_ended = False
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+c")
        assert isinstance(live.screen, Waiting)
        assert not live.leaving.abandoned
        await pilot.press("q", "escape", "d")
        assert isinstance(live.screen, Waiting), "nothing else works meanwhile"
        await pilot.press("ctrl+c")
        await pilot.pause()
    assert live.leaving.abandoned
    assert live.return_value == 130


async def test_ctrl_c_in_a_field_copies_what_is_selected(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("plus")
        live.screen.query_one(Input).action_select_all()
        await pilot.press("ctrl+c")
        assert live.clipboard.isdecimal()
        assert training.stopped == []


# --- output that is not the app's ----------------------------------------------------------------------


async def test_what_python_prints_goes_to_the_log(training: FakeWorkbench, tmp_path: Path) -> None:
    from trm_tui.tui.terminal import StrayOutput

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


# --- comparing ------------------------------------------------------------------------------------------


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
        await _until(pilot, lambda: live.screen.query_one("SelectionList").option_count == 1)  # type: ignore[attr-defined]
        await pilot.press("space", "enter")
        await _until(pilot, lambda: len(live.overlays) == 1)
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
