"""Downloads from a server on this machine: checked, whole or not at all, and clear words when they fail."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from trm_engine.errors import ResourceError, UsageError
from trm_engine.tasks.hub.pace import Limits
from trm_engine.tasks.text import fetch as module
from trm_engine.tasks.text.fetch import KNOWN, KnownText, fetch, known_text, located, place_of

CONTENT = b"To be, or not to be\n" * 5000


class Server(ThreadingHTTPServer):
    """Answers every request with `content`, announced as `length` bytes, or with an error `status`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.status, self.asked = CONTENT, 200, 0
        self.length: int | None = None


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        server.asked += 1
        self.send_response(server.status)
        length = len(server.content) if server.length is None else server.length
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(server.content)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def text(server: Server, monkeypatch: pytest.MonkeyPatch) -> KnownText:
    """A text that the server has, known as `plays`."""
    url = f"http://127.0.0.1:{server.server_port}/plays.txt"
    known = KnownText("plays", "Plays", url, len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setattr(module, "KNOWN", {"plays": known})
    return known


def litter() -> list[str]:
    folder = module.data_folder()
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def test_a_text_is_downloaded_and_found_by_name(text: KnownText) -> None:
    heard: list[tuple[int, int]] = []
    path = fetch(text, lambda _what, done, total: heard.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert located("plays") == path
    assert heard[-1] == (len(CONTENT), len(CONTENT))
    assert litter() == ["plays.txt"]


def test_what_is_here_is_not_downloaded_again(text: KnownText, server: Server) -> None:
    fetch(text)
    fetch(text)
    assert server.asked == 1


def test_a_damaged_file_is_refused_in_use_and_replaced_by_fetching(text: KnownText, server: Server) -> None:
    path = fetch(text)
    data = bytearray(CONTENT)
    data[7] ^= 1
    path.write_bytes(data)
    with pytest.raises(UsageError, match=r"sha256 differs.*download plays"):
        located("plays")
    assert fetch(text).read_bytes() == CONTENT
    assert server.asked == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"content": CONTENT[:-1]}, "99,999 of its 100,000 bytes came"),
        ({"content": CONTENT + b"more"}, "more than its 100,000 bytes came"),
        ({"content": CONTENT[:-1] + b"?"}, "sha256"),
        ({"content": CONTENT[:500], "length": len(CONTENT)}, r"500 of its|IncompleteRead"),
        ({"status": 404}, "Not Found"),
        ({"status": 500}, "Internal Server Error"),
    ],
)
def test_a_wrong_answer_leaves_nothing_and_says_why_in_one_line(
    text: KnownText, server: Server, change: dict[str, object], message: str
) -> None:
    for name, value in change.items():
        setattr(server, name, value)
    with pytest.raises(UsageError, match=message) as caught:
        fetch(text)
    assert "name a text of your own in task.data" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert litter() == []


def test_without_a_network_one_line_says_what_to_do(text: KnownText, server: Server) -> None:
    nobody = replace(text, url="http://127.0.0.1:9/plays.txt")
    with pytest.raises(UsageError, match=r"could not be downloaded.*in task\.data"):
        fetch(nobody)


def test_a_text_that_is_not_here_yet_says_how_to_get_it(text: KnownText) -> None:
    with pytest.raises(UsageError, match=r"download plays.*100 kB.*in task\.data"):
        located("plays")


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match='Did you mean "tinyshakespeare"'):
        known_text("tinyshakespear")


def test_a_path_is_a_path(tmp_path: Path) -> None:
    assert located(str(tmp_path / "mine.txt")) == tmp_path / "mine.txt"


def test_a_folder_that_cannot_be_written_says_what_to_do(
    text: KnownText, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setenv("TRM_DATA_DIR", str(tmp_path / "taken"))
    with pytest.raises(ResourceError, match="TRM_DATA_DIR"):
        fetch(text)


def test_tinyshakespeare_is_pinned() -> None:
    pinned = KNOWN["tinyshakespeare"]
    assert pinned.url.startswith("https://")
    assert (pinned.size, len(pinned.sha256)) == (1_115_394, 64)
    assert place_of(pinned).name == "tinyshakespeare.txt"


def test_a_server_that_sends_too_slowly_is_given_up_and_leaves_nothing(text: KnownText) -> None:
    with pytest.raises(UsageError, match="downloading plays was given up: the server sends"):
        fetch(text, limits=Limits(least_rate=1e15, rate_seconds=0.0))
    assert litter() == []
