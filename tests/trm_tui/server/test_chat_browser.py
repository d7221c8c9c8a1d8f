"""The Chat view in a real browser: streamed, stopped, edited, played, kept, on a phone, in the dark."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.language_server import Stub, stub_server
from tests.serving import PUZZLE, sudoku_store
from tests.trm_tui.server.browser import Watched, expect
from tests.trm_tui.server.conftest import Served, running
from tests.trm_tui.server.test_browser_views import _axe  # a fixture
from trm_tui.gateway.models.registry import OpenAIEntry, Registry
from trm_tui.server.settings import Limits

SAID = "Good news, your Sudoku worked out."


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    with stub_server() as server:
        server.says = SAID
        yield server


@pytest.fixture(scope="module")
def chat_site(tmp_path_factory: pytest.TempPathFactory, stub: Stub) -> Iterator[Served]:
    registry = Registry(tmp_path_factory.mktemp("models") / "models.toml")
    registry.add("llama", OpenAIEntry(url=f"{stub.url}/v1", model="says"))
    registry.add("slow", OpenAIEntry(url=f"{stub.url}/v1", model="slow"))
    store = sudoku_store(tmp_path_factory.mktemp("sessions"))
    with running(store, registry=registry, limits=Limits(requests_per_second=10_000)) as found:
        yield found


@pytest.fixture
def watched(browser, chat_site: Served) -> Iterator[Watched]:
    found = Watched(browser, chat_site)
    found.page.click("#tab-chat")
    yield found
    found.close()


@pytest.fixture
def page(watched: Watched):
    return watched.page


def say(page, text: str, answers: int = 1) -> None:
    page.fill("#chat-input", text)
    page.press("#chat-input", "Enter")
    expect(page.locator(".turn.assistant .route")).to_have_count(answers)


def board(page) -> str:
    return "".join(page.locator(".chat-board .cell").all_inner_texts())


def test_a_puzzle_is_solved_worded_and_played_within_the_answer(page) -> None:
    say(page, f"Please solve the sudoku {PUZZLE}")
    expect(page.locator(".turn.assistant")).to_contain_text(SAID)
    expect(page.locator(".chat-board figcaption")).to_contain_text("checked by the rules")
    answer = board(page)
    assert len(answer) == 16
    slider = page.locator(".chat-board input[type=range]")
    slider.focus()
    slider.press("Home")
    expect(page.locator(".chat-board output")).to_have_text("puzzle")
    assert len(board(page)) < 16
    page.click(".chat-board button[aria-label='Play the steps']")
    expect(page.locator(".chat-board output")).to_have_text("step 3")
    assert board(page) == answer
    page.click("text=Open in Solve")
    expect(page.locator("#view-solve")).to_be_visible()
    expect(page.locator("#puzzle-title")).to_have_text("From the chat")


def test_an_answer_is_stopped_and_what_came_stays(page, stub: Stub) -> None:
    page.select_option("#chat-model", "slow")
    page.fill("#chat-input", "Good morning, sunshine!")
    page.press("#chat-input", "Enter")
    expect(page.locator(".turn.assistant")).to_contain_text("Hello")
    page.click("#chat-stop")
    expect(page.locator(".turn.assistant")).to_contain_text("Stopped.")
    expect(page.locator("#chat-send")).to_be_visible()
    assert stub.broken_off.wait(60)
    page.select_option("#chat-model", "auto")


def test_a_message_is_edited_and_answered_again(page) -> None:
    say(page, "sudoku 12..34....1.....")
    expect(page.locator(".turn.assistant")).to_contain_text("can be 3 as well as 4")
    page.click(".turn.assistant >> text=Again")
    expect(page.locator(".turn.assistant .route")).to_have_count(1)
    page.focus("#chat-input")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#chat-input")).to_have_value("sudoku 12..34....1.....")
    say(page, f"sudoku {PUZZLE}")
    expect(page.locator(".turn.user")).to_have_count(1)


def test_conversations_are_kept_exported_imported_and_deleted(page, tmp_path: Path) -> None:
    say(page, f"sudoku {PUZZLE}")
    page.reload()
    page.click("#tab-chat")
    page.click(".chat-item")
    expect(page.locator(".chat-board .cell")).to_have_count(16)
    with page.expect_download() as caught:
        page.click("#chat-export")
    kept = json.loads(Path(caught.value.path()).read_text())
    assert kept["chats"][0]["turns"][0]["content"] == f"sudoku {PUZZLE}"
    page.click(".chat-list button[aria-label^='Delete']")
    expect(page.locator(".chat-item")).to_have_count(0)
    file = tmp_path / "chats.json"
    kept["chats"][0]["turns"][0]["content"] += "<img src=x onerror=alert(1)>"
    file.write_text(json.dumps(kept))
    page.set_input_files("#view-chat input[type=file]", file)
    page.click(".chat-item")
    expect(page.locator(".turn.user")).to_contain_text("<img src=x")  # as text
    broken = tmp_path / "broken.json"
    broken.write_text('{"chats": [{"id": 3}]}')
    page.set_input_files("#view-chat input[type=file]", broken)
    expect(page.locator("#toasts")).to_contain_text("no conversations")


def test_what_a_model_says_is_never_markup(page, stub: Stub) -> None:
    stub.says = "<b onclick=alert(1)>hi</b> **bold** `code` ```js\nalert(2)\n```"
    try:
        say(page, "Good morning, sunshine!")
    finally:
        stub.says = SAID
    expect(page.locator(".turn.assistant")).to_contain_text("<b onclick=alert(1)>hi</b>")
    expect(page.locator(".turn.assistant b")).to_have_text("bold")


def test_what_is_overruled_is_marked(page, stub: Stub) -> None:
    stub.says = "Sorry, it has no solution."
    try:
        say(page, f"sudoku {PUZZLE}")
    finally:
        stub.says = SAID
    expect(page.locator(".marked")).to_contain_text("The grid stands")
    expect(page.locator(".chat-board figcaption")).to_contain_text("checked by the rules")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_has_no_serious_findings(browser, chat_site: Served, width: int, scheme: str) -> None:
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    found = Watched(browser, chat_site, bypass_csp=True, reduced_motion="reduce", **options)
    page = found.page
    page.add_script_tag(content=_axe())
    page.click("#tab-chat")
    say(page, f"sudoku {PUZZLE}")
    say(page, "How do I resume a run?", 2)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    findings = page.evaluate("axe.run()")["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:160]) for one in findings] == []
    found.close()
