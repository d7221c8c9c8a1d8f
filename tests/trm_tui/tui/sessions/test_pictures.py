"""The session browser and the comparison as they look, at two sizes, dark and light, and small."""

from __future__ import annotations

from textual.pilot import Pilot

from tests.trm_tui.app_pilot import until
from tests.trm_tui.picture import assert_looks_as_before, text_of
from trm_tui.tui.app import TrmApp
from trm_tui.tui.sessions.screen import SessionsScreen

THEMES = ["trm-dark", "trm-light"]


async def ready(pilot: Pilot[int], theme: str, *words: str) -> None:
    """Wait until the screen says all of this, in the colours asked for."""
    app = pilot.app
    assert isinstance(app, TrmApp)
    app.set_theme(theme)
    await until(pilot, lambda: all(word in text_of(app) for word in words))
    app.tick()
    await pilot.pause()


async def test_browser_and_comparison(full: TrmApp) -> None:
    async with full.run_test(size=(140, 45)) as pilot:
        await until(pilot, lambda: isinstance(full.screen, SessionsScreen))
        await ready(pilot, "trm-dark", "lr 4e-3")
        await pilot.press("down", "space", "home")
        for theme in THEMES:
            await ready(pilot, theme, "★ best", "train.lr 0.002 → 0.001", "1 marked")
            assert_looks_as_before(full, f"sessions-140x45-{theme}")
        await pilot.press("space", "m")
        for theme in THEMES:
            await ready(pilot, theme, "0.004", "Accuracy ━")
            assert_looks_as_before(full, f"compare-140x45-{theme}")


async def test_browser_and_comparison_on_a_small_terminal(full: TrmApp) -> None:
    async with full.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(full.screen, SessionsScreen))
        await ready(pilot, "trm-dark", "lr 4e-3")
        await pilot.press("slash", *"sweep", "enter", "space", "right")
        for theme in THEMES:
            await ready(pilot, theme, "2 of 6 · 1 marked")
            assert_looks_as_before(full, f"sessions-80x24-{theme}")
        await pilot.press("space", "m")
        await ready(pilot, "trm-dark", "Accuracy ━", "too hot")
        assert_looks_as_before(full, "compare-80x24", colours=False)
        await pilot.press("escape", "escape", "home", "tab")
        for theme in THEMES:
            await ready(pilot, theme, "★ best", "train.lr 0.002 → 0.001")
            assert_looks_as_before(full, f"session-details-80x24-{theme}")
        await pilot.press("escape", "ctrl+s")
        await ready(pilot, "trm-dark", "curves of loss")
        assert_looks_as_before(full, "session-export-80x24", colours=False)


async def test_small_and_odd_sizes(full: TrmApp) -> None:
    async with full.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(full.screen, SessionsScreen))
        for width, height in ((20, 5), (46, 12), (60, 40), (110, 30)):
            await pilot.resize_terminal(width, height)
            await ready(pilot, "trm-dark", "baseline")
            assert_looks_as_before(full, f"sessions-{width}x{height}", colours=False)
