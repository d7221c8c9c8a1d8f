"""Every way out of the app: keys, questions, signals; nothing that trains is lost."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from textual.widgets import Input, Static

from tests.trm_tui.app_pilot import SIZE, come_to_be, settle
from tests.trm_tui.fake_engine import FakeWorkbench
from tests.trm_tui.picture import text_of
from trm_tui.tui.app import TrmApp
from trm_tui.tui.common.dialogs import Choice, Waiting


async def test_quitting_while_nothing_trains_asks_nothing(app: TrmApp, bench: FakeWorkbench) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("q")
        await pilot.pause()
    assert (app.return_value, bench.stopped) == (0, ["the app was closed"])


async def test_quitting_while_training_asks_and_saves(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("q")
        assert isinstance(live.screen, Choice)
        await pilot.press("escape")
        assert training.stopped == []
        await pilot.press("q", "c")
        assert training.stopped == []
        await pilot.press("q", "s")
        await pilot.pause()
    assert (live.return_value, training.snapshot().state) == (0, "stopped")


async def test_quitting_can_wait_for_the_end_of_the_run(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("q", "w")
        await settle(pilot)
        assert training.stopped == []
        training.end(training.run, "completed")
        await come_to_be(lambda: training.stopped != [])
    assert live.return_value == 0


async def test_that_it_waits_is_shown_and_can_be_taken_back(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("q", "w")
        await settle(pilot)
        assert "quits when training finishes" in text_of(live).splitlines()[0]
        await pilot.press("q", "c")
        await settle(pilot)
        assert "quits" not in text_of(live).splitlines()[0]
        training.end(training.run, "completed")
        await settle(pilot)
        assert training.stopped == []


async def test_unsaved_edits_are_asked_about(live: TrmApp, training: FakeWorkbench) -> None:
    training.end(training.run, "completed")
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        live.screen.unsaved = lambda: "edits of sudoku-4x4 are"  # type: ignore[attr-defined]
        await pilot.press("q")
        assert isinstance(live.screen, Choice)
        assert "edits of sudoku-4x4 are not saved" in str(live.screen.query_one(".text", Static).content)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
async def test_signals_save_and_leave_with_their_code(
    live: TrmApp, training: FakeWorkbench, name: str
) -> None:
    number = getattr(signal, name)
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        os.kill(os.getpid(), number)
        await come_to_be(lambda: training.stopped != [])
    assert (live.return_value, training.stopped) == (128 + number, [f"signal {int(number)}"])
    asyncio.get_running_loop().remove_signal_handler(number)


async def test_ctrl_c_saves_and_a_second_one_does_not_wait(live: TrmApp, training: FakeWorkbench) -> None:
    training.is_ended = False
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+c")
        assert isinstance(live.screen, Waiting)
        assert not live.leaving.abandoned
        await pilot.press("q", "escape", "d")
        assert isinstance(live.screen, Waiting), "nothing else works meanwhile"
        await pilot.press("ctrl+c")
        await pilot.pause()
    assert live.leaving.abandoned
    assert live.return_value == 130


async def test_ctrl_c_in_a_field_copies_what_is_selected(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("plus")
        live.screen.query_one(Input).action_select_all()
        await pilot.press("ctrl+c")
        assert live.clipboard.isdecimal()
        assert training.stopped == []
