"""The configuration editor under the fingers: every key of it, on a fake engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from editor_pilot import SIX, Desk, SharedDesk, shared, sharing
from fake_engine import LAPTOP
from hypothesis import example, given, settings
from hypothesis import strategies as st
from picture import text_of
from textual.widgets import Input, OptionList

from engine.config import Config, TaskConfig, apply, dumps, load
from engine.hardware import Hardware, Sample, load_profile
from engine.tasks import SudokuConfig
from engine.text import safe_text
from trm_tui.tui.editor.draft import Draft, Origin
from trm_tui.tui.keys import keys_of, names
from trm_tui.tui.screens.config import ConfigScreen, run_name
from trm_tui.tui.screens.config_dialogs import Differences, PickMachine, PickSource
from trm_tui.tui.screens.dashboard import DashboardScreen
from trm_tui.tui.screens.dialogs import Ask, Choice
from trm_tui.tui.widgets.config_fit import duration

WIDTH = "model.hidden_size"


@pytest.fixture(scope="module", name="desk")
def fixture_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedDesk]:
    with sharing(tmp_path_factory.mktemp("editor")) as desk:
        yield desk


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
        (["tab"], WIDTH),
        (["tab", "tab"], "train.seed"),
        (["shift+tab"], "title"),
        (["shift+tab", "shift+tab"], next(key for key in keys if key.startswith("runtime."))),
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


class CountingConfig(TaskConfig, kind="counting"):
    """Counting."""

    kind: str = "counting"
    """Which task the model learns."""
    up_to: int = 9
    """The last number."""

    @property
    def seq_len(self) -> int:
        return self.up_to

    @property
    def vocab_size(self) -> int:
        return self.up_to


COUNTING = TaskConfig.kinds.pop("counting")


def test_another_kind_of_task_has_another_form(desk: SharedDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TaskConfig, "kinds", {**TaskConfig.kinds, "counting": COUNTING})

    async def body(desk: Desk) -> None:
        desk.form.go_to("task.kind")
        await desk.press("left")
        assert desk.draft.values["task.kind"] == "counting"
        assert [key for key in desk.listed() if key.startswith("task.")] == ["task.kind", "task.up_to"]
        await desk.press("u")
        assert "task.box_cols" in desk.listed()

    desk.run(body)


# --- problems and ways out ------------------------------------------------------------------------------


@shared
async def test_a_way_out_is_offered_and_taken_while_typing(desk: Desk) -> None:
    desk.form.go_to("model.layers")
    await desk.press("enter", "backspace", "9", "9")
    await desk.advised()
    assert "F2 layers 32" in desk.text("FitPanel")
    await desk.press("f2")
    await desk.pilot.pause()
    assert desk.draft.texts["model.layers"] == "32"
    assert not desk.form.editing


@shared
async def test_each_way_out_has_a_key(desk: Desk) -> None:
    await desk.begin_anew(apply(SIX, ["model.mixer=attention", "model.positions=rope"]))
    for key, number in (("f2", 0), ("a", 0), ("f3", 1), ("f4", 2), ("f5", 3)):
        desk.screen.action_reset_all()
        for field in ("model.layers", "model.h_cycles", "train.steps"):
            assert desk.screen.document is not None
            desk.screen.document.type(field, "0")
        desk.screen.refresh_all()
        await desk.advised()
        assert desk.screen._advice is not None
        remedies = desk.screen._advice.remedies
        ((field, text),) = remedies[number].texts.items()
        await desk.press(key)
        await desk.until(lambda field=field, text=text: desk.draft.texts[field] == text)
        assert desk.form.key == field


@shared
async def test_a_key_without_a_way_out_says_so(desk: Desk) -> None:
    await desk.press("f5")
    await desk.until(lambda: "nothing is wrong" in desk.toasts)
    await desk.set("model.layers", "99")
    await desk.press("f5")
    await desk.until(lambda: "no such way out" in desk.toasts)


@shared
async def test_what_does_not_fit_can_be_made_to_fit_by_one_key(desk: Desk) -> None:
    await desk.set(WIDTH, "8192")
    await desk.advised()
    assert "✗ does not fit" in desk.text("FitPanel")
    await desk.press("a")
    await desk.pilot.pause()
    await desk.advised()
    assert "✓ fits" in desk.text("FitPanel")


@shared
async def test_the_next_problem_is_a_key_away(desk: Desk) -> None:
    await desk.press("p")
    assert "nothing is wrong" in desk.toasts
    await desk.set("model.layers", "0")
    await desk.set("train.lr", "x")
    found = []
    for _ in range(3):
        await desk.press("p")
        found.append(desk.form.key)
    assert found == ["model.layers", "train.lr", "model.layers"]


@shared
async def test_the_fit_follows_what_is_typed(desk: Desk) -> None:
    assert "params   103" in desk.text("FitPanel")
    before = desk.text("FitPanel")
    assert all(word in before for word in ("memory", "samples/s", "epoch", "to end", "110 GFLOP/s"))
    await desk.set(WIDTH, "128")
    await desk.advised()
    assert "×" in desk.text("FitPanel")
    assert desk.text("FitPanel") != before


@shared
async def test_the_fit_follows_the_machine_s_memory(desk: Desk) -> None:
    assert "of 4.3 GB" in desk.text("FitPanel")
    desk.bench.sample = Sample(seconds=62.0, available_bytes=350_000_000)
    desk.app.tick()
    await desk.until(lambda: "✗ does not fit" in desk.text("FitPanel"))


@shared
async def test_without_a_measured_rate_a_run_tells_how_fast_the_machine_is(desk: Desk) -> None:
    desk.bench.detected = LAPTOP.model_copy(update={"gemm_gflops": None})
    desk.bench.start(SIX, preset="mine")
    desk.bench.run.advance(100)
    desk.app.refresh_now()
    await desk.until(lambda: "as mine runs" in desk.words("FitPanel"))


@shared
async def test_where_nothing_is_known_of_the_machine_nothing_is_claimed(desk: Desk) -> None:
    desk.bench.detected, desk.bench.sample = None, Sample(0.0)
    desk.screen.refresh_all()
    await desk.until(lambda: "memory of the machine unknown" in desk.words("FitPanel"))


@shared
async def test_a_machine_that_is_planned_for_throughout_is_named(desk: Desk) -> None:
    desk.bench.detected = load_profile("macbook-pro-2018-i5")
    desk.screen.refresh_all()
    assert "for macbook-pro-2018-i5" in desk.text("EditorTitle")


# --- search ---------------------------------------------------------------------------------------------


@shared
async def test_search_lists_what_has_the_words(desk: Desk) -> None:
    await desk.press("slash")
    await desk.type("decay xyz")
    assert desk.listed() == []
    assert "no field" in desk.text("#nothing")
    for _ in range(3):
        await desk.press("backspace")
    assert "train.weight_decay" in desk.listed()
    assert all("decay" in f"{key} {desk.draft.fields[key].help}".lower() for key in desk.listed())
    await desk.press("enter")
    assert desk.app.focused is None
    assert desk.form.key == desk.listed()[0]
    await desk.press("escape")
    assert desk.listed() == list(desk.draft.fields)


@shared
async def test_only_what_is_changed_or_wrong_can_be_listed(desk: Desk) -> None:
    await desk.set(WIDTH, "128")
    await desk.set("train.lr", "x")
    await desk.press("i")
    assert desk.listed() == [WIDTH, "train.lr"]
    await desk.press("i")
    assert len(desk.listed()) == len(desk.draft.fields)


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
    await desk.until(lambda: "as the profile says" in desk.words("FitPanel"))
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
        assert load(tmp_path / "mine.toml") == apply(SIX, ["model.hidden_size=128"])
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
    for number, key in enumerate(("ctrl+s", "ctrl+r"), start=1):
        await desk.press("home", key)
        await desk.until(lambda number=number: desk.toasts.count("first put right: train.lr") == number)
        assert isinstance(desk.app.screen, ConfigScreen)
        assert desk.form.key == "train.lr"
        assert desk.bench.runs == {}


# --- running --------------------------------------------------------------------------------------------


@shared
async def test_it_runs_in_a_new_slot(desk: Desk) -> None:
    await desk.set(WIDTH, "128")
    await desk.press("ctrl+r")
    await desk.until(lambda: isinstance(desk.app.screen, DashboardScreen))
    assert desk.bench.run.config == apply(SIX, ["model.hidden_size=128"])
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
    await desk.until(lambda: isinstance(desk.app.screen, DashboardScreen))


@shared
async def test_with_edits_escape_asks(desk: Desk) -> None:
    screen = desk.screen
    await desk.set(WIDTH, "128")
    for answer, then, changes in (
        ("k", ConfigScreen, 1),
        ("escape", ConfigScreen, 1),
        ("s", Ask, 1),
        ("l", DashboardScreen, 1),
        ("d", DashboardScreen, 0),
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
        elif then is DashboardScreen:
            await desk.press("e")
            await desk.until(lambda: isinstance(desk.app.screen, ConfigScreen))


@shared
async def test_quitting_with_edits_asks(desk: Desk) -> None:
    await desk.set(WIDTH, "128")
    await desk.press("q")
    await desk.until(lambda: isinstance(desk.app.screen, Choice))
    assert "edits of six" in desk.text()


@shared
async def test_another_mode_and_back_leaves_everything_as_it_was(desk: Desk) -> None:
    await desk.set(WIDTH, "128")
    await desk.press("d")
    await desk.until(lambda: isinstance(desk.app.screen, DashboardScreen))
    await desk.press("e")
    await desk.until(lambda: isinstance(desk.app.screen, ConfigScreen))
    assert (desk.form.key, desk.draft.texts[WIDTH]) == (WIDTH, "128")


# --- the mouse ------------------------------------------------------------------------------------------


@shared
async def test_a_click_chooses_a_line_and_one_on_its_value_edits_it(desk: Desk) -> None:
    row = desk.row("task.train_size")
    await desk.pilot.click(row, offset=(4, 0))
    assert desk.form.key == "task.train_size"
    assert not desk.form.editing
    await desk.pilot.click(row, offset=(32, 0))
    await desk.pilot.pause()
    assert desk.form.editing
    await desk.pilot.click(desk.row("task.augment"), offset=(32, 0))
    await desk.pilot.pause()
    assert desk.draft.values["task.augment"] is False
    assert not desk.row("task.train_size").editing


@shared
async def test_a_click_takes_a_way_out_or_goes_to_a_section(desk: Desk) -> None:
    await desk.set("model.layers", "99")
    await desk.advised()
    lines = desk.text("FitPanel").splitlines()
    line = next(number for number, text in enumerate(lines) if "F2" in text)
    await desk.pilot.click("#fit", offset=(6, line + 1))
    await desk.until(lambda: desk.draft.texts["model.layers"] == "32")
    await desk.pilot.resize_terminal(120, 30)
    await desk.until(lambda: desk.screen.query_one("#sections").region.height > 10)
    await desk.pilot.click("#sections", offset=(6, 4))
    await desk.until(lambda: desk.form.key == "train.seed")


# --- every key, every size, hostile text ----------------------------------------------------------------


def test_every_action_of_the_table_exists() -> None:
    actions = {key.action.partition("(")[0] for key in keys_of("config")}
    assert [name for name in actions if not hasattr(ConfigScreen, f"action_{name}")] == []


@shared
async def test_every_key_reaches_its_action(desk: Desk) -> None:
    """Each action is replaced by one that takes a note; then every key of the table is pressed."""
    noted: list[str] = []
    actions = {f"action_{key.action.partition('(')[0]}" for key in keys_of("config")}
    for action in actions:
        setattr(desk.screen, action, _noting(noted, action.removeprefix("action_")))
    try:
        pressed = []
        for key in keys_of("config"):
            for name in names(key.keys):
                await desk.press(name)
                pressed.append(key.action if "(" in key.action else f"{key.action}()")
        assert noted == pressed
    finally:
        for action in actions:
            delattr(desk.screen, action)


def _noting(noted: list[str], name: str) -> Callable[..., None]:
    return lambda *arguments: noted.append(f"{name}({', '.join(map(repr, arguments))})")


@shared
async def test_no_size_is_too_small_or_large(desk: Desk) -> None:
    for size in ((20, 5), (1, 1), (180, 50)):
        await desk.pilot.resize_terminal(*size)
        await desk.press("tab", "enter", "x", "escape", "slash", "l", "escape")
        await desk.set("model.layers", "99")
        await desk.press("a")
        await desk.until(lambda: desk.draft.texts["model.layers"] == "32")
        assert desk.form.key == "model.layers"


@shared
async def test_the_cursor_stays_in_sight_when_the_size_or_the_list_changes(desk: Desk) -> None:
    desk.form.go_to("train.lr")
    for width, height in ((80, 24), (40, 9), (100, 30)):
        await desk.pilot.resize_terminal(width, height)
        await desk.until(lambda: desk.form.region.contains_region(desk.row("train.lr").region))
    await desk.press("slash", "l", "r", "escape")
    await desk.until(lambda: desk.form.region.contains_region(desk.row("train.lr").region))


@shared
async def test_on_a_narrow_terminal_the_fit_is_a_line(desk: Desk) -> None:
    await desk.pilot.resize_terminal(60, 20)
    await desk.until(lambda: not desk.screen.query_one("#fit").display)
    assert "✓ fits" in desk.text("FitLine")
    await desk.set("model.layers", "99")
    await desk.advised()
    assert "✗ problems · F2 layers 32" in desk.text("FitLine")


HOSTILE = st.text(
    st.sampled_from("a \x1b[]0;\x07\x9b2J\u202e\u2066\n\t\x00\x7f[red]@click=(')/\\é漢"), max_size=30
)


@settings(max_examples=2, deadline=None)
@example(text="a\x1b]0;evil\x07\x9b2J\u202eb\nc\x00[@click=app.quit]d[/]")
@given(text=HOSTILE)
def test_hostile_text_is_shown_harmless_and_kept(desk: SharedDesk, text: str) -> None:
    """As title and origin's name: in the form, the help, a field, the dialogs, and in problems."""
    title = f"[red]T[/]{text}"
    config = SIX.model_copy(update={"title": title, "expect": text})

    async def body(desk: Desk) -> None:
        desk.app.edit_config(config, origin=f"o{text}")
        await desk.until(lambda: desk.draft.texts["title"] == title)
        for keys in (["home", "enter"], ["escape", "ctrl+s"], ["escape", "b", "enter"]):
            await desk.press(*keys)
            assert is_harmless(text_of(desk.app))
        await desk.press("escape")
        desk.screen.document.change({"model.layers": text, "train.lr": text})  # type: ignore[union-attr]
        desk.screen.refresh_all()
        await desk.advised()
        assert is_harmless(text_of(desk.app))
        assert "[red]T[/]" in desk.row("title").render().plain, "markup from elsewhere is shown as it is"
        assert desk.draft.texts["title"] == title

    desk.run(body)


def is_harmless(text: str) -> bool:
    """Whether no character could drive a terminal or reorder a line."""
    return safe_text(text) == text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (42.4, "42 s"),
        (59.9, "1 min 0 s"),
        (190, "3 min 10 s"),
        (3000, "50 min"),
        (3599, "59 min"),
        (19200, "5 h 20 min"),
        (4 * 86400, "4 days"),
        (1.3e9, "41 years"),
    ],
)
def test_durations_are_said_in_the_units_one_plans_with(seconds: float, words: str) -> None:
    assert duration(seconds) == words
