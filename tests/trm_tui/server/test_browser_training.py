"""The page's form for own puzzles: what is refused, a run that is watched, stopped, resumed and served."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.program import TINY, told
from tests.trm_tui.server.browser import Watched, expect, solve
from tests.trm_tui.server.conftest import Served, running
from tests.trm_tui.server.test_finetune_api import puzzles
from trm_engine.sessions import Store


@pytest.fixture
def school(tmp_path: Path):
    """A server that may train, with one session to begin from."""
    (tmp_path / "tiny.toml").write_text(TINY)
    told(tmp_path, "sessions", "run", "tiny.toml", "--name", "parent")
    with running(Store(tmp_path / "sessions"), None, allow_training=True) as served:
        yield served


def test_a_model_is_taught_and_served(browser, school: Served) -> None:
    watched = Watched(browser, school)
    page = watched.page
    page.click("#tab-training")
    page.fill("#teach-data", "1..4......4..23.,1234341221434321")
    page.click("#teach-go")
    expect(page.locator("#view-training [role=alert]")).to_contain_text("puzzle 1: its solution is not one")
    page.fill("#teach-data", puzzles(25))
    page.fill("#teach-steps", "8")
    page.click("#teach-go")
    expect(page.locator("#view-training")).to_contain_text("25 puzzles taken")
    expect(page.locator("#view-training")).to_contain_text("The run is completed")
    expect(page.locator("#view-training h1")).to_have_text("parent taught")
    expect(page.locator("#view-training")).to_contain_text("(finetuned)")
    page.click("text=Serve this model")
    expect(page.locator("#tab-solve")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#model option:checked")).to_contain_text("parent taught")
    solve(page)
    expect(page.locator("#verdict")).to_have_attribute("data-status", re.compile("solved|wrong"))
    watched.close()


def test_a_run_is_stopped_from_the_form_and_can_be_resumed(browser, school: Served, tmp_path: Path) -> None:
    watched = Watched(browser, school)
    page = watched.page
    page.click("#tab-training")
    page.fill("#teach-data", puzzles(25))
    page.fill("#teach-steps", "90000")
    page.click("#teach-go")
    expect(page.locator("#view-training")).to_contain_text(re.compile("Step [0-9]+ of 90,000"))
    page.reload()  # whoever comes back finds the run
    page.click("#tab-training")
    page.click("text=Stop and save")
    expect(page.locator("#view-training")).to_contain_text("The run is stopped")
    expect(page.locator("#teach-go")).to_be_enabled()
    watched.close()
    (session,) = [one for one in school.service.residents.catalogue.store.list() if one.parent]
    assert session.status == "stopped"
    told(tmp_path, "sessions", "resume", session.id, "--steps", "2")


def test_there_is_no_form_where_training_is_not_allowed(browser, site: Served) -> None:
    watched = Watched(browser, site)
    watched.page.click("#tab-training")
    expect(watched.page.locator("#view-training")).to_contain_text("sudoku-6")
    expect(watched.page.locator("#teach-go")).to_have_count(0)
    watched.close()
