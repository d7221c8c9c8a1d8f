"""The watch screen in the hands of a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.trm_tui.app_pilot import SIZE, AppPilot
from tests.trm_tui.fake_model_host import PUZZLES_FOUR
from trm_tui.tui.app import TrmApp
from trm_tui.tui.watch.screen import WatchScreen


class Seat(AppPilot):
    """The watch screen under test."""

    @property
    def screen(self) -> WatchScreen:
        return self.only(WatchScreen)

    @property
    def at(self) -> int:
        return self.screen.shown.playback.at

    async def film(self, text: str) -> None:
        """Wait for the film of a puzzle."""
        await self.until(lambda: self.screen.shown.film is not None and self.screen.shown.film.text == text)


@asynccontextmanager
async def opening(app: TrmApp, size: tuple[int, int] = SIZE) -> AsyncIterator[Seat]:
    """Open the screen."""
    async with app.run_test(size=size) as pilot:
        seat = Seat(app, pilot)
        app.switch_mode("watch")
        await seat.until(lambda: isinstance(app.screen, WatchScreen))
        app.refresh_now()
        yield seat


@asynccontextmanager
async def watching(app: TrmApp, size: tuple[int, int] = SIZE) -> AsyncIterator[Seat]:
    """Open the screen, wait for the first film and hold it at the puzzle."""
    async with opening(app, size) as seat:
        await seat.film(PUZZLES_FOUR[0])
        await seat.press("home")
        yield seat
