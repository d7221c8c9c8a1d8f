"""Sessions kept in order in the browser: names, tags, notes, the trash, exports and imports."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input, TextArea

from tests.trm_tui.app_pilot import toasts
from tests.trm_tui.fake_engine import FakeWorkbench
from tests.trm_tui.picture import text_of
from tests.trm_tui.sessions_pilot import BASE, BOOM, CUT, FAST, OLD, browsing
from trm_tui.tui.app import TrmApp
from trm_tui.tui.common.dialogs import Ask
from trm_tui.tui.common.multiline_input import Write
from trm_tui.tui.sessions.screen import SessionsScreen

# --- words --------------------------------------------------------------------------------------------------


async def test_a_session_is_renamed(full: TrmApp, bench: FakeWorkbench) -> None:
    async with browsing(full) as desk:
        await desk.press("f2")
        await desk.typed("x" * 81)
        assert isinstance(full.screen, Ask)
        await desk.typed("the best one")
        await desk.until(lambda: "the best one" in text_of(full))
        assert bench.store.get("the best one").id == BASE


async def test_tags_of_one_session_are_edited_and_of_several_added(
    full: TrmApp, bench: FakeWorkbench
) -> None:
    async with browsing(full) as desk:
        await desk.press("T")
        assert full.screen.query_one(Input).value == "best paper"
        await desk.typed("best v2")
        await desk.until(lambda: desk.screen.listing.rows[BASE].tags == ("best", "v2"))
        await desk.press("space", "space", "T")
        await desk.typed("both -best")
        await desk.until(lambda: desk.screen.listing.rows[FAST].tags == ("both", "sweep"))
        assert desk.screen.listing.rows[BASE].tags == ("both", "v2")


async def test_a_note_is_written(full: TrmApp, bench: FakeWorkbench) -> None:
    async with browsing(full) as desk:
        await desk.press("N")
        assert isinstance(full.screen, Write)
        area = full.screen.query_one(TextArea)
        assert area.text == "The one to beat."
        area.text = "two\nlines"
        await desk.press("ctrl+s")
        await desk.until(lambda: bench.store.get(BASE).record.note == "two\nlines")


# --- trash --------------------------------------------------------------------------------------------------


async def test_deleting_moves_to_the_trash_and_u_takes_back(full: TrmApp, bench: FakeWorkbench) -> None:
    async with browsing(full) as desk:
        await desk.press("space", "down", "space", "delete")
        await desk.until(lambda: desk.shown == [FAST, BOOM, CUT, OLD])
        assert "2 sessions moved to the trash · u takes them back" in toasts(full)
        await desk.press("backspace")
        await desk.until(lambda: len(desk.shown) == 3)
        await desk.press("u")
        await desk.until(lambda: len(desk.shown) == 4)
        await desk.press("u")
        await desk.until(lambda: len(desk.shown) == 6)
        assert desk.here == BASE, "the cursor goes to what came back"
        await desk.press("u")
        await desk.said("nothing was deleted here")


async def test_the_trash_is_shown_and_gives_back(full: TrmApp, bench: FakeWorkbench) -> None:
    bench.store.delete(OLD)
    async with browsing(full) as desk:
        await desk.press("Z")
        await desk.until(lambda: desk.shown == [OLD])
        assert "trash" in text_of(full)
        for key in ("r", "T", "m", "W", "E", "ctrl+s", "R", "o", "N", "f2"):
            await desk.press(key)
        assert isinstance(full.screen, SessionsScreen)
        assert "enter restores it" in toasts(full)
        await desk.press("enter")
        await desk.until(lambda: "the trash is empty" in text_of(full))
        await desk.press("Z")
        await desk.until(lambda: len(desk.shown) == 6)


async def test_the_trash_is_emptied_after_a_question(full: TrmApp, bench: FakeWorkbench) -> None:
    bench.store.delete(OLD)
    bench.store.delete(CUT)
    async with browsing(full) as desk:
        await desk.press("Z")
        await desk.until(lambda: desk.shown == [CUT, OLD])
        await desk.press("a", "delete", "k")
        assert len(bench.store.trash()) == 2
        await desk.press("delete", "d")
        await desk.said("2 sessions deleted for good")
        await desk.until(lambda: "the trash is empty" in text_of(full))
        assert bench.store.trash() == []


async def test_a_session_in_use_is_not_deleted(full: TrmApp, bench: FakeWorkbench) -> None:
    with bench.store.open(BASE):
        async with browsing(full) as desk:
            await desk.press("delete")
            await desk.said("in use")
            assert len(desk.shown) == 6


# --- files --------------------------------------------------------------------------------------------------


async def test_exports_write_what_was_chosen_and_overwrite_nothing(full: TrmApp, tmp_path: Path) -> None:
    async with browsing(full) as desk:
        for letter, name in (("m", "out.csv"), ("s", "out.svg"), ("a", "out.zip")):
            await desk.press("ctrl+s", letter)
            await desk.until(lambda: isinstance(full.screen, Ask))
            assert full.screen.query_one(Input).value.startswith("baseline")
            await desk.typed(str(tmp_path / name))
            await desk.said(f"wrote {tmp_path / name}")
            assert (tmp_path / name).stat().st_size > 0
        await desk.press("ctrl+s", "m")
        await desk.typed(str(tmp_path / "out.csv"))
        assert isinstance(full.screen, Ask)
        assert "exists already" in text_of(full)
        await desk.press("escape", "space", "space", "ctrl+s")
        assert "2 sessions" in text_of(full)
        assert "archive" not in text_of(full), "several sessions cannot become one"


async def test_an_archive_is_imported(full: TrmApp, bench: FakeWorkbench, tmp_path: Path) -> None:
    bench.store.export(BASE, tmp_path / "a.zip")
    bench.store.delete(BASE)
    async with browsing(full) as desk:
        assert BASE not in desk.shown
        await desk.press("ctrl+o")
        await desk.typed(str(tmp_path / "a.zip"))
        await desk.said("imported")
        await desk.until(lambda: len(desk.shown) == 6)
