"""The page in a real browser: solving, sliding, typing, pasting, batches, models, dark mode, a phone."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import PUZZLE, SOLUTION, Oracle, add_session, small_config, sudoku_store
from tests.trm_tui.server.conftest import Served, running
from trm_engine.sessions import Store
from trm_tui.server.settings import Limits

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip("no Chromium is installed here: apt-get install chromium", allow_module_level=True)

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright comes with the dev extra")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with a good 4×4 model and a 6×6 model that solves only what begins with a clue."""

    def oracle(config) -> Oracle:
        return Oracle(config, at=3, lost=lambda puzzle: len(puzzle) == 36)

    store = sudoku_store(tmp_path_factory.mktemp("sessions"))
    add_session(store, small_config(2, 3), name="sudoku-6", score=0.5)
    with running(store, oracle, limits=Limits(requests_per_second=10_000)) as found:
        yield found


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Watched:
    """A page that remembers what it should not have done."""

    def __init__(self, browser, site: Served, **options) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        sync_api.expect.set_options(timeout=60_000)
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.page.on("console", lambda message: self._said(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._requested(request.url, site.url))
        self.page.goto(site.url)
        sync_api.expect(self.page.locator(".board .cell").first).to_be_visible()

    def _said(self, kind: str, text: str) -> None:
        # That a request was refused is no defect of the page, which shows the reason.
        if kind in ("error", "warning") and "Failed to load resource" not in text:
            self.complaints.append(text)

    def _requested(self, url: str, own: str) -> None:
        if not url.startswith((own, "data:", "blob:")):
            self.foreign.append(url)

    def close(self) -> None:
        self.context.close()
        assert self.complaints == []
        assert self.foreign == []


@pytest.fixture
def watched(browser, site: Served) -> Iterator[Watched]:
    found = Watched(browser, site)
    yield found
    found.close()


@pytest.fixture
def page(watched: Watched):
    return watched.page


def expect(locator):
    return sync_api.expect(locator)


def solve(page) -> None:
    page.click("#solve")
    expect(page.locator("#verdict")).not_to_have_attribute("data-status", re.compile("none|thinking"))


def board(page) -> str:
    return "".join(page.locator("#board-area .cell").all_inner_texts())


def slide(page, step: int) -> None:
    page.evaluate(
        """step => {
            const slider = document.getElementById("step");
            slider.value = step;
            slider.dispatchEvent(new Event("input"));
        }""",
        step,
    )


def test_one_click_solves_an_example_and_the_slider_shows_the_way(page) -> None:
    solve(page)
    expect(page.locator("#verdict")).to_have_attribute("data-status", "solved")
    expect(page.locator("#verdict-says")).to_contain_text("cells agree with the known solution")
    expect(page.locator("#step-label")).to_have_text("step 3")
    answer = board(page)
    assert len(answer) == 16
    slide(page, 1)
    expect(page.locator("#step-label")).to_have_text("step 1")
    assert board(page) != answer
    assert page.locator(".cell.wrong").count() > 0
    slide(page, 0)
    expect(page.locator("#step-label")).to_have_text("puzzle")
    assert len(board(page)) < 16
    page.click("#play")
    expect(page.locator("#step-label")).to_have_text("step 3")
    page.click("#reveal")
    assert board(page) == answer
    expect(page.locator("#figures")).to_contain_text("the rules accepted")


def test_a_puzzle_is_typed_by_keyboard_alone(page) -> None:
    page.focus("#clear")
    page.keyboard.press("Enter")
    page.locator(".cell").first.focus()
    for row in range(4):
        for symbol in PUZZLE[4 * row : 4 * row + 4]:
            page.keyboard.press("." if symbol == "." else symbol)
            page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Home")
    expect(page.locator("#puzzle-says")).to_contain_text("exactly one solution")
    page.keyboard.press("Enter")
    expect(page.locator("#verdict")).to_have_attribute("data-status", "solved")
    assert board(page) == SOLUTION
    label = page.locator(".cell").nth(1).get_attribute("aria-label")
    assert label is not None
    assert label.startswith("row 1 column 2, 3")
    page.keyboard.press("Control+z")
    expect(page.locator("#step-label")).to_have_text("puzzle")


def paste(page, text: str) -> None:
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.setData("text", text);
            document.body.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true}));
        }""",
        text,
    )


def test_a_wrong_puzzle_that_is_pasted_shows_the_broken_rule(page) -> None:
    paste(page, "11" + "." * 14)
    expect(page.locator("#puzzle-says")).to_contain_text("1 appears 2 times in row 1")
    expect(page.locator(".cell.fault")).to_have_count(2)
    expect(page.locator("#faults")).to_contain_text("1 appears 2 times in box 1")
    page.locator("#faults button").first.focus()
    expect(page.locator(".cell.lit")).to_have_count(2)


def test_a_puzzle_of_another_size_brings_its_model(page) -> None:
    paste(page, "." * 36)
    expect(page.locator(".cell")).to_have_count(36)
    assert "sudoku-6" in page.locator("#model option:checked").inner_text()
    solve(page)
    expect(page.locator("#verdict")).to_have_attribute("data-status", "wrong")
    assert page.locator("#faults button").count() > 0
    expect(page.locator("#views-row")).to_contain_text("View 2")


def test_a_kind_that_the_page_does_not_know_is_drawn_and_solved(browser, tmp_path: Path) -> None:
    from trm_engine.config import loads

    text = """
[task]
kind = "futoshiki"
size = 4
train_size = 10
test_size = 12
[model]
hidden_size = 8
[runtime]
threads = 1
tuning = "off"
"""
    store = Store(tmp_path)
    add_session(store, loads(text, "test"), name="signs")
    with running(store, None) as served:
        watched = Watched(browser, served)
        page = watched.page
        expect(page.locator("#puzzle-title")).to_have_text("Held-out 1")
        solve(page)
        expect(page.locator("#verdict")).to_have_attribute("data-status", "wrong")
        assert page.locator(".board.other .cell.given").count() > 0
        assert page.locator("#faults button").count() > 0
        watched.close()


def test_text_is_entered_in_the_dialog(page) -> None:
    page.click("#paste")
    page.fill("#text-input", "1x")
    page.click("#text-ok")
    expect(page.locator("#text-error")).to_contain_text("cells")
    page.fill("#text-input", "| 1 . | . 4 |\n| . . | . . |\n|-----|-----|\n| . . | 4 . |\n| . 2 | 3 . |")
    page.click("#text-ok")
    expect(page.locator("#text-dialog")).to_be_hidden()
    solve(page)
    assert board(page) == SOLUTION


def choose(page, title: str) -> None:
    page.select_option("#model", page.locator("#model option", has_text=title).get_attribute("value"))


def test_the_model_is_switched(page) -> None:
    choose(page, "sudoku-6")
    expect(page.locator(".cell")).to_have_count(36)
    expect(page.locator("#model-facts")).to_contain_text("Sudoku 6×6")
    choose(page, "sudoku-4")
    expect(page.locator(".cell")).to_have_count(16)


def test_held_out_puzzles_of_the_model(page) -> None:
    page.click("#more-puzzles")
    expect(page.locator("#puzzle-title")).to_have_text("Held-out 1")
    expect(page.locator("#gallery li")).to_have_count(12)
    solve(page)
    expect(page.locator("#verdict")).to_have_attribute("data-status", "solved")


def test_mazes_are_painted_with_mouse_and_keyboard(page) -> None:
    page.click("#kinds button:has-text('Mazes')")
    expect(page.locator(".cell")).to_have_count(100)
    page.click("#clear")
    box = page.locator(".board").bounding_box()
    size = box["width"] / 10
    page.mouse.move(box["x"] + size / 2, box["y"] + size / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 4.5 * size, box["y"] + size / 2, steps=12)
    page.mouse.move(box["x"] + 4.5 * size, box["y"] - 60)  # off the board, and back
    page.mouse.move(box["x"] + 6.5 * size, box["y"] + size / 2, steps=4)
    page.mouse.up()
    page.mouse.move(box["x"] + 9.5 * size, box["y"] + 9.5 * size, steps=4)
    assert 6 <= page.locator(".cell.wall").count() <= 7
    page.click("#undo")
    expect(page.locator(".cell.wall")).to_have_count(0)  # the drag is undone as a whole
    page.locator(".cell").nth(22).focus()
    page.keyboard.press("s")
    page.locator(".cell").nth(55).focus()
    page.keyboard.press("g")
    expect(page.locator("#puzzle-says")).to_contain_text("more than one solution")


def test_an_arc_grid_is_edited_and_resized(page) -> None:
    page.click("#kinds button:has-text('ARC')")
    expect(page.locator("#pairs .pair")).to_have_count(3)
    page.fill("#arc-rows", "4")
    page.press("#arc-rows", "Tab")
    page.fill("#arc-cols", "6")
    page.press("#arc-cols", "Tab")
    expect(page.locator(".board >> nth=0").locator(".cell")).to_have_count(24)
    page.click("#pad button[aria-label='Colour 7']")
    page.locator(".cell").first.click()
    expect(page.locator(".cell").first).to_have_class(re.compile("c7"))
    page.check("#digits")
    expect(page.locator(".board").first).to_have_class(re.compile("digits"))
    page.click("#solve")
    expect(page.locator("#verdict-title")).to_have_text("No answer")


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
    for kind in ("Mazes", "ARC"):
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
