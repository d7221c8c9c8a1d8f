"""The studies screen over sessions that are written down: matrix, findings, deeds."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import DataTable, OptionList, Static

from tests.trm_engine.studies.finished import finish
from tests.trm_tui.app_pilot import AppPilot, toasts
from tests.trm_tui.fake_engine import FakeWorkbench
from trm_engine.sessions import Store
from trm_engine.studies.catalogue import select
from trm_engine.studies.plan import build_plan
from trm_tui.tui.app import TrmApp
from trm_tui.tui.sessions.compare import CompareScreen
from trm_tui.tui.studies.screen import StudiesScreen


@pytest.fixture
def opened(bench: FakeWorkbench, tmp_path: Path) -> TrmApp:
    """The app over a store in which half of laptop/exp01 has ended, one trial of it badly."""
    app = TrmApp(bench, config_dir=tmp_path / "config")
    store = Store(app.store.root)
    for trial in build_plan(select("laptop/exp01")).trials[:9]:
        width = trial.config.model.hidden_size
        bad = trial.name == "exp01b-s1"
        finish(store, trial, 0.95 - 3 / width, status="diverged" if bad else "completed")
    return app


async def on_exp01(app: TrmApp, pilot: AppPilot) -> StudiesScreen:
    await pilot.press("S")
    screen = pilot.only(StudiesScreen)
    await pilot.until(lambda: screen.query_one("#matrix", DataTable).row_count)
    studies = screen.query_one("#studies", OptionList)
    studies.highlighted = studies.get_option_index("laptop/exp01")
    await pilot.until(lambda: screen._view is not None and screen._view.id == "laptop/exp01")
    return screen


async def test_the_matrix_shows_every_trial_and_what_the_tests_say(opened: TrmApp) -> None:
    async with opened.run_test(size=(120, 40)) as running:
        pilot = AppPilot(opened, running)
        screen = await on_exp01(opened, pilot)
        matrix = screen.query_one("#matrix", DataTable)
        assert (matrix.row_count, len(matrix.columns)) == (6, 4)
        cells = [str(cell) for cell in matrix.get_row_at(1)]
        assert cells[1:] == ["✓ 82.5%", "✗ diverged", "✓ 82.5%"]
        assert str(matrix.get_row_at(5)[1]) == "·"
        about = str(screen.query_one("#about", Static).render())
        assert "✓ 8 done" in about
        assert "✗ 1 diverged" in about
        assert "3 values are too few for a law" in str(screen.query_one("#found", Static).render())


async def test_a_trial_is_opened_and_what_cannot_be_stopped_is_said(opened: TrmApp) -> None:
    async with opened.run_test(size=(80, 24)) as running:
        pilot = AppPilot(opened, running)
        screen = await on_exp01(opened, pilot)
        await pilot.press("p")
        await pilot.until(lambda: "nothing of it is running" in toasts(opened))
        await pilot.press("enter", "right", "z")
        await pilot.until(lambda: "exp01a-s0 is not running" in toasts(opened))
        await pilot.press("R")
        await pilot.until(lambda: "there is nothing to retry" in toasts(opened))
        await pilot.press("enter")
        await pilot.until(lambda: isinstance(opened.screen, CompareScreen))
        await pilot.press("escape")
        await pilot.until(lambda: opened.screen is screen)


async def test_a_report_is_written_where_one_says(opened: TrmApp, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    async with opened.run_test(size=(80, 24)) as running:
        pilot = AppPilot(opened, running)
        screen = await on_exp01(opened, pilot)
        said = screen.desk.report("laptop/exp01", tmp_path / "report")
        assert (tmp_path / "report" / "report.html").exists()
        assert said.startswith("wrote ")
