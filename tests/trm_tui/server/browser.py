"""A real browser and the page in it. Modules that import this are skipped where there is no browser."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.trm_tui.server.conftest import Served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None and not os.environ.get("CI"):
    pytest.skip("no Chromium is installed here: apt-get install chromium", allow_module_level=True)

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright comes with the dev extra")


@contextmanager
def launched() -> Iterator:
    """Start the browser, and end it with the block."""
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
