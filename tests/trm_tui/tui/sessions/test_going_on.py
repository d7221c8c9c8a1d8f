"""From the session browser to other screens: runs that go on, comparison, curves, editor, films."""

from __future__ import annotations

from pathlib import Path

from tests.trm_tui.app_pilot import action_names
from tests.trm_tui.fake_engine import FakeWorkbench
from tests.trm_tui.picture import text_of
from tests.trm_tui.sessions_pilot import BASE, CUT, FAST, OLD, browsing
from trm_engine.config import Config
from trm_tui.tui.app import TrmApp
from trm_tui.tui.common.dialogs import Ask, Choice
from trm_tui.tui.dashboard.screen import DashboardScreen
from trm_tui.tui.editor.screen import ConfigScreen
from trm_tui.tui.sessions.compare import CompareScreen
from trm_tui.tui.sessions.panes import CheckpointList
from trm_tui.tui.sessions.screen import SessionsScreen

# --- runs ---------------------------------------------------------------------------------------------------


async def test_r_goes_on_with_the_session_in_a_slot(full: TrmApp, bench: FakeWorkbench) -> None:
    async with browsing(full) as desk:
        await desk.press("end", "r")
        assert isinstance(full.screen, DashboardScreen)
        assert bench.run.asked == [f"resume {OLD} None []"]


async def test_a_completed_session_is_asked_for_more_steps(full: TrmApp, bench: FakeWorkbench) -> None:
    async with browsing(full) as desk:
        await desk.press("r")
        await desk.typed("nonsense")
        assert isinstance(full.screen, Ask), "that is not a number of steps"
        await desk.typed("250")
        (asked,) = bench.run.asked
        assert asked.startswith(f"resume {BASE} None ['train.steps=750', ")


async def test_no_target_ends_an_extended_session_again(full: TrmApp, bench: FakeWorkbench) -> None:
    async with browsing(full) as desk:
        await desk.press("r")
        await desk.typed("250")
        (asked,) = bench.run.asked
        assert "'eval.target_accuracy=0'" in asked
        assert "'eval.target_loss=0'" in asked, "a text session reaches a loss"


async def test_enter_shows_a_session_without_training_it(full: TrmApp, bench: FakeWorkbench) -> None:
    async with browsing(full) as desk:
        await desk.press("enter")
        assert isinstance(full.screen, DashboardScreen)
        assert bench.run.asked == [f"view {BASE}"]


async def test_enter_on_an_earlier_checkpoint_forks_or_says_what_a_rewind_deletes(
    full: TrmApp, bench: FakeWorkbench
) -> None:
    async with browsing(full) as desk:
        await desk.press("tab")
        await desk.until(lambda: desk.screen.panes.checkpoints.chosen)
        await desk.press("down", "enter")
        assert isinstance(full.screen, Choice)
        assert "discards the metrics after" in text_of(full)
        assert "deletes checkpoint 500" in text_of(full)
        await desk.press("escape")
        assert not bench.runs
        await desk.press("enter", "r")
        assert bench.run.asked == [f"resume {BASE} 250 []"]
        await desk.press("s", "enter", "enter")
        assert bench.run.asked == [f"fork {BASE} 250"], "a fork is what enter alone chooses"


async def test_four_keys_fork_and_train(full: TrmApp, bench: FakeWorkbench) -> None:
    async with browsing(full) as desk:
        await desk.press("tab")
        await desk.until(lambda: desk.screen.panes.checkpoints.chosen)
        await desk.press("down", "F")
        assert bench.run.asked == [f"fork {BASE} 250"]
        await desk.press("s", "escape", "F")
        assert bench.run.asked == [f"fork {BASE} None"], "in the table, the newest"


async def test_checkpoints_can_be_clicked(full: TrmApp, bench: FakeWorkbench) -> None:
    async with browsing(full, (140, 45)) as desk:
        await desk.press("end", "up")
        await desk.until(lambda: desk.screen.panes.checkpoints.chosen)
        await desk.pilot.click(CheckpointList, offset=(4, 1), times=2)
        await desk.press("r")
        await desk.until(lambda: bench.runs)
        assert bench.run.asked == [f"resume {CUT} None []"]


async def test_shift_r_replays_while_a_slot_is_free(
    full: TrmApp, bench: FakeWorkbench, config: Config
) -> None:
    async with browsing(full) as desk:
        await desk.press("R", "r")
        assert isinstance(full.screen, DashboardScreen)
        assert bench.run.asked == [f"replay {BASE}"]
        for _ in range(8):
            bench.start(config, preset="sudoku-6x6")
        await desk.press("s", "R", "r")
        await desk.said("all 9 slots are taken")
        assert isinstance(full.screen, SessionsScreen)


# --- comparing ----------------------------------------------------------------------------------------------


async def test_marked_sessions_are_compared(full: TrmApp) -> None:
    async with browsing(full) as desk:
        await desk.press("space", "space", "m")
        assert isinstance(full.screen, CompareScreen)
        await desk.until(lambda: "train.lr" in text_of(full))
        assert "baseline" in text_of(full)
        assert "lr 4e-3" in text_of(full)
        assert "0.004" in text_of(full)
        await desk.press("d", "s")
        assert isinstance(full.screen, CompareScreen), "the comparison stays while other screens are visited"
        await desk.press("escape")
        assert isinstance(full.screen, SessionsScreen)


async def test_every_key_of_the_comparison_works(full: TrmApp, tmp_path: Path) -> None:
    async with browsing(full, (140, 45)) as desk:
        await desk.press("space", "space", "m")
        await desk.until(lambda: "train.lr" in text_of(full))
        assert "baseline" in text_of(full)
        for key, words in (
            ("g", "Halting steps"),
            ("G", "Accuracy"),
            ("G", "Loss"),
            ("y", "log"),
            ("a", "samples"),
            ("u", "smoothed 0.9"),
            ("u", "smoothed 0.97"),
            ("u", "Loss"),
            ("left", "samples 3"),
            ("right", "samples 3"),
            ("up", "zoomed"),
            ("shift+left", "zoomed"),
            ("shift+right", "zoomed"),
            ("r", "Loss"),
        ):
            await desk.press(key)
            assert words in text_of(full), key
        await desk.press("tab", "down", "up", "pagedown", "pageup", "ctrl+s")
        await desk.typed(str(tmp_path / "compared.svg"))
        await desk.said("wrote")
        assert "baseline" in (tmp_path / "compared.svg").read_text()
        assert hasattr(full.screen, "action_back")


def test_every_action_of_the_comparison_exists() -> None:
    for name in action_names("compare"):
        assert hasattr(CompareScreen, f"action_{name}")


# --- other screens ------------------------------------------------------------------------------------------


async def test_the_sessions_marked_are_overlaid(full: TrmApp) -> None:
    async with browsing(full) as desk:
        await desk.press("space", "space", "o")
        assert isinstance(full.screen, DashboardScreen)
        await desk.until(lambda: full.overlays)
        assert [overlay.session for overlay in full.overlays] == [BASE, FAST]


async def test_shift_e_opens_the_configuration_in_the_editor(full: TrmApp) -> None:
    async with browsing(full) as desk:
        await desk.press("down", "E")
        await desk.until(lambda: isinstance(full.screen, ConfigScreen) and full.screen.draft)
        assert isinstance(full.screen, ConfigScreen)
        assert full.screen.draft
        assert full.screen.draft.origin.name == "lr 4e-3"


async def test_shift_w_watches_the_session_or_the_checkpoint(full: TrmApp) -> None:
    async with browsing(full) as desk:
        asked: list[tuple[str, int | None]] = []
        full.watch_session = lambda ref, *, checkpoint=None: asked.append((ref, checkpoint))  # type: ignore[method-assign]
        await desk.press("W", "tab")
        await desk.until(lambda: desk.screen.panes.checkpoints.chosen)
        await desk.press("down", "W")
        assert asked == [(BASE, None), (BASE, 250)]
