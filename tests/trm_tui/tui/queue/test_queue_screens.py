"""The queue by keys: filled from presets and the editor, put in order, held and started."""

from __future__ import annotations

from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

from tests.trm_tui.app_pilot import go_to_setting, open_editor, settle, toasts, until
from tests.trm_tui.fake_engine import FakeWorkbench
from tests.trm_tui.picture import text_of
from trm_engine.config import Config, Preset
from trm_tui.tui.app import TrmApp
from trm_tui.tui.common.dialogs import Ask
from trm_tui.tui.common.header import SlotHeader
from trm_tui.tui.dashboard.screen import DashboardScreen
from trm_tui.tui.editor.screen import ConfigScreen
from trm_tui.tui.queue.dialog import QueueDialog

SIZE = (120, 40)


def titles(app: TrmApp) -> list[str]:
    return [place.run.title for place in app.queue.places()]


async def opened(pilot: Pilot[int]) -> None:
    await pilot.press("Q")
    await until(pilot, lambda: isinstance(pilot.app.screen, QueueDialog))
    await settle(pilot)


async def test_welcome_queues_the_chosen_preset(app: TrmApp, bench: FakeWorkbench, config: Config) -> None:
    app.presets = [Preset("six", Path("six.toml"), config)]
    app.read_presets = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("a")
        await until(pilot, lambda: bench.runs)
        assert isinstance(app.screen, DashboardScreen), "nothing trained: it has begun"
        assert "1 run queued" in toasts(app)


async def test_runs_are_put_in_order_taken_out_and_put_back(
    live: TrmApp, training: FakeWorkbench, config: Config
) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        live.enqueue([(config, "six", name) for name in "abc"])
        await settle(pilot)
        assert "3 queued" in live.screen.query_one(SlotHeader).render().plain
        await opened(pilot)
        await pilot.press("shift+down", "shift+down")
        assert titles(live) == ["b", "c", "a"]
        await pilot.press("K")
        assert titles(live) == ["b", "a", "c"]
        await pilot.press("delete")
        assert titles(live) == ["b", "c"]
        await pilot.press("u")
        assert titles(live) == ["b", "a", "c"]
        assert "1 ○ b" in text_of(live)
        await pilot.press("space")
        assert not live.queue.going
        await settle(pilot)
        assert "Held" in text_of(live)
        training.end(training.run, "completed")
        await settle(pilot)
        assert len(training.runs) == 1
        await pilot.press("space")
        await until(pilot, lambda: len(training.runs) == 2)
        assert training.runs[2].title == "b"
        await settle(pilot)
        await pilot.press("home", "delete")
        assert "It has begun" in toasts(live)


async def test_what_failed_is_run_again_when_asked(
    live: TrmApp, training: FakeWorkbench, config: Config
) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        live.enqueue([(config, "six", "a")])
        live.queue.hold()
        live.queue.file.note(live.queue.file.read()[0].id, problem="the disk was full")
        await opened(pilot)
        assert "✗ a" in text_of(live)
        assert "the disk was full" in text_of(live)
        await pilot.press("r")
        assert live.queue.file.read()[0].problem == ""
        await pilot.press("r")
        assert "has not failed" in toasts(live)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(live.screen, ConfigScreen))


async def test_a_sweep_queues_a_run_for_each_value(live: TrmApp, training: FakeWorkbench) -> None:
    async with live.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await open_editor(pilot)
        await go_to_setting(pilot, "train.lr")
        await pilot.press("f7")
        assert isinstance(live.screen, Ask)
        live.screen.query_one(Input).value = "0.001 0.003"
        await settle(pilot)
        assert "2 runs: sudoku-6x6 lr=0.001" in text_of(live)
        await pilot.press("enter")
        await settle(pilot)
        assert titles(live) == ["sudoku-6x6 lr=0.001", "sudoku-6x6 lr=0.003"]
        await pilot.press("f6")
        await settle(pilot)
        assert len(titles(live)) == 3
        assert len(training.runs) == 1, "the run that trains comes first"


async def test_the_next_sitting_says_what_waits(bench: FakeWorkbench, config: Config, tmp_path: Path) -> None:
    first = TrmApp(bench, config_dir=tmp_path / "config")
    first.queue.file.add([])
    first.queue.add([(config, "six", "a"), (config, "six", "b")])
    first.queue.hold()
    again = TrmApp(bench, config_dir=tmp_path / "config")
    async with again.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert "2 runs wait in the queue" in toasts(again)
        assert not bench.runs, "nothing is trained unasked"
