"""The dashboard under the fingers, on a fake engine: every key, the palette, and what drives a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input, OptionList, Static

from tests.trm_tui.app_pilot import SIZE, action_names, as_noted, noting, settle, toasts, until
from tests.trm_tui.fake_engine import FakeWorkbench
from trm_engine.config import Config, dumps, list_presets
from trm_tui.tui.app import TrmApp
from trm_tui.tui.commands import Commands
from trm_tui.tui.common.dialogs import Ask, Choice
from trm_tui.tui.common.help import keys_text
from trm_tui.tui.dashboard.screen import DashboardScreen
from trm_tui.tui.keymap import Keymap
from trm_tui.tui.keys import TABLE, keys_of, names
from trm_tui.tui.presets.screen import WelcomeScreen

# --- keys -----------------------------------------------------------------------------------------------


def test_every_action_of_the_table_exists() -> None:
    for where, owner in (("app", TrmApp), ("dashboard", DashboardScreen), ("welcome", WelcomeScreen)):
        wanted = action_names(where)  # type: ignore[arg-type]
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
            setattr(owner, f"action_{name}", noting(noted, name))
        pressed = []
        for key in rows:
            if key.id in ("view.next_panel", "view.last_panel"):  # Textual's own screens do this
                continue
            for name in names(key.keys):
                await pilot.press(name)
                pressed.append(as_noted(key.action))
        await pilot.pause()
        assert noted == pressed


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
        assert "not the id of a key" in toasts(app)
        await pilot.press("space")
        assert training.run.asked == []
        await pilot.press("f5")
        assert training.run.asked == ["pause"]


def test_the_help_names_every_key_of_the_screen_and_of_the_app() -> None:
    found = keys_text("dashboard", Keymap({}), "rate HALVE").plain.splitlines()
    assert [line.split()[0] for line in found[:2]] == ["Everywhere", "["]
    assert "No key does that" in keys_text("dashboard", Keymap({}), "teleport").plain
    text = keys_text("dashboard", Keymap({"run.pause": "f5"})).plain
    assert "F5" in text
    for key in (*keys_of("app"), *keys_of("dashboard")):
        assert key.help in text or key.id.startswith("slot.")


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
        taken = [
            "start_run",
            "edit_config",
            "edit_setting",
            "view_session",
            "set_theme",
            "run_key",
            "toggle_server",
        ]
        for name in taken:
            setattr(live, name, noting(noted, name))
        provider = Commands(live.screen)
        await provider.startup()
        commands = list(provider.commands())
        for command in commands:
            command.run()
        shown = [command.name for command in commands]
    keys = [key for key in TABLE if key.palette and key.where in ("app", "dashboard")]
    assert [note for note in noted if note.startswith("run_key")] == [f"run_key({key.id!r})" for key in keys]
    assert f"view_session({kept!r})" in noted
    assert {
        "Run sudoku-4x4",
        "Edit sudoku-4x4",
        f"Show kept {kept}",
        "Set train.lr",
        "Theme trm-light",
    } <= set(shown)
    assert f"Resume kept {kept}" not in shown, "it has no checkpoint to resume from"
    assert all(command.help for command in commands)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("[", "Lr ÷ 2"),
        ("halve", "Lr ÷ 2"),
        ("learning rate", "Set train.lr"),
        ("train.lr", "Set train.lr"),
        ("lr", "Lr ÷ 2"),
        ("log axis", "Log axis"),
        ("space", "Pause"),
    ],
)
async def test_commands_are_found_by_key_title_description_and_setting(
    live: TrmApp, query: str, found: str
) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        provider = Commands(live.screen)
        await provider.startup()
        hits = [hit async for hit in provider.search(query)]
        best = max(hit.score for hit in hits)
        assert found in {hit.text for hit in hits}
        if query != "learning rate":
            assert found in {hit.text for hit in hits if hit.score == best}
        assert "Filter" not in {hit.text for hit in hits}


async def test_the_palette_offers_only_what_can_be_done(live: TrmApp, training: FakeWorkbench) -> None:
    training.end(training.run, "completed")
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        provider = Commands(live.screen)
        await provider.startup()
        names = {command.name for command in provider.commands()}
    assert "More steps" in names
    assert not {"Pause", "Resume", "Checkpoint", "Stop", "Evaluate", "Lr ÷ 2"} & names


async def test_the_palette_finds_and_runs_a_command(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+p")
        await pilot.pause()
        await pilot.press(*"checkp")
        await until(
            pilot,
            lambda: (
                bool(live.screen.query(OptionList)) and live.screen.query_one(OptionList).option_count > 0
            ),
        )
        await pilot.press("enter")
        await until(pilot, lambda: training.run.asked == ["checkpoint"])


# --- runs -----------------------------------------------------------------------------------------------


async def test_driving_keys_reach_the_run(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("c", "v", "left_square_bracket", "right_square_bracket", "space", "x")
        assert isinstance(live.screen, Choice), "a stop is asked for first"
        await pilot.press("x")
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
        await pilot.pause()
        assert "500 more: 3,000 → 3,500" in str(live.screen.query_one(".problem", Static).content)
        await pilot.press("enter")
        assert training.run.asked == ["extend 500"]


async def test_a_command_without_a_run_is_a_toast(app: TrmApp) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("c")
        assert "No run is open" in toasts(app)
        await pilot.press("4")
        assert "No run 4" in toasts(app)


async def test_digits_look_and_change_nothing(live: TrmApp, training: FakeWorkbench, config: Config) -> None:
    training.start(config, preset="other")
    before = [(view.number, view.state) for view in training.slots()]
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        for digit in ("1", "2", "1"):
            await pilot.press(digit)
            await settle(pilot)
            assert training.active == int(digit)
        assert [(view.number, view.state) for view in training.slots()] == before
        assert [run.asked for run in training.runs.values()] == [["pause"], []]


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
        assert training.run.asked[-1] == "go_on", "the other was paused when this one began"


async def test_closing_a_slot(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("X")
        assert isinstance(live.screen, Choice), "a run that trains is asked about"
        await pilot.press("x")
        assert training.runs == {}
        await settle(pilot)
        assert isinstance(live.screen, WelcomeScreen), "the presets stand where no run is open"
