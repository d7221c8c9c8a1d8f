"""The session browser under the fingers: every key of it, on a fake engine and a real store."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import pytest
from fake_engine import FakeWorkbench
from picture import text_of
from session_makers import CONFIG, NOW, make_some, stop_the_clock, toasts, until
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from engine.config import Config, loads
from engine.runs import Store
from trm_tui.tui.app import TrmApp
from trm_tui.tui.browser.bar import FilterBar
from trm_tui.tui.browser.filter import FIELDS, parse_filter
from trm_tui.tui.browser.filter_help import FILTER_HELP
from trm_tui.tui.browser.panes import CheckpointList, Pane
from trm_tui.tui.browser.table import SessionTable
from trm_tui.tui.keys import keys_of, names
from trm_tui.tui.screens.compare import CompareScreen
from trm_tui.tui.screens.config import ConfigScreen
from trm_tui.tui.screens.dashboard import DashboardScreen
from trm_tui.tui.screens.dialogs import Ask, Choice
from trm_tui.tui.screens.sessions import SessionsScreen
from trm_tui.tui.screens.write import Write

BASE, FAST, PLAIN, BOOM, CUT, OLD = (
    "20260320-143000-sudoku-6x6-base",
    "20260320-090000-sudoku-6x6-fast",
    "20260319-200000-sudoku-6x6-q7x2",
    "20260318-120000-sudoku-6x6-boom",
    "20260201-120000-sudoku-6x6-cut0",
    "20250101-120000-sudoku-4x4-oldx",
)
HOSTILE = "\x1b[2J\u202eevil [bold]x[/] [/] \x9b31m"


@dataclass
class Desk:
    """The browser under test."""

    app: TrmApp
    pilot: Pilot[int]

    @property
    def screen(self) -> SessionsScreen:
        (found,) = (screen for screen in self.app.screen_stack if isinstance(screen, SessionsScreen))
        return found

    @property
    def shown(self) -> list[str]:
        return [row.id for row in self.screen.listing.shown]

    @property
    def here(self) -> str:
        assert self.screen.row is not None
        return self.screen.row.id

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], object]) -> None:
        await until(self.pilot, condition)

    async def typed(self, text: str) -> None:
        """Replace what stands in the field of the dialog, and accept it."""
        await self.until(lambda: isinstance(self.app.screen, Ask))
        self.app.screen.query_one(Input).value = text
        await self.press("enter")

    async def said(self, words: str) -> None:
        await self.until(lambda: words in toasts(self.app))


@asynccontextmanager
async def browsing(app: TrmApp, size: tuple[int, int] = (100, 30)) -> AsyncIterator[Desk]:
    """Open the browser and wait until the sessions are listed."""
    async with app.run_test(size=size) as pilot:
        desk = Desk(app, pilot)
        await desk.until(lambda: isinstance(app.screen, SessionsScreen))
        await desk.until(lambda: desk.screen.listing.rows)
        yield desk


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with six sessions, to be copied."""
    root = tmp_path_factory.mktemp("six")
    with pytest.MonkeyPatch.context() as patch:
        stop_the_clock(patch)
        make_some(Store(root), loads(CONFIG, "the test"))
    return root


@pytest.fixture
def full(app: TrmApp, bench: FakeWorkbench, six: Path, monkeypatch: pytest.MonkeyPatch) -> TrmApp:
    """The app on six sessions."""
    stop_the_clock(monkeypatch)
    copytree(six, bench.store.root)
    return app


# --- the table ----------------------------------------------------------------------------------------------


async def test_it_lists_all_sessions_the_newest_first(full: TrmApp) -> None:
    async with browsing(full) as desk:
        assert desk.shown == [BASE, FAST, PLAIN, BOOM, CUT, OLD]
        text = text_of(full)
        for words in ("baseline", "97.2%", "✓ completed", "! interrupted", "✗ diverged", "1,500", "14:30"):
            assert words in text


async def test_every_key_of_the_table_reaches_its_action(full: TrmApp) -> None:
    async with browsing(full) as desk:
        noted: list[str] = []
        for key in keys_of("sessions"):
            name = key.action.partition("(")[0]
            assert hasattr(desk.screen, f"action_{name}")
            setattr(desk.screen, f"action_{name}", _noting(noted, name))
        wanted = []
        for key in keys_of("sessions"):
            for pressed in names(key.keys):
                await desk.press(pressed)
                wanted.append(key.action if key.action.endswith(")") else f"{key.action}()")
        assert noted == wanted


def _noting(noted: list[str], name: str) -> Callable[..., None]:
    return lambda *arguments: noted.append(f"{name}({', '.join(map(repr, arguments))})")


async def test_keys_move_the_cursor(full: TrmApp) -> None:
    async with browsing(full) as desk:
        places = []
        for key in ("down", "j", "up", "k", "end", "G", "home", "g", "pagedown", "pageup"):
            await desk.press(key)
            places.append(desk.here)
        assert places == [FAST, PLAIN, FAST, BASE, OLD, OLD, BASE, BASE, OLD, BASE]


async def test_arrows_sort_by_other_columns_and_i_turns_round(full: TrmApp) -> None:
    async with browsing(full) as desk:
        await desk.press("i")
        assert desk.shown[0] == OLD
        assert desk.here == BASE, "the cursor stays on its session"
        for _ in range(4):
            await desk.press("left")
        assert desk.screen.listing.order.key == "exact"
        assert desk.shown[:3] == [BASE, FAST, CUT]
        await desk.press("right")
        assert desk.screen.listing.order.key == "params"


async def test_the_mouse_sorts_chooses_and_opens(full: TrmApp) -> None:
    async with browsing(full) as desk:
        await desk.pilot.click(SessionTable, offset=(4, 0))
        await desk.pilot.pause()
        assert desk.screen.listing.order.key == "name"
        await desk.pilot.click(SessionTable, offset=(4, 3))
        await desk.pilot.pause()
        assert desk.here == desk.shown[2]
        await desk.pilot.click(SessionTable, offset=(4, 3), times=2)
        await desk.pilot.pause()
        assert desk.screen.has_class("-opened")


# --- the filter ---------------------------------------------------------------------------------------------


async def test_the_filter_narrows_while_it_is_typed(full: TrmApp) -> None:
    async with browsing(full) as desk:
        await desk.press("slash", *"sweep")
        await desk.until(lambda: desk.shown == [FAST, BOOM])
        assert "2 of 6" in text_of(full)
        await desk.press("down")
        assert desk.here == BOOM, "the cursor moves while the field has the focus"
        await desk.press("enter", "space")
        assert desk.screen.listing.marked == (BOOM,)
        await desk.press("escape")
        assert len(desk.shown) == 6, "esc clears the filter"


async def test_what_is_wrong_with_a_filter_is_said_in_place(full: TrmApp) -> None:
    async with browsing(full, (120, 30)) as desk:
        bar = desk.screen.query_one(FilterBar)
        bar.field.value = "tag:sweep exakt>0.9"
        await desk.until(lambda: 'Did you mean "exact"' in text_of(full))
        assert desk.shown == [FAST, BOOM], "the other terms hold"
        bar.field.value = "tag:sweep exact>0.9"
        await desk.until(lambda: desk.shown == [FAST])
        assert "Did you mean" not in text_of(full)


async def test_the_filter_language_is_explained(full: TrmApp) -> None:
    async with browsing(full) as desk:
        await desk.press("f3")
        text = text_of(full)
        assert all(name in text for name in FIELDS)
        await desk.press("escape")
        assert isinstance(full.screen, SessionsScreen)


def test_every_example_of_the_explanation_is_a_filter() -> None:
    examples = [example for example, _ in FILTER_HELP]
    assert len(examples) >= 8
    for example in examples:
        parse_filter(example, NOW)


async def test_a_filter_that_nothing_fits_says_so(full: TrmApp) -> None:
    async with browsing(full) as desk:
        desk.screen.query_one(FilterBar).field.value = "nothing like it"
        await desk.until(lambda: "no session fits the filter" in text_of(full))
        await desk.press("enter", "r", "m", "delete", "T", "E", "W")
        assert isinstance(full.screen, SessionsScreen), "no key does anything to nothing"


# --- details ------------------------------------------------------------------------------------------------


async def test_a_tall_screen_shows_the_details_of_the_session_under_the_cursor(full: TrmApp) -> None:
    async with browsing(full, (140, 45)) as desk:
        await desk.until(lambda: "97.2% at step 500" in text_of(full))
        await desk.until(lambda: "★ best" in text_of(full))
        assert "train.lr 0.002 → 0.001" in text_of(full)
        await desk.press("down")
        await desk.until(lambda: "91.3% of 500 puzzles" in text_of(full))
        await desk.until(lambda: "no checkpoint yet" in text_of(full))


async def test_enter_opens_the_details_and_escape_leaves_them(full: TrmApp) -> None:
    async with browsing(full, (80, 24)) as desk:
        await desk.press("enter")
        await desk.until(lambda: "★ best" in text_of(full))
        assert not desk.screen.table.display
        for pane, keys in (("facts", ["shift+tab"]), ("timeline", ["tab", "tab"])):
            await desk.press(*keys, "down", "up", "end", "pageup", "home")
            assert isinstance(desk.screen.focused, Pane)
            assert desk.screen.focused.id == pane
        await desk.press("escape")
        assert desk.screen.table.display
        assert desk.screen.table.has_focus


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
        assert isinstance(full.screen, Ask), "that is no number of steps"
        await desk.typed("250")
        assert bench.run.asked == [f"resume {BASE} None ['train.steps=750', 'eval.target_accuracy=0']"]


async def test_enter_on_an_earlier_checkpoint_asks_and_goes_on_from_it(
    full: TrmApp, bench: FakeWorkbench
) -> None:
    async with browsing(full) as desk:
        await desk.press("enter")
        await desk.until(lambda: desk.screen.panes.checkpoints.chosen)
        await desk.press("down", "enter")
        assert isinstance(full.screen, Choice)
        await desk.press("k")
        assert not bench.runs
        await desk.press("enter", "y")
        assert bench.run.asked == [f"resume {BASE} 250 []"]


async def test_shift_r_replays_while_a_slot_is_free(
    full: TrmApp, bench: FakeWorkbench, config: Config
) -> None:
    async with browsing(full) as desk:
        await desk.press("R")
        assert isinstance(full.screen, DashboardScreen)
        assert bench.run.asked == [f"replay {BASE}"]
        for _ in range(8):
            bench.start(config, preset="sudoku-6x6")
        await desk.press("s", "R")
        await desk.said("all 9 slots are taken")
        assert isinstance(full.screen, SessionsScreen)


# --- other screens ------------------------------------------------------------------------------------------


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
        await desk.press("W", "enter")
        await desk.until(lambda: desk.screen.panes.checkpoints.chosen)
        await desk.press("down", "W")
        assert asked == [(BASE, None), (BASE, 250)]


# --- words and marks ----------------------------------------------------------------------------------------


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


async def test_marks_are_made_and_taken_away(full: TrmApp) -> None:
    async with browsing(full) as desk:
        await desk.press("space", "j", "space")
        assert desk.screen.listing.marked == (BASE, PLAIN)
        assert "2 marked" in text_of(full)
        await desk.press("a")
        assert len(desk.screen.listing.marked) == 6
        await desk.press("escape")
        assert desk.screen.listing.marked == ()


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
        for key in ("r", "delete", "T", "m", "W", "E", "ctrl+s", "R", "o", "N", "f2"):
            await desk.press(key)
        assert isinstance(full.screen, SessionsScreen)
        assert "takes a session back" in toasts(full)
        await desk.press("enter")
        await desk.until(lambda: "the trash is empty" in text_of(full))
        await desk.press("Z")
        await desk.until(lambda: len(desk.shown) == 6)


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


# --- change, and what is foreign ----------------------------------------------------------------------------


async def test_what_another_process_changes_comes_to_be_seen(full: TrmApp, bench: FakeWorkbench) -> None:
    async with browsing(full) as desk:
        await desk.press("down")
        bench.store.rename(FAST, "renamed elsewhere")
        bench.store.delete(BASE)
        desk.screen.read_again()
        await desk.until(lambda: "renamed elsewhere" in text_of(full))
        assert desk.here == FAST


async def test_an_empty_store_says_what_to_do(app: TrmApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: not isinstance(app.screen, SessionsScreen))
        await pilot.press("s")
        await until(pilot, lambda: "no sessions yet: n trains a preset" in text_of(app))


async def test_hostile_text_is_shown_harmless(full: TrmApp, bench: FakeWorkbench) -> None:
    record = bench.store.root / BASE / "session.json"
    values = json.loads(record.read_text())
    values.update(name=HOSTILE, note=HOSTILE, preset=HOSTILE, tags=[HOSTILE], facts={HOSTILE: HOSTILE})
    record.write_text(json.dumps(values))
    shown: list[str] = []
    async with browsing(full, (140, 45)) as desk:
        await desk.until(lambda: "evil [bold]x[/] [/]" in text_of(full))
        for keys in (
            ["m"],
            ["escape", "f2"],
            ["escape", "T"],
            ["escape", "N"],
            ["escape", "ctrl+s"],
            ["escape"],
        ):
            await desk.press(*keys)
            await desk.pilot.pause()
            shown.append(text_of(full))
    assert not any(sign in text for text in shown for sign in "\x1b\u202e\x9b")
    assert any("[bold]x[/]" in text for text in shown)


async def test_a_record_that_cannot_be_read_is_listed_as_damaged(full: TrmApp, bench: FakeWorkbench) -> None:
    (bench.store.root / BASE / "session.json").write_text("{")
    async with browsing(full, (140, 45)) as desk:
        assert "? damaged" in text_of(full)
        await desk.press("home", "r")
        assert isinstance(full.screen, (SessionsScreen, DashboardScreen))


async def test_no_size_breaks_it(full: TrmApp) -> None:
    async with browsing(full) as desk:
        for size in ((1, 1), (20, 5), (45, 11), (30, 40), (200, 9)):
            await desk.pilot.resize_terminal(*size)
            await desk.pilot.press("home", "down", "enter", "tab", "escape")
            await desk.pilot.pause()
            assert desk.here == desk.shown[1]


# --- comparing ----------------------------------------------------------------------------------------------


async def test_every_key_of_the_comparison_works(full: TrmApp, tmp_path: Path) -> None:
    async with browsing(full, (140, 45)) as desk:
        await desk.press("space", "space", "m")
        await desk.until(lambda: "train.lr" in text_of(full))
        assert "Accuracy ━ baseline" in text_of(full)
        for key, words in (
            ("g", "Halting steps"),
            ("G", "Accuracy"),
            ("G", "Loss"),
            ("y", "log"),
            ("a", "samples"),
            ("u", "smoothed 0.9"),
            ("u", "smoothed 0.97"),
            ("u", "train ·"),
            ("left", "at samples"),
            ("right", "at samples"),
            ("up", "zoomed"),
            ("shift+left", "zoomed"),
            ("shift+right", "zoomed"),
            ("r", "train ·"),
        ):
            await desk.press(key)
            assert words in text_of(full), key
        await desk.press("tab", "down", "up", "pagedown", "pageup", "ctrl+s")
        await desk.typed(str(tmp_path / "compared.svg"))
        await desk.said("wrote")
        assert "baseline" in (tmp_path / "compared.svg").read_text()
        assert hasattr(full.screen, "action_back")


def test_every_action_of_the_comparison_exists() -> None:
    for key in keys_of("compare"):
        assert hasattr(CompareScreen, f"action_{key.action.partition('(')[0]}")


async def test_checkpoints_can_be_clicked(full: TrmApp, bench: FakeWorkbench) -> None:
    async with browsing(full, (140, 45)) as desk:
        await desk.press("end", "up")
        await desk.until(lambda: desk.screen.panes.checkpoints.chosen)
        await desk.pilot.click(CheckpointList, offset=(4, 1), times=2)
        await desk.until(lambda: bench.runs)
        assert bench.run.asked == [f"resume {CUT} None []"]
