"""The command palette starts the puzzle server, says where it is, and stops it; none outlives the app."""

from __future__ import annotations

from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import OptionList

from tests.trm_tui.app_pilot import SIZE, settle, toasts, until
from trm_engine.errors import TrmError
from trm_tui.tui.app import TrmApp
from trm_tui.workbench.processes.server_process import ServerProcess

ADDRESS = "http://127.0.0.1:4711/"


class Stand(ServerProcess):
    """In place of a process, which takes seconds to start: it stands until it is stopped."""

    def __init__(self, refusal: str = "") -> None:
        super().__init__(Path())
        self.refusal, self.stands = refusal, False

    @property
    def running(self) -> bool:
        return self.stands

    def _start(self) -> None:
        if self.refusal:
            raise TrmError(self.refusal)
        self.stands, self.address = True, ADDRESS

    def _stop(self) -> None:
        self.stands, self.address = False, ""


def beside(app: TrmApp, server: Stand) -> Stand:
    app.server = server
    return server


async def choose(app: TrmApp, pilot: Pilot[int], typed: str) -> None:
    """Run the first command that the palette finds."""
    await pilot.press("ctrl+p")
    await pilot.pause()
    await pilot.press(*typed)

    def found() -> bool:
        lists = app.screen.query(OptionList)
        return bool(lists) and lists.first().option_count > 0

    await until(pilot, found)
    await pilot.press("down", "enter")


async def test_it_is_started_and_stopped_from_the_palette(app: TrmApp) -> None:
    server = beside(app, Stand())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await choose(app, pilot, "puzzlesinthe")
        await until(pilot, lambda: ADDRESS in toasts(app))
        assert server.running
        await choose(app, pilot, "stopthepuzzle")
        await until(pilot, lambda: "has stopped" in toasts(app))
        assert not server.running
        assert server.address == ""


async def test_why_it_did_not_start_is_said(app: TrmApp) -> None:
    server = beside(app, Stand("the server needs fastapi, which is not installed"))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await choose(app, pilot, "puzzlesinthe")
        await until(pilot, lambda: "fastapi, which is not installed" in toasts(app))
        assert not server.running


async def test_it_does_not_outlive_the_app(app: TrmApp) -> None:
    server = beside(app, Stand())
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await choose(app, pilot, "puzzlesinthe")
        await until(pilot, lambda: server.running and bool(server.address))
    assert not server.running
