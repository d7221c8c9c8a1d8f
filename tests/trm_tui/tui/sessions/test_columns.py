"""Columns and filters over settings, and what goes to the clipboard."""

from __future__ import annotations

from textual.widgets import Input

from tests.trm_tui.picture import text_of
from tests.trm_tui.sessions_pilot import browsing
from trm_tui.tui.app import TrmApp


async def test_a_setting_becomes_a_column_and_stays(full: TrmApp) -> None:
    async with browsing(full) as desk:
        await desk.press("C")
        await desk.typed("exact train.lr")
        await desk.until(lambda: any(row.settings for row in desk.screen.listing.rows.values()))
        await desk.until(lambda: " lr" in text_of(full))
        assert [column.key for column in desk.screen.listing.columns] == ["name", "exact", "train.lr"]
        assert "Smp/s" not in text_of(full)
        assert full.settings.columns == "exact train.lr"


async def test_a_filter_over_a_setting_finds_sessions(full: TrmApp) -> None:
    async with browsing(full) as desk:
        everything = len(desk.shown)
        await desk.press("slash")
        field = desk.screen.query_one(Input)
        field.value = "train.lr>0"
        await desk.until(lambda: 0 < len(desk.shown) <= everything)
        field.value = "train.lr>1k"
        await desk.until(lambda: not desk.shown)


async def test_the_id_is_copied_through_the_terminal(full: TrmApp) -> None:
    async with browsing(full) as desk:
        await desk.press("y", "i")
        await desk.until(lambda: full.clipboard == desk.here)
        await desk.press("y", "c")
        await desk.until(lambda: full.clipboard.endswith(f"resume {desk.here}"))
