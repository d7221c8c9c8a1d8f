"""Who goes away costs nothing more: at most one step after the connection closes, streamed or not."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from tests.serving import PUZZLE
from tests.trm_tui.server.conftest import Served


def ask(served: Served, **body) -> socket.socket:
    """Send a question and return the open connection."""
    data = json.dumps({"puzzle": PUZZLE, "until": "all", "max_steps": 100, "views": 0, **body}).encode()
    head = (
        f"POST /api/solve HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    link = socket.create_connection(("127.0.0.1", served.port), timeout=30)
    link.sendall(head.encode() + data)
    return link


def until(condition) -> None:
    for _ in range(6000):
        if condition():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it did not come to that within 30 s")


@pytest.mark.parametrize("stream", [True, False])
def test_closing_the_connection_ends_the_work(gated, stream: bool) -> None:
    served, gate, made = gated
    link = ask(served, stream=stream)
    until(lambda: bool(made))
    gate.release(3)
    until(lambda: made[0].steps == 3)
    link.close()
    until(lambda: served.service.open == 0)
    gate.release(100)
    until(lambda: sum(served.service.residents.held()[0].batcher.load) == 0)
    assert made[0].steps <= 5
    assert served.service.cancelled == 1
    assert served.client.get("/health").json()["status"] == "ok"


def test_a_question_that_waits_can_be_taken_back(gated) -> None:
    served, gate, made = gated
    first = ask(served)
    until(lambda: bool(made))
    others = [ask(served, max_steps=99 - number) for number in range(5)]
    until(lambda: served.service.open == 6)
    for link in others:
        link.close()
    until(lambda: served.service.open == 1)
    gate.release(1000)
    assert b'"steps_used":100' in first.recv(1 << 20) + first.recv(1 << 20)
    first.close()
    assert made[0].steps <= 102


def test_a_question_is_cancelled_by_its_id(gated) -> None:
    served, gate, made = gated
    link = ask(served, stream=True)
    text = b""
    while b"event: accepted" not in text or not text.endswith(b"\r\n"):
        text += link.recv(65536)
    found = json.loads(text.split(b"data: ")[1].split(b"\n")[0])
    answer = served.client.delete(f"/api/solve/{found['id']}")
    assert answer.json() == {"id": found["id"], "cancelled": True}
    gate.release(100)
    while b"cancelled" not in text:
        chunk = link.recv(65536)
        assert chunk
        text += chunk
    assert b"event: error" in text
    link.close()
    assert served.client.delete(f"/api/solve/{found['id']}").status_code == 404
    assert made[0].steps <= 2


def test_slow_readers_do_not_hold_up_others(gated) -> None:
    served, gate, _ = gated
    gate.release(100_000)
    idle = [ask(served, stream=True, max_steps=128, views=0) for _ in range(20)]
    answer = served.client.post("/api/solve", json={"puzzle": "." * 16, "max_steps": 2, "views": 0})
    assert answer.status_code == 200
    for link in idle:
        link.close()
    until(lambda: served.service.open == 0)
