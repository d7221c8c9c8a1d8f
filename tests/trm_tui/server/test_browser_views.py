"""The page in a real browser: batches, its other views, stopping, tokens, a phone, screen readers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.serving import PUZZLE, SOLUTION, Oracle, sudoku_store
from tests.trm_tui.server.browser import Watched, expect, slide, solve
from tests.trm_tui.server.conftest import Served, running


def test_a_batch_is_uploaded_filtered_and_downloaded(page, tmp_path: Path) -> None:
    lines = [f"{PUZZLE},{SOLUTION}"] * 30 + ["11" + "." * 14 + ","]
    text = "puzzle,solution\n" + "\n".join(lines)
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.items.add(new File([text], "list.csv"));
            document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true}));
        }""",
        text,
    )
    expect(page.locator("#tab-batch")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#view-batch")).to_contain_text("31 / 31")
    expect(page.locator("#batch-table tbody tr")).to_have_count(31)
    page.select_option("#batch-filter", "failures")
    expect(page.locator("#batch-table tbody tr")).to_have_count(1)
    expect(page.locator("#batch-table tbody")).to_contain_text("appears 2 times")
    with page.expect_download() as download:
        page.click("#batch-csv")
    saved = tmp_path / "answers.csv"
    download.value.save_as(saved)
    assert len(saved.read_text().splitlines()) == 32
    assert SOLUTION in saved.read_text()


def test_the_other_views_open_by_keyboard(page) -> None:
    page.focus("#tab-solve")
    for name, said in (
        ("chat", "Conversations"),
        ("batch", "Many puzzles"),
        ("training", "Loss"),
        ("models", "In memory"),
        ("api", "curl"),
    ):
        page.keyboard.press("ArrowRight")
        expect(page.locator(f"#view-{name}")).to_be_visible()
        expect(page.locator(f"#view-{name}")).to_contain_text(said)
    page.click("#tab-models")
    page.click("text=Details >> nth=0")
    expect(page.locator("#view-models")).to_contain_text("MLP along the length")


def test_a_link_brings_the_puzzle(watched: Watched, site: Served) -> None:
    page = watched.page
    page.click("#share")
    assert "#p=" in page.url
    page.goto(f"{site.url}/#p={PUZZLE}")
    page.reload()
    expect(page.locator(".cell.given")).to_have_count(5)


def test_stopping_ends_the_work(browser, tmp_path: Path) -> None:
    import threading

    gate = threading.Semaphore(2)
    store = sudoku_store(tmp_path)
    with running(store, lambda config: Oracle(config, at=999, gate=gate)) as served:
        watched = Watched(browser, served)
        watched.page.click("#solve")
        expect(watched.page.locator("#step-label")).to_have_text("step 2")
        watched.page.click("#stop")
        expect(watched.page.locator("#verdict-title")).to_have_text("Stopped")
        gate.release(1000)
        for _ in range(600):
            if served.service.open == 0:
                break
            threading.Event().wait(0.05)
        assert served.service.open == 0
        watched.close()


def test_a_token_is_asked_for_once_and_kept_out_of_the_address(browser, tmp_path: Path) -> None:
    with running(sudoku_store(tmp_path), token="correct-horse") as served:
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(served.url)
        expect(page.locator("#token-dialog")).to_be_visible()
        page.fill("#token-input", "correct-horse")
        page.click("#token-ok")
        expect(page.locator(".cell")).to_have_count(16)
        context.close()
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{served.url}/#token=correct-horse")
        expect(page.locator(".cell")).to_have_count(16)
        assert "correct-horse" not in page.url
        context.close()


def test_everything_together_is_small(page) -> None:
    """What a first visit fetches, the answers of the API included."""
    page.wait_for_load_state("networkidle")
    entries = '[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]'
    size = page.evaluate(f"{entries}.reduce((sum, one) => sum + one.encodedBodySize, 0)")
    assert 50_000 < size <= 500_000


@pytest.mark.parametrize("width", [360, 390, 768])
def test_nothing_is_cut_off_on_small_screens(browser, site: Served, width: int) -> None:
    watched = Watched(browser, site, viewport={"width": width, "height": 780})
    solve(watched.page)
    for name in ("solve", "batch", "training", "models", "api"):
        watched.page.click(f"#tab-{name}")
        expect(watched.page.locator(f"#view-{name}")).to_be_visible()
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
    watched.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_screen_reader_and_weak_eyes_find_their_way(browser, site: Served, scheme: str) -> None:
    """No finding of axe-core, on every view, in light and dark."""
    source = _axe()
    watched = Watched(browser, site, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    page = watched.page
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    page.add_script_tag(content=source)
    solve(page)
    slide(page, 1)
    for name in ("solve", "batch", "training", "models", "api"):
        page.click(f"#tab-{name}")
        expect(page.locator(f"#view-{name} h1, #view-{name} h2").first).to_be_visible()
        if name == "models":
            page.click("text=Details >> nth=0")
        found = page.evaluate("axe.run()")["violations"]
        told = [(one["id"], [node["html"][:160] for node in one["nodes"]][:3]) for one in found]
        assert told == [], json.dumps(told, indent=1)
    for kind in ("Mazes", "ARC", "Futoshiki", "Light up"):
        page.click("#tab-solve")
        page.click(f"#kinds button:has-text('{kind}')")
        found = page.evaluate("axe.run()")["violations"]
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []
    watched.close()


def _axe() -> str:
    import axe_playwright_python

    (script,) = Path(axe_playwright_python.__file__).parent.rglob("axe.min.js")
    return script.read_text(encoding="utf-8")


def test_the_page_finds_the_server_again(browser, tmp_path: Path) -> None:
    store = sudoku_store(tmp_path)
    with running(store) as served:
        watched = Watched(browser, served)
        page = watched.page
    expect(page.locator("#health")).to_contain_text("no server")
    page.click("#solve")
    expect(page.locator("#verdict-title")).to_have_text("No answer")
    watched.context.close()
