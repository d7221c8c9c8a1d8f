"""The configuration editor: the mouse, every key of its table, every size, hostile text."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.trm_tui.app_pilot import action_names, notes_of_keys
from tests.trm_tui.editor_pilot import SIX, Desk, SharedDesk, shared
from tests.trm_tui.picture import text_of
from trm_engine.text import duration, safe_text
from trm_tui.tui.editor.screen import ConfigScreen

WIDTH = "model.hidden_size"


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
    switch = desk.row("task.augment")
    switch.scroll_visible(animate=False)  # it may be below the last line that is shown
    await desk.pilot.pause()
    await desk.pilot.click(switch, offset=(32, 0))
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
    assert [name for name in action_names("config") if not hasattr(ConfigScreen, f"action_{name}")] == []


@shared
async def test_every_key_reaches_its_action(desk: Desk) -> None:
    noted, wanted = await notes_of_keys("config", desk.screen, desk.press)
    assert noted == wanted


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
