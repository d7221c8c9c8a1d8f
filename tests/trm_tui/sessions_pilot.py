"""Drives the session browser in tests: opens it on sessions of which each differs from the others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.widgets import Input

from tests.trm_tui.app_pilot import SIZE, AppPilot, toasts
from trm_tui.tui.app import TrmApp
from trm_tui.tui.common.dialogs import Ask
from trm_tui.tui.sessions.screen import SessionsScreen

BASE, FAST, PLAIN, BOOM, CUT, OLD = (
    "20260320-143000-sudoku-6x6-base",
    "20260320-090000-sudoku-6x6-fast",
    "20260319-200000-sudoku-6x6-q7x2",
    "20260318-120000-sudoku-6x6-boom",
    "20260201-120000-sudoku-6x6-cut0",
    "20250101-120000-sudoku-4x4-oldx",
)


class Desk(AppPilot):
    """The browser under test."""

    @property
    def screen(self) -> SessionsScreen:
        return self.only(SessionsScreen)

    @property
    def shown(self) -> list[str]:
        return [row.id for row in self.screen.listing.shown]

    @property
    def here(self) -> str:
        assert self.screen.row is not None
        return self.screen.row.id

    async def typed(self, text: str) -> None:
        """Replace what stands in the field of the dialog, and accept it."""
        await self.until(lambda: isinstance(self.app.screen, Ask))
        self.app.screen.query_one(Input).value = text
        await self.press("enter")

    async def said(self, words: str) -> None:
        await self.until(lambda: words in toasts(self.app))


@asynccontextmanager
async def browsing(app: TrmApp, size: tuple[int, int] = SIZE) -> AsyncIterator[Desk]:
    """Open the browser and wait until the sessions are listed."""
    async with app.run_test(size=size) as pilot:
        desk = Desk(app, pilot)
        await desk.until(lambda: isinstance(app.screen, SessionsScreen))
        await desk.until(lambda: desk.screen.listing.rows)
        yield desk
