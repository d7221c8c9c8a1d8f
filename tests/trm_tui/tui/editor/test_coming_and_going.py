"""The configuration editor: opening, saving and running configurations, and leaving it."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from tests.trm_tui.editor_pilot import SIX, Desk, SharedDesk, shared
from trm_engine.config import Config, apply, dumps, load
from trm_engine.hardware import Hardware
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_tui.tui.common.dialogs import Ask, Choice
from trm_tui.tui.dashboard.screen import DashboardScreen
from trm_tui.tui.editor.dialogs import Differences, PickMachine, PickSource
from trm_tui.tui.editor.screen import ConfigScreen
from trm_tui.tui.presets.screen import WelcomeScreen
from trm_tui.workbench.editor.draft import Draft, Origin
from trm_tui.workbench.editor.sweep import run_name

WIDTH = "model.hidden_size"


# --- other configurations and machines ------------------------------------------------------------------


@shared
async def test_another_preset_can_be_opened_by_name(desk: Desk) -> None:
    await desk.press("o")
    assert isinstance(desk.app.screen, PickSource)
    await desk.until(
        lambda: "sudoku-9x9-hard" in desk.text() or desk.app.screen.query_one(OptionList).option_count > 3
    )
    await desk.type("9x9-hard")
    await desk.press("enter")
    await desk.until(lambda: desk.draft.origin.name == "sudoku-9x9-hard")


def test_a_session_and_a_file_can_be_opened(desk: SharedDesk, tmp_path: Path) -> None:
    async def body(desk: Desk) -> None:
        changed = apply(SIX, ["model.layers=5"])
        with desk.bench.store.create(dumps(changed), "six", name="deep"):
            pass
        (tmp_path / "wide.toml").write_text(dumps(apply(SIX, ["model.hidden_size=256"])))
        await desk.press("ctrl+o")
        await desk.until(lambda: any(i.name == "deep" for i in desk.app.screen._items))  # type: ignore[attr-defined]
        await desk.type("deep")
        await desk.press("enter")
        await desk.until(lambda: desk.draft.origin.name == "deep")
        assert desk.draft.values["model.layers"] == 5
        await desk.press("o")
        desk.app.screen.query_one(Input).value = str(tmp_path / "wide.toml")
        await desk.pilot.pause()
        await desk.press("enter")
        await desk.until(lambda: desk.draft.origin.name == "wide")

    desk.run(body)


def test_a_file_that_is_no_configuration_is_named(desk: SharedDesk, tmp_path: Path) -> None:
    async def body(desk: Desk) -> None:
        (tmp_path / "odd.toml").write_text("[task]\nkind = 'chess'\n")
        await desk.press("o")
        desk.app.screen.query_one(Input).value = str(tmp_path / "odd.toml")
        await desk.pilot.pause()
        await desk.press("enter")
        await desk.until(lambda: "odd.toml" in desk.toasts)
        assert desk.draft.origin.name == "six"

    desk.run(body)


@shared
async def test_edits_do_not_make_way_unasked(desk: Desk) -> None:
    await desk.set(WIDTH, "128")
    for answer, name in (("k", "six"), ("escape", "six"), ("o", "four")):
        desk.app.edit_config(Config(task=SudokuConfig()), origin="four")
        await desk.until(lambda: isinstance(desk.app.screen, Choice))
        await desk.press(answer)
        await desk.until(lambda name=name: desk.draft.origin.name == name)
    await desk.press("u")
    assert (desk.draft.origin.name, desk.draft.texts[WIDTH]) == ("six", "128")


@shared
async def test_differences_from_what_it_began_as_lead_to_their_fields(desk: Desk) -> None:
    await desk.set(WIDTH, "128")
    await desk.set("train.lr", "0.01")
    await desk.press("home", "b", "enter")
    assert isinstance(desk.app.screen, Differences)
    assert "2 differences from six" in desk.text()
    await desk.press("down", "enter")
    await desk.pilot.pause()
    assert desk.form.key == "train.lr"


@shared
async def test_differences_from_a_preset(desk: Desk) -> None:
    await desk.press("b", "enter")
    assert "Every setting is the same." in desk.text(), "nothing has changed yet"
    await desk.press("escape", "b")
    await desk.until(lambda: desk.app.screen.query_one(OptionList).option_count > 3)
    await desk.type("9x9-hard")
    await desk.press("enter")
    await desk.until(lambda: isinstance(desk.app.screen, Differences))
    assert "differences from sudoku-9x9-hard" in desk.text()
    await desk.press("escape")
    assert isinstance(desk.app.screen, ConfigScreen)


@shared
async def test_it_can_plan_for_another_machine_and_for_this_one_again(desk: Desk) -> None:
    await desk.press("m")
    assert isinstance(desk.app.screen, PickMachine)
    await desk.until(lambda: desk.app.screen.query_one(OptionList).option_count > 3)
    await desk.type("raspberry")
    await desk.press("enter")
    await desk.until(lambda: "for raspberry-pi-5" in desk.text("EditorTitle"))
    await desk.until(lambda: "from the hardware profile" in desk.words("FitPanel"))
    await desk.press("m", "enter")
    await desk.until(lambda: "for this machine" in desk.text("EditorTitle"))


# --- saving ---------------------------------------------------------------------------------------------


async def name_file(desk: Desk, path: Path) -> None:
    await desk.press("ctrl+s")
    assert isinstance(desk.app.screen, Ask)
    desk.app.screen.query_one(Input).value = str(path)
    await desk.pilot.pause()
    await desk.press("enter")
    await desk.pilot.pause()


def test_it_is_saved_as_a_file_that_says_what_differs(desk: SharedDesk, tmp_path: Path) -> None:
    async def body(desk: Desk) -> None:
        await desk.set(WIDTH, "128")
        await name_file(desk, tmp_path / "mine")
        await desk.until(lambda: "saved" in desk.toasts)
        saved = load(tmp_path / "mine.toml")
        assert saved == apply(SIX, ["model.hidden_size=128", "title="]), "without its parent's claims"
        assert (desk.draft.origin.name, desk.screen.unsaved()) == ("mine", "")

    desk.run(body)


def test_a_file_is_replaced_only_when_asked(desk: SharedDesk, tmp_path: Path) -> None:
    async def body(desk: Desk) -> None:
        path = tmp_path / "mine.toml"
        path.write_text("precious")
        for answer, then in (("escape", ConfigScreen), ("o", Ask)):
            await name_file(desk, path)
            assert isinstance(desk.app.screen, Choice)
            await desk.press(answer)
            assert isinstance(desk.app.screen, then)
            assert path.read_text() == "precious"
        await desk.press("escape")
        await name_file(desk, path)
        await desk.press("r")
        await desk.until(lambda: "saved" in desk.toasts)
        assert load(path) == SIX

    desk.run(body)


@shared
async def test_a_wrong_name_is_told_while_it_is_typed(desk: Desk) -> None:
    await desk.press("ctrl+s")
    await desk.type("x.txt")
    assert "ends in .toml" in desk.text(".problem")
    await desk.press("enter")
    assert isinstance(desk.app.screen, Ask)


@shared
async def test_what_is_wrong_is_neither_saved_nor_run(desk: Desk) -> None:
    await desk.set("train.lr", "x")
    for key in ("ctrl+s", "ctrl+r"):
        desk.app.clear_notifications()  # one that stays may expire meanwhile
        await desk.press("home", key)
        await desk.until(lambda: "Fix first: train.lr" in desk.toasts)
        assert isinstance(desk.app.screen, ConfigScreen)
        assert desk.form.key == "train.lr"
        assert desk.bench.runs == {}


# --- running --------------------------------------------------------------------------------------------


@shared
async def test_it_runs_in_a_new_slot(desk: Desk) -> None:
    await desk.set(WIDTH, "128")
    await desk.press("ctrl+r")
    await desk.until(lambda: isinstance(desk.app.screen, DashboardScreen))
    assert desk.bench.run.config == apply(SIX, ["model.hidden_size=128", "title="])
    assert desk.bench.run.title == "six hidden_size=128"
    desk.app.switch_mode("config")
    await desk.pilot.pause()
    assert desk.screen.unsaved() == "", "the run holds it"


@shared
async def test_what_does_not_fit_this_machine_is_not_run_whatever_is_planned_for(desk: Desk) -> None:
    desk.screen.plan_for(Hardware())
    await desk.set(WIDTH, "8192")
    await desk.press("ctrl+r")
    await desk.until(lambda: "may use 4.3 GB" in desk.toasts)
    assert desk.bench.runs == {}
    assert "for this machine" in desk.text("EditorTitle")


@shared
async def test_when_all_slots_are_taken_the_edits_stay(desk: Desk) -> None:
    for _ in range(9):
        desk.bench.start(SIX, preset="six")
    await desk.set(WIDTH, "128")
    await desk.press("ctrl+r")
    await desk.until(lambda: "slots are taken" in desk.toasts)
    assert desk.screen.unsaved() == "edits of six"


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ([], ""),
        (["model.layers=3", "train.lr=0.01"], "six layers=3 lr=0.01"),
        (["title=Mine", "model.layers=3"], "Mine"),
        (["title="], ""),
    ],
)
def test_a_run_is_named_after_what_is_different(overrides: list[str], name: str) -> None:
    texts = dict(override.split("=") for override in overrides)
    assert run_name(Draft.of(Origin("six", SIX)).with_texts(texts)) == name


def test_a_run_s_name_is_one_that_a_session_can_have() -> None:
    draft = Draft.of(Origin("x" * 100, SIX)).with_texts({"task.data": "\x1b[2J\n" * 50})
    name = run_name(draft)
    assert len(name) <= 80
    assert name.isprintable()


# --- leaving --------------------------------------------------------------------------------------------


@shared
async def test_without_edits_escape_leaves(desk: Desk) -> None:
    await desk.press("escape")
    await desk.until(lambda: isinstance(desk.app.screen, WelcomeScreen))


@shared
async def test_with_edits_escape_asks(desk: Desk) -> None:
    screen = desk.screen
    await desk.set(WIDTH, "128")
    for answer, then, changes in (
        ("k", ConfigScreen, 1),
        ("escape", ConfigScreen, 1),
        ("s", Ask, 1),
        ("l", WelcomeScreen, 1),
        ("d", WelcomeScreen, 0),
    ):
        await desk.press("escape")
        assert isinstance(desk.app.screen, Choice)
        assert "edits of six are not saved" in desk.text()
        await desk.press(answer)
        await desk.until(lambda then=then: isinstance(desk.app.screen, then))
        assert screen.draft is not None
        assert len(screen.draft.changes) == changes
        if then is Ask:
            await desk.press("escape")
        elif then is WelcomeScreen:
            desk.app.switch_mode("config")  # `e` there edits the chosen preset
            await desk.until(lambda: isinstance(desk.app.screen, ConfigScreen))


@shared
async def test_quitting_with_edits_asks(desk: Desk) -> None:
    await desk.set(WIDTH, "128")
    await desk.press("q")
    await desk.until(lambda: isinstance(desk.app.screen, Choice))
    assert "edits of six" in desk.text()


@shared
async def test_what_is_being_edited_keeps_its_edits_when_it_is_named_again(desk: Desk) -> None:
    await desk.set(WIDTH, "128")
    desk.screen.edit(desk.draft.origin.config, desk.draft.origin.name)
    await desk.pilot.pause()
    assert isinstance(desk.app.screen, ConfigScreen)
    assert desk.draft.texts[WIDTH] == "128"


@shared
async def test_another_mode_and_back_leaves_everything_as_it_was(desk: Desk) -> None:
    await desk.set(WIDTH, "128")
    await desk.press("d")
    await desk.until(lambda: isinstance(desk.app.screen, WelcomeScreen))
    desk.app.switch_mode("config")
    await desk.until(lambda: isinstance(desk.app.screen, ConfigScreen))
    assert (desk.form.key, desk.draft.texts[WIDTH]) == (WIDTH, "128")
