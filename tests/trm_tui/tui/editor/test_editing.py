"""The configuration editor under the fingers: moving, typing, stepping, undoing."""

from __future__ import annotations

import pytest
from textual.widgets import OptionList

from tests.trm_tui.editor_pilot import SIX, Desk, SharedDesk, shared
from trm_engine.config import TaskConfig, apply
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_tui.tui.editor.screen import ConfigScreen

WIDTH = "model.hidden_size"


# --- opening --------------------------------------------------------------------------------------------


@shared
async def test_every_field_is_in_the_form_with_its_help(desk: Desk) -> None:
    assert desk.listed() == list(desk.draft.fields)
    for key in ("task.augment", "model.mixer", "train.lr"):
        desk.form.go_to(key)
        await desk.pilot.pause()
        assert desk.draft.fields[key].help.split()[0] in desk.text("FieldHelp")
        assert key in desk.text("FieldHelp")


# --- the cursor -----------------------------------------------------------------------------------------


@shared
async def test_keys_move_the_cursor(desk: Desk) -> None:
    keys = list(desk.draft.fields)
    for pressed, at in (
        (["down"], "task.clues"),
        (["j", "j"], "task.clues_max"),
        (["up"], "task.box_rows"),
        (["k", "k"], "task.kind"),
        (["home"], keys[0]),
        (["end"], keys[-1]),
        (["end", "down"], keys[-1]),
        (["tab"], next(key for key in keys if key.startswith("model."))),
        (["tab", "tab"], "train.seed"),
        (["shift+tab"], "title"),
        (["shift+tab", "shift+tab"], "track.tensorboard"),
    ):
        desk.form.go_to("task.box_cols")
        await desk.press(*pressed)
        assert desk.form.key == at
        assert [row.key for row in desk.screen.query("FieldRow") if row.has_class("-cursor")] == [at]


@shared
async def test_pages_move_by_what_is_visible_and_the_cursor_stays_in_sight(desk: Desk) -> None:
    await desk.pilot.resize_terminal(80, 24)
    keys = list(desk.draft.fields)
    await desk.press("home", "pagedown")
    down = keys.index(desk.form.key)
    assert 5 < down < 20
    await desk.press("pagedown", "pageup")
    assert keys.index(desk.form.key) == down
    for key in ("end", "home", "tab"):
        await desk.press(key)
        row = desk.form.row
        assert row is not None
        await desk.until(lambda row=row: desk.form.region.contains_region(row.region))


# --- editing --------------------------------------------------------------------------------------------


@shared
async def test_a_number_is_typed_in_place_and_judged_with_every_key(desk: Desk) -> None:
    desk.form.go_to(WIDTH)
    await desk.press("enter", "end", "ctrl+u")
    assert "✗" in desk.text("EditorTitle"), "an empty field is wrong at once"
    await desk.type("12")
    assert desk.draft.texts[WIDTH] == "12"
    await desk.type("x")
    assert "must be a whole number" in desk.row(WIDTH).render().plain
    await desk.press("backspace", "8", "enter")
    assert desk.draft.checked.config == apply(SIX, ["model.hidden_size=128"])
    assert not desk.form.editing
    assert desk.app.focused is None


@shared
async def test_letters_typed_into_a_field_are_no_commands(desk: Desk) -> None:
    desk.form.go_to("title")
    await desk.press("enter", "end")
    await desk.type(" dq?u1")
    assert desk.draft.texts["title"] == "Six dq?u1"
    assert isinstance(desk.app.screen, ConfigScreen)


@shared
async def test_moving_on_accepts_what_was_typed_and_escape_takes_it_back(desk: Desk) -> None:
    desk.form.go_to("model.layers")
    await desk.press("enter", "backspace", "3", "down")
    assert (desk.form.key, desk.draft.texts["model.layers"]) == ("model.mixer", "3")
    assert not desk.row("model.layers").editing
    await desk.press("up", "enter", "7", "7", "escape")
    assert desk.draft.texts["model.layers"] == "3"
    assert not desk.form.editing
    assert isinstance(desk.app.screen, ConfigScreen)


@shared
async def test_enter_switches_a_switch(desk: Desk) -> None:
    desk.form.go_to("task.augment")
    await desk.press("enter")
    assert desk.draft.values["task.augment"] is False
    assert "●━━ false" in desk.row("task.augment").render().plain


@shared
async def test_enter_drops_down_the_choices_and_escape_closes_them(desk: Desk) -> None:
    desk.form.go_to("model.positions")
    await desk.press("enter")
    choices = desk.row("model.positions").query_one(OptionList)
    assert choices.highlighted == 2, "what is set now"
    await desk.press("up", "up", "enter")
    assert desk.draft.values["model.positions"] == "rope"
    assert desk.app.focused is None
    await desk.press("enter", "down", "escape")
    assert desk.draft.values["model.positions"] == "rope"
    assert not desk.form.editing
    desk.form.go_to("model.states")
    await desk.press("enter", "home", "enter")
    assert desk.draft.values["model.states"] == 1, "a choice of numbers stays a number"


@shared
async def test_left_and_right_take_the_next_value(desk: Desk) -> None:
    for key, pressed, value in (
        (WIDTH, ["right"], 128),
        ("model.layers", ["left"], 1),
        ("model.mixer", ["right"], "attention"),
        ("task.augment", ["left"], False),
        ("train.lr", ["right", "right"], 0.004),
        ("title", ["right"], "Six"),
    ):
        desk.form.go_to(key)
        await desk.press(*pressed)
        assert desk.draft.values[key] == value


@shared
async def test_a_field_that_holds_nonsense_is_not_stepped(desk: Desk) -> None:
    await desk.set("train.lr", "fast")
    await desk.press("right")
    assert desk.draft.texts["train.lr"] == "fast"


@shared
async def test_changes_are_marked_and_counted(desk: Desk) -> None:
    await desk.pilot.resize_terminal(120, 30)
    await desk.edit(WIDTH, "128")
    assert "was 64" in desk.row(WIDTH).render().plain
    assert "1 changed · unsaved" in desk.text("EditorTitle")
    assert "•1" in desk.text("SectionList")


@shared
async def test_undo_and_redo_by_letter_and_by_control(desk: Desk) -> None:
    await desk.edit(WIDTH, "128")
    await desk.edit("model.layers", "3")
    await desk.press("u", "ctrl+z")
    assert desk.draft.changes == []
    await desk.press("y", "ctrl+y")
    assert len(desk.draft.changes) == 2
    await desk.press("y")
    assert "nothing to redo" in desk.toasts
    await desk.press("u", "u", "u")
    assert "nothing to undo" in desk.toasts
    desk.form.go_to(WIDTH)
    await desk.press("enter", "1", "2", "ctrl+z")
    assert desk.draft.texts[WIDTH] == "64", "all that was typed"
    assert not desk.form.editing


@shared
async def test_a_field_and_everything_can_be_reset(desk: Desk) -> None:
    await desk.set("task.box_cols", "4")
    await desk.press("r")
    assert desk.draft.texts["task.box_cols"] == "3", "what it came with"
    await desk.press("g")
    assert desk.draft.texts["task.box_cols"] == "2", "its default"
    await desk.set(WIDTH, "128")
    await desk.press("R")
    assert desk.draft.changes == []


def test_another_kind_of_task_has_another_form(
    desk: SharedDesk, counting: type[TaskConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TaskConfig, "kinds", {"sudoku": SudokuConfig, "counting": counting})

    async def body(desk: Desk) -> None:
        desk.form.go_to("task.kind")
        await desk.press("left")
        assert desk.draft.values["task.kind"] == "counting"
        assert [key for key in desk.listed() if key.startswith("task.")] == ["task.kind", "task.up_to"]
        await desk.press("u")
        assert "task.box_cols" in desk.listed()

    desk.run(body)
