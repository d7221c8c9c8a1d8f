"""The page's files: all come from this server, hold no code that its policy forbids, and are small."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from tests.trm_tui.server.conftest import Served

PAGE = {
    entry.name: entry.read_text(encoding="utf-8")
    for entry in files("trm_tui.server").joinpath("page").iterdir()
}


def test_the_page_is_small() -> None:
    assert sum(len(text.encode()) for text in PAGE.values()) <= 500_000


@pytest.mark.parametrize("name", PAGE)
def test_a_file_is_served_and_not_sent_again(served: Served, name: str) -> None:
    path = "/" if name == "index.html" else f"/static/{name}"
    first = served.client.get(path)
    assert first.status_code == 200
    assert first.text == PAGE[name]
    again = served.client.get(path, headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("name", PAGE)
def test_nothing_is_fetched_from_elsewhere(name: str) -> None:
    urls = re.findall(r"""["'(](?:https?:)?//[^"')\s]+""", PAGE[name])
    assert [url for url in urls if "www.w3.org" not in url] == []  # names of XML, not addresses


def test_there_is_no_code_in_the_document() -> None:
    html = PAGE["index.html"]
    assert re.findall(r"<script(?![^>]*src=)", html) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", html) == []


@pytest.mark.parametrize("name", [name for name in PAGE if name.endswith(".js")])
def test_text_is_never_markup(name: str) -> None:
    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", PAGE[name])
        == []
    )


def test_everything_the_page_names_exists() -> None:
    for target in re.findall(r'(?:src|href)="static/([^"]+)"', PAGE["index.html"]):
        assert target in PAGE
    for text in (text for name, text in PAGE.items() if name.endswith(".js")):
        for target in re.findall(r'from "\./([^"]+)"', text):
            assert target in PAGE
    ids = set(re.findall(r'id="([^"]+)"', PAGE["index.html"]))
    for name in ("main.js", "solve.js", "player.js", "gallery.js", "api.js"):
        for used in re.findall(r'\$\("([^"]+)"\)', PAGE[name]):
            assert used in ids | {"none"}, f"{name}: {used}"
