"""The watch screen under the fingers: every key of it, with films that need no model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.timer import Timer
from textual.widgets import Input, TextArea

from tests.trm_tui.app_pilot import notes_of_keys, toasts
from tests.trm_tui.fake_engine import FakeWorkbench, started
from tests.trm_tui.fake_model_host import PUZZLES_FOUR, FakeStudio
from tests.trm_tui.picture import text_of
from tests.trm_tui.session_makers import make_some, stop_the_clock
from tests.trm_tui.watch_pilot import opening, watching
from trm_engine.config import Config
from trm_tui.tui.app import TrmApp
from trm_tui.tui.common.multiline_input import Write
from trm_tui.tui.presets.screen import WelcomeScreen
from trm_tui.tui.watch.screen import WatchScreen
from trm_tui.tui.watch.session_dialog import PickModel
from trm_tui.workbench.workbench import Look


def live(bench: FakeWorkbench, config: Config) -> Callable[[int], None]:
    """Give the workbench a run that can be looked at; what is returned answers the last request."""
    bench.start(config, preset="sudoku-6x6")
    asked: list[Callable[[Look], None]] = []

    def look(receive: Callable[[Look], None]) -> bool:
        asked.append(receive)
        return True

    bench.look = look  # type: ignore[method-assign]
    return lambda step: asked.pop()(Look("20260320-120000-live", step, config, {}))


# --- playing ------------------------------------------------------------------------------------------------


async def test_every_key_of_the_table_reaches_its_action(stage: TrmApp) -> None:
    async with watching(stage) as seat:
        noted, wanted = await notes_of_keys("watch", seat.screen, seat.press)
        assert noted == wanted


async def test_the_newest_session_is_watched_first(stage: TrmApp) -> None:
    async with watching(stage) as seat:
        assert FakeStudio.made.loaded == [("latest", None)]
        assert "baseline, step 500 · puzzle 1 of 4" in text_of(stage)
        assert "the puzzle" in text_of(stage)
        assert seat.at == 0


async def test_arrows_step_through_the_film(stage: TrmApp) -> None:
    async with watching(stage) as seat:
        places = []
        for key in ("right", "right", "left", "end", "right", "home", "left"):
            await seat.press(key)
            places.append(seat.at)
        assert places == [1, 2, 1, 8, 8, 0, 0]
        await seat.press("end")
        assert "step 8 of 8" in text_of(stage)
        assert "✓ every row" in text_of(stage)


async def test_space_plays_to_the_end_and_from_the_beginning_again(stage: TrmApp) -> None:
    async with watching(stage) as seat:
        screen = seat.screen
        screen.set_timer = no_timer  # frames come when the test says so, however slow the machine is
        await seat.press("comma", "space")
        assert "▶ 0.5/s" in text_of(stage)
        await seat.press(*["full_stop"] * 6)
        assert screen.shown.playback.speed == 16
        for frame in range(1, 9):
            assert seat.at == frame - 1
            screen._tick()
        assert seat.at == 8
        assert not screen.shown.playback.playing
        await seat.press("space")
        assert seat.at == 0
        assert screen.shown.playback.playing
        await seat.press("space", "comma")
        assert not screen.shown.playback.playing
        assert screen.shown.playback.speed == 8


def no_timer(delay: float, callback: object) -> Timer | None:
    return None


async def test_a_film_waits_while_another_screen_is_seen(stage: TrmApp) -> None:
    async with watching(stage) as seat:
        await seat.press(*["full_stop"] * 6, "space", "h")
        before = seat.screen.shown.playback if isinstance(stage.screen, WatchScreen) else None
        assert before is None
        (kept,) = (s for stack in stage._screen_stacks.values() for s in stack if isinstance(s, WatchScreen))
        place = kept.shown.playback.at
        kept._tick()
        assert kept.shown.playback.at == place


async def test_confidence_takes_the_place_of_the_symbols(stage: TrmApp) -> None:
    async with watching(stage, (100, 24)) as seat:
        await seat.press("right", "y")
        assert "56" in text_of(stage)
        await seat.press("y", "shift+down", "shift+up", "pagedown", "pageup")
        assert seat.at == 1


# --- puzzles ------------------------------------------------------------------------------------------------


async def test_up_and_down_go_through_the_held_out_puzzles(stage: TrmApp) -> None:
    async with watching(stage) as seat:
        for key, number in (("down", 1), ("j", 2), ("up", 1), ("k", 0), ("up", 3), ("down", 0)):
            await seat.press(key)
            await seat.film(PUZZLES_FOUR[number])
        assert seat.screen.shown.playback.playing, "another puzzle plays at once"


async def test_only_failures_are_shown_when_asked_for(stage: TrmApp) -> None:
    async with watching(stage) as seat:
        await seat.press("o")
        await seat.film(PUZZLES_FOUR[2])
        await seat.until(lambda: "puzzle 3 of 4 · failures only" in text_of(stage))
        await seat.press("end")
        assert "✗" in text_of(stage)
        await seat.press("o", "down")
        await seat.film(PUZZLES_FOUR[3])


async def test_a_model_without_failures_says_so(stage: TrmApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeStudio, "next_failure", lambda *_: None)
    async with watching(stage) as seat:
        await seat.press("o")
        await seat.until(lambda: "solves all 4 puzzles" in toasts(stage))
        assert not seat.screen.shown.only_failures


async def test_a_puzzle_is_looked_at_once_or_again(stage: TrmApp) -> None:
    async with opening(stage) as seat:
        await seat.film(PUZZLES_FOUR[0])
        for _ in range(3):
            before = len(FakeStudio.made.views)
            await seat.press("a")
            await seat.until(lambda count=before: len(FakeStudio.made.views) > count)
        assert FakeStudio.made.views[-4:] == [16, 64, 1, 16]


async def test_a_puzzle_can_be_typed_and_pasted(stage: TrmApp) -> None:
    async with watching(stage) as seat:
        await seat.press("i")
        assert isinstance(stage.screen, Write)
        area = stage.screen.query_one(TextArea)
        assert area.text == PUZZLES_FOUR[0], "the one on screen is there to be changed"
        area.text = "1 2 3 4\n. . . ."
        await seat.press("ctrl+s")
        await seat.until(lambda: "8 cells" in toasts(stage))
        await seat.until(lambda: isinstance(stage.screen, Write))
        stage.screen.query_one(
            TextArea
        ).text = "+-----+-----+\n| 1 2 | . . |\n| 3 . | . . |\n| . . | . . |\n| . . | . . |"
        await seat.press("ctrl+s")
        await seat.film("12..3...........")
        assert "a puzzle of your own" in text_of(stage)
        await seat.press("space", "escape")
        await seat.film(PUZZLES_FOUR[0])


# --- models -------------------------------------------------------------------------------------------------


async def test_a_run_that_trains_is_watched_live(stage: TrmApp, bench: FakeWorkbench, config: Config) -> None:
    answer = live(bench, config)
    async with opening(stage) as seat:
        await seat.until(lambda: "waiting for the run's weights" in text_of(stage))
        answer(1240)
        await seat.film(PUZZLES_FOUR[0])
        assert FakeStudio.made.loaded == [("20260320-120000-live", "live 1240")]
        assert "sudoku-6x6, step 1,240 (live)" in text_of(stage)
        await seat.press("l")
        answer(1300)
        await seat.until(lambda: "step 1,300 (live)" in text_of(stage))


async def test_a_run_that_ends_before_it_gives_its_weights_is_watched_from_its_session(
    stage: TrmApp, bench: FakeWorkbench, config: Config
) -> None:
    live(bench, config)
    bench.run.recorder(started("20260320-120000-live", config))
    async with opening(stage) as seat:
        await seat.until(lambda: "waiting for the run's weights" in text_of(stage))
        bench.run.recorder.become("completed")
        bench.look = lambda receive: False  # type: ignore[method-assign]
        stage.refresh_now()
        await seat.film(PUZZLES_FOUR[0])
        assert FakeStudio.made.loaded == [("20260320-120000-live", None)]


async def test_another_run_is_asked_where_the_first_gave_nothing(
    stage: TrmApp, bench: FakeWorkbench, config: Config
) -> None:
    answer = live(bench, config)
    bench.run.recorder(started("20260320-110000-first", config))
    async with opening(stage) as seat:
        await seat.until(lambda: "waiting for the run's weights" in text_of(stage))
        bench.start(config, preset="sudoku-6x6")
        bench.run.recorder(started("20260320-120000-live", config))
        stage.refresh_now()
        await seat.until(lambda: seat.screen._awaited == "20260320-120000-live")
        answer(300)
        await seat.until(lambda: "step 300 (live)" in text_of(stage))


async def test_a_live_run_is_looked_at_again_when_its_film_is_over(
    stage: TrmApp, bench: FakeWorkbench, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WatchScreen, "again_after_seconds", 0.01)
    answer = live(bench, config)
    async with opening(stage) as seat:
        await seat.until(lambda: "waiting" in text_of(stage))
        answer(100)
        await seat.film(PUZZLES_FOUR[0])
        await seat.press(*["full_stop"] * 6)
        await seat.press("space") if not seat.screen.shown.playback.playing else None
        await seat.until(lambda: _answered(answer, 200))
        await seat.until(lambda: "step 200 (live)" in text_of(stage))


def _answered(answer: Callable[[int], None], step: int) -> bool:
    try:
        answer(step)
    except IndexError:
        return False
    return True


async def test_without_a_run_live_says_what_to_do(stage: TrmApp) -> None:
    async with watching(stage) as seat:
        await seat.press("l")
        assert "No run has weights to watch" in toasts(stage)


async def test_the_best_checkpoint_and_others_of_the_session(
    stage: TrmApp, bench: FakeWorkbench, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_the_clock(monkeypatch)
    make_some(bench.store, config)
    base = "20260320-143000-sudoku-6x6-base"
    async with watching(stage) as seat:
        stage.watch_session(base, checkpoint=250)
        await seat.until(lambda: (base, "250") in FakeStudio.made.loaded)
        await seat.press("right", "right", "b")
        await seat.until(lambda: (base, "best") in FakeStudio.made.loaded)
        for key, step in (("shift+left", "250"), ("shift+right", "500")):
            await seat.press(key)
            await seat.until(lambda step=step: (base, step) == FakeStudio.made.loaded[-1])
            await seat.until(lambda: seat.screen.shown.playback.last == 8)
        await seat.press("shift+right")
        await seat.until(lambda: "no later checkpoint" in toasts(stage))
        await seat.press("shift+left")
        await seat.until(lambda: FakeStudio.made.loaded[-1] == (base, "250"))
        await seat.until(lambda: "step 250" in text_of(stage))
        await seat.press("shift+left")
        await seat.until(lambda: "no earlier checkpoint" in toasts(stage))


async def test_a_model_is_picked_from_the_sessions(
    stage: TrmApp, bench: FakeWorkbench, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_the_clock(monkeypatch)
    make_some(bench.store, config)
    answer = live(bench, config)
    bench.run.recorder.become("running")
    async with opening(stage) as seat:
        await seat.until(lambda: "waiting" in text_of(stage))
        answer(1)
        await seat.film(PUZZLES_FOUR[0])
        await seat.press("p")
        assert isinstance(stage.screen, PickModel)
        await seat.until(lambda: "baseline" in text_of(stage))
        await seat.press("enter")
        answer(2)
        await seat.until(lambda: FakeStudio.made.loaded[-1] == ("20260320-120000-live", "live 2"))
        await seat.press("p")
        await seat.until(lambda: "baseline" in text_of(stage))
        stage.screen.query_one(Input).value = "tag:sweep"
        await seat.until(lambda: "baseline" not in text_of(stage))
        await seat.press("down", "pagedown", "up", "pageup", "down", "enter")
        await seat.until(lambda: FakeStudio.made.loaded[-1] == ("20260318-120000-sudoku-6x6-boom", None))


async def test_a_session_that_cannot_be_read_leaves_what_is_on_screen(stage: TrmApp) -> None:
    async with watching(stage) as seat:
        stage.watch_session("gone")
        await seat.until(lambda: "there is no session gone" in toasts(stage))
        assert "baseline" in text_of(stage)
        stage.watch_session("old")
        await seat.until(lambda: "an older checkpoint was damaged" in toasts(stage))


async def test_without_any_session_it_says_what_to_do(stage: TrmApp, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = FakeStudio.load_session
    monkeypatch.setattr(FakeStudio, "load_session", lambda self, _ref, step: genuine(self, "gone", step))
    async with opening(stage) as seat:
        await seat.until(lambda: "No model to watch yet" in text_of(stage))
        await seat.press("space", "right", "down", "o", "y", "b", "shift+left", "i", "home")
        assert isinstance(stage.screen, WatchScreen)


async def test_escape_holds_the_film_then_leaves(stage: TrmApp) -> None:
    async with watching(stage) as seat:
        await seat.press("space", "escape")
        assert not seat.screen.shown.playback.playing
        await seat.press("escape")
        assert isinstance(stage.screen, WelcomeScreen), "no run is open"


async def test_what_takes_time_says_how_far_it_is(stage: TrmApp) -> None:
    async with watching(stage) as seat:
        seat.screen.post_message(WatchScreen.Progressed("generating puzzles", 1200, 20_000))
        await seat.until(lambda: "generating puzzles: 1,200 of 20,000" in text_of(stage))
