"""Puzzles on the page in a real browser: solved, slid through, typed, pasted, painted."""

from __future__ import annotations

import re
from pathlib import Path

from tests.serving import PUZZLE, SOLUTION, add_session
from tests.trm_tui.server.browser import Watched, board, expect, slide, solve
from tests.trm_tui.server.conftest import running
from trm_engine.sessions import Store


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


def test_a_wrong_puzzle_of_a_kind_without_an_editor_is_drawn_with_its_fault(page) -> None:
    paste(page, "1<. 1 .\n\n. . . .\n      ^\n. . . .\n\n. . . .")
    expect(page.locator(".board.other .cell.fault")).to_have_count(2)
    expect(page.locator("#faults")).to_contain_text("1 appears 2 times in row 1")


def test_a_puzzle_of_another_size_brings_its_model(page) -> None:
    paste(page, "." * 36)
    expect(page.locator(".cell")).to_have_count(36)
    assert "sudoku-6" in page.locator("#model option:checked").inner_text()
    solve(page)
    expect(page.locator("#verdict")).to_have_attribute("data-status", "wrong")
    assert page.locator("#faults button").count() > 0
    page.click("#views-row button[aria-label='View 2']")
    expect(page.locator("#step-label")).to_have_text("step 8 · view 2")


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


def test_a_maze_without_a_way_shows_what_is_broken(page) -> None:
    paste(page, "S#..\n##..\n....\n...G")
    expect(page.locator("#puzzle-says")).to_contain_text("No path leads from the start")
    expect(page.locator(".cell.fault")).to_have_count(2)
    expect(page.locator("#model-hint")).to_contain_text("No session has learned Mazes of 4×4")
    # Once there is a way, nothing is broken any more.
    page.click("#pad button:has-text('Open')")
    page.locator(".cell").nth(1).click()
    expect(page.locator(".cell.fault")).to_have_count(0)
    expect(page.locator("#faults-card")).to_be_hidden()
    expect(page.locator("#puzzle-says")).to_contain_text("solution")


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
