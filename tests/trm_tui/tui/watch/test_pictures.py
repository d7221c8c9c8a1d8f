"""How the watch screen looks, compared with pictures."""

from __future__ import annotations

import pytest

from tests.trm_tui.fake_model_host import NINE, FakeStudio
from tests.trm_tui.picture import assert_looks_as_before
from tests.trm_tui.session_makers import NOW
from tests.trm_tui.watch_pilot import watching
from trm_tui.tui.app import TrmApp
from trm_tui.workbench.browser import clock


@pytest.fixture(autouse=True)
def at_a_fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The header says when a run ends."""
    monkeypatch.setattr(clock, "local_now", lambda: NOW)


async def test_how_it_looks(stage: TrmApp) -> None:
    async with watching(stage, (140, 45)) as seat:
        await seat.press("right", "right", "right", "right")
        for theme in ("trm-dark", "trm-light"):
            stage.set_theme(theme)
            await seat.pilot.pause()
            assert_looks_as_before(stage, f"watch-140x45-{theme}")
        await seat.pilot.resize_terminal(80, 24)
        for theme in ("trm-dark", "trm-light"):
            stage.set_theme(theme)
            await seat.pilot.pause()
            assert_looks_as_before(stage, f"watch-80x24-{theme}")


async def test_a_nine_by_nine_grid_at_every_size(stage: TrmApp, monkeypatch: pytest.MonkeyPatch) -> None:
    async with watching(stage, (140, 45)) as seat:
        studio = seat.screen._studio
        assert isinstance(studio, FakeStudio)
        studio.task = NINE
        stage.watch_session("nine")
        await seat.until(lambda: seat.screen.shown.film and seat.screen.shown.film.box == (3, 3))
        await seat.press("home", "right", "right", "right", "right")
        for width, height in ((140, 45), (80, 24), (46, 12), (20, 5)):
            await seat.pilot.resize_terminal(width, height)
            await seat.pilot.pause()
            assert_looks_as_before(stage, f"watch-nine-{width}x{height}", colours=False)
        for size in ((1, 1), (300, 8), (2, 50), (200, 60)):
            await seat.pilot.resize_terminal(*size)
            await seat.press("right", "y")
