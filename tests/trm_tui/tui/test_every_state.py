"""Every state of a run under every key: none is dead without a word, and the footer offers what works."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.trm_tui.app_pilot import settle
from tests.trm_tui.fake_engine import FakeWorkbench
from tests.trm_tui.picture import colours_of, text_of
from tests.trm_tui.run_states import STATES, put
from trm_engine.config import Config
from trm_tui.tui.app import TrmApp
from trm_tui.tui.bindings import first_sign
from trm_tui.tui.common.footer import KeyFooter
from trm_tui.tui.common.screen import ModeScreen
from trm_tui.tui.keys import DEEDS, TABLE, keys_of, names
from trm_tui.workbench.possible import possible

WIDE = (220, 50)
LEAVES = {"app.quit", "app.interrupt", "app.suspend", "app.commands"}
"""Keys that leave the app, or open what takes long to open: tested elsewhere."""
WHOLE = ("running", "preparing", "empty")
"""States under every key: with curves, without, and without a run. The others differ in what drives a run."""


def seen(app: TrmApp, bench: FakeWorkbench) -> object:
    """Return all that a person could notice."""
    asked = [list(run.asked) for run in bench.runs.values()]
    focus = app.focused.id if app.focused else None
    said = [notification.message for notification in app._notifications]
    return text_of(app), colours_of(app), asked, focus, said, len(app.screen_stack), app.current_mode


async def quiet(pilot: Pilot[int], app: TrmApp) -> None:
    """Close dialogs, take toasts away, and go back to the dashboard."""
    while not isinstance(app.screen, ModeScreen):
        app.pop_screen()
        await pilot.pause()
    app.clear_notifications()
    app.frozen = False
    if app.current_mode != "dashboard":
        app.switch_mode("dashboard")
    await settle(pilot)


@pytest.mark.parametrize("state", STATES)
async def test_no_key_is_dead_without_a_word(
    bench: FakeWorkbench, config: Config, tmp_path: Path, state: str
) -> None:
    put(bench, state, config)
    app = TrmApp(bench, config_dir=tmp_path, opening=lambda _: None)
    dead = []
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        for key in (*keys_of("dashboard"), *keys_of("app")):
            if key.id in LEAVES or (state not in WHOLE and key.id not in {*DEEDS, "slot.1", "slot.2"}):
                continue
            put(bench, state, config)
            await quiet(pilot, app)
            before = seen(app, bench)
            await pilot.press(next(iter(names(key.keys))))
            await settle(pilot)
            if seen(app, bench) == before:
                dead.append(key.id)
    assert dead == []


@pytest.mark.parametrize("state", STATES)
async def test_the_footer_offers_what_works(
    bench: FakeWorkbench, config: Config, tmp_path: Path, state: str
) -> None:
    put(bench, state, config)
    app = TrmApp(bench, config_dir=tmp_path, opening=lambda _: None)
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, ModeScreen)
        shown = screen.query_one(KeyFooter).render().plain
        now = bench.snapshot()
        for key in TABLE:
            if key.footer and key.id in DEEDS:
                offer = screen.offer(key, now)
                works = not possible(DEEDS[key.id], now).refusal
                assert (f" {first_sign(key.keys)} {offer.label} " in f" {shown}") is works, key.id


@pytest.mark.parametrize("mode", ["dashboard", "config", "sessions", "watch", "hardware", "welcome"])
async def test_every_colour_follows_the_theme(
    bench: FakeWorkbench, config: Config, tmp_path: Path, mode: str
) -> None:
    """A screen that has changed its theme looks like one that began with it."""
    looks = []
    for themes in (["trm-light"], ["trm-light", "trm-dark", "trm-light"]):
        put(bench, "running", config)
        bench.warn("memory is short")
        app = TrmApp(bench, config_dir=tmp_path / str(len(themes)), opening=lambda _: None)
        async with app.run_test(size=(140, 45)) as pilot:
            await settle(pilot)
            app.set_theme(themes[0])
            app.switch_mode(mode)
            await pilot.pause(0.2)
            for theme in themes:
                app.set_theme(theme)
                await settle(pilot)
                await settle(pilot)
            app.clear_notifications()
            await settle(pilot)
            looks.append(colours_of(app))
    assert looks[0] == looks[1]
