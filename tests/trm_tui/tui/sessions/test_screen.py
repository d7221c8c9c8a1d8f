"""The session browser under the fingers: the table, its filter and the details, on a real store."""

from __future__ import annotations

from tests.trm_tui.app_pilot import notes_of_keys
from tests.trm_tui.picture import text_of
from tests.trm_tui.session_makers import NOW
from tests.trm_tui.sessions_pilot import BASE, BOOM, CUT, FAST, OLD, PLAIN, browsing
from trm_tui.tui.app import TrmApp
from trm_tui.tui.dashboard.screen import DashboardScreen
from trm_tui.tui.sessions.filter_bar import FILTER_HELP, FilterBar
from trm_tui.tui.sessions.panes import Pane
from trm_tui.tui.sessions.screen import SessionsScreen
from trm_tui.tui.sessions.table import SessionTable
from trm_tui.workbench.browser.filter import FIELDS, parse_filter

# --- the table ----------------------------------------------------------------------------------------------


async def test_it_lists_all_sessions_the_newest_first(full: TrmApp) -> None:
    async with browsing(full) as desk:
        assert desk.shown == [BASE, FAST, PLAIN, BOOM, CUT, OLD]
        text = text_of(full)
        for words in ("baseline", "97.2%", "✓ completed", "! interrupted", "✗ diverged", "1,500", "14:30"):
            assert words in text


async def test_every_key_of_the_table_reaches_its_action(full: TrmApp) -> None:
    async with browsing(full) as desk:
        noted, wanted = await notes_of_keys("sessions", desk.screen, desk.press)
        assert noted == wanted


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
        await desk.until(lambda: isinstance(full.screen, DashboardScreen))


async def test_marks_are_made_and_taken_away(full: TrmApp) -> None:
    async with browsing(full) as desk:
        await desk.press("space", "j", "space")
        assert desk.screen.listing.marked == (BASE, PLAIN)
        assert "2 marked" in text_of(full)
        await desk.press("a")
        assert len(desk.screen.listing.marked) == 6
        await desk.press("escape")
        assert desk.screen.listing.marked == ()


async def test_no_size_breaks_it(full: TrmApp) -> None:
    async with browsing(full) as desk:
        for size in ((1, 1), (20, 5), (45, 11), (30, 40), (200, 9)):
            await desk.pilot.resize_terminal(*size)
            await desk.pilot.press("home", "down", "tab", "tab", "escape")
            await desk.pilot.pause()
            assert desk.here == desk.shown[1]


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
        await desk.press("enter", "enter", "r", "m", "delete", "T", "E", "W", "F")
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


async def test_tab_opens_the_details_and_escape_leaves_them(full: TrmApp) -> None:
    async with browsing(full, (80, 24)) as desk:
        await desk.press("tab")
        await desk.until(lambda: "★ best" in text_of(full))
        assert not desk.screen.table.display
        for pane, keys in (("facts", ["shift+tab"]), ("timeline", ["tab", "tab"])):
            await desk.press(*keys, "down", "up", "end", "pageup", "home")
            assert isinstance(desk.screen.focused, Pane)
            assert desk.screen.focused.id == pane
        await desk.press("escape")
        assert desk.screen.table.display
        assert desk.screen.table.has_focus


# --- verification -------------------------------------------------------------------------------------------


async def test_checkpoints_are_verified_on_request_only(full: TrmApp) -> None:
    async with browsing(full, (140, 45)) as desk:
        await desk.until(lambda: desk.screen.panes.checkpoints.chosen)
        assert "verified" not in text_of(full)
        assert not desk.screen.panes.checkpoints.chosen.verified
        await desk.press("V")
        await desk.said("verified: every byte is as it was saved")
        await desk.until(lambda: desk.screen.panes.checkpoints.chosen.verified)


async def test_a_verification_names_the_damaged_step(full: TrmApp) -> None:
    weights = full.store.root / BASE / "checkpoints" / "000000250" / "weights.safetensors"
    data = weights.read_bytes()
    weights.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    async with browsing(full, (140, 45)) as desk:
        await desk.until(lambda: desk.screen.panes.checkpoints.chosen)
        await desk.press("V")
        await desk.said("damaged: the checkpoint of step 250")
