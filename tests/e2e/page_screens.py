"""Draw the server's page into docs/screens: from the sessions of a folder, in a real browser.

python -m tests.e2e.page_screens [SESSIONS]
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

CHECKOUT = Path(__file__).parents[2]
SCREENS = CHECKOUT / "docs" / "screens"
SHOTS = (
    ("page", 1280, 860, "light", "solve"),
    ("page-dark", 1280, 860, "dark", "solve"),
    ("page-phone", 390, 844, "light", "solve"),
    ("page-tablet-dark", 768, 1024, "dark", "solve"),
    ("page-training", 1280, 860, "dark", "training"),
    ("page-batch", 1280, 860, "light", "batch"),
    ("chat", 1280, 860, "light", "chat"),
    ("chat-dark", 1280, 860, "dark", "chat"),
    ("chat-tablet", 768, 1024, "light", "chat"),
    ("chat-phone", 360, 780, "dark", "chat"),
)


def main(sessions: str) -> None:
    command = [sys.executable, "-m", "trm_tui", "--sessions-dir", sessions, "serve", "--port", "0", "--quiet"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = re.search(r"http://\S+", process.stdout.readline())
            assert address
            _draw(address[0])
        finally:
            process.terminate()


def _draw(address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, width, height, scheme, view in SHOTS:
            size: Any = {"width": width, "height": height}
            context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")
            page = context.new_page()
            page.set_default_timeout(60_000)
            page.goto(address)
            page.locator(".board .cell").first.wait_for()
            _largest_sudoku(page)
            _SHOW[view](page)
            page.wait_for_timeout(400)  # the health pill and the last frame
            page.screenshot(path=SCREENS / f"{name}.png")
            print(f"{name}: {(SCREENS / f'{name}.png').stat().st_size:,} bytes")
            context.close()
        browser.close()


def _largest_sudoku(page: Any) -> None:
    options = page.locator("#model option").filter(has_text="sudoku").all()
    named = sorted(((option.inner_text(), option.get_attribute("value")) for option in options), reverse=True)
    if named:
        page.select_option("#model", named[0][1])


def _solve(page: Any) -> None:
    page.click("#solve")
    page.locator('#verdict:not([data-status="thinking"]):not([data-status="none"])').wait_for()
    page.evaluate(
        """() => {
            const slider = document.getElementById("step");
            slider.value = 1;
            slider.dispatchEvent(new Event("input"));
        }"""
    )


def _train(page: Any) -> None:
    page.click("#tab-training")
    page.locator("#view-training polyline").first.wait_for()


def _batch(page: Any) -> None:
    page.click("#more-puzzles")
    page.locator("#gallery li").nth(11).wait_for()
    found = page.evaluate(
        """async () => {
            const model = document.getElementById("model").value;
            const answer = await (await fetch(`api/examples?n=40&model=${model}`)).json();
            return answer.examples.map((one) => `${one.puzzle},${one.solution}`).join("\\n");
        }"""
    )
    page.click("#tab-batch")
    page.fill("#batch-text", f"puzzle,solution\n{found}")
    page.click("#batch-go")
    page.locator("#view-batch b").filter(has_text="40 / 40").wait_for()


def _chat(page: Any) -> None:
    puzzle = page.evaluate(
        """async () => {
            const model = document.getElementById("model").value;
            return (await (await fetch(`api/examples?n=1&model=${model}`)).json()).examples[0].puzzle;
        }"""
    )
    page.click("#tab-chat")
    page.fill("#chat-input", f"Good evening! Can you solve this sudoku?\n\n{puzzle}")
    page.press("#chat-input", "Enter")
    page.locator(".turn.assistant .route").wait_for(timeout=180_000)


_SHOW = {"solve": _solve, "training": _train, "batch": _batch, "chat": _chat}

if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sessions")
