"""Chat over HTTP: answered, streamed, stopped; health tells the truth in every state of a language model."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.language_server import WORDS, Stub
from tests.serving import PUZZLE, SOLUTION, sudoku_store
from tests.trm_tui.server.conftest import Served, events_of, running
from tests.trm_tui.server.test_cancelling import until
from trm_tui.gateway.models.registry import GgufEntry, OllamaEntry, OpenAIEntry, Registry
from trm_tui.server.settings import Limits


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models.toml")


@pytest.fixture
def chatting(tmp_path: Path, registry: Registry) -> Iterator[Served]:
    limits = Limits(requests_per_second=10_000, chats=2, chats_waiting=1)
    with running(sudoku_store(tmp_path / "sessions"), registry=registry, limits=limits) as served:
        yield served


def say(served: Served, message: str, **body):
    return served.client.post("/api/chat", json={"message": message, **body})


def test_a_puzzle_is_answered_with_grid_steps_and_timings(chatting: Served) -> None:
    found = say(chatting, f"Could you solve the sudoku {PUZZLE}?").json()
    assert (found["status"], found["solved"], found["steps"]) == ("success", True, 3)
    assert found["grids"][0]["answer"] == SOLUTION
    assert len(found["grids"][0]["steps"]) == 3
    assert found["timings"]["milliseconds"] > 0
    assert found["model"] == found["grids"][0]["model"]


def test_what_happens_is_streamed_and_the_last_word_counts(chatting: Served) -> None:
    body = {"message": f"sudoku {PUZZLE}", "stream": True}
    with chatting.client.stream("POST", "/api/chat", json=body) as response:
        told = list(events_of(response))
    names = [name for name, _ in told]
    assert names == ["route", "puzzle", "step", "step", "step", "grid", "text", "done"]
    assert told[-1][1]["response"] == told[-2][1]["text"]


def test_history_and_context_are_taken(chatting: Served) -> None:
    history = [{"role": "user", "content": f"sudoku {PUZZLE}"}, {"role": "assistant", "content": "ok"}]
    assert say(chatting, "any solution please", history=history).json()["solved"]
    found = say(chatting, "Where does the cat sleep?", context="The cat sleeps on the roof.").json()
    assert found["sources"][0]["text"] == "The cat sleeps on the roof."


def test_a_language_model_streams_word_by_word(chatting: Served, registry: Registry, stub: Stub) -> None:
    registry.add("llama", OpenAIEntry(url=f"{stub.url}/v1", model="good"))
    body = {"message": "Good morning, sunshine!", "stream": True}
    with chatting.client.stream("POST", "/api/chat", json=body) as response:
        told = list(events_of(response))
    assert [data["text"] for name, data in told if name == "text"] == WORDS


@pytest.mark.parametrize("stream", [True, False])
def test_closing_the_connection_stops_the_language_model(
    chatting: Served, registry: Registry, stub: Stub, stream: bool
) -> None:
    registry.add("llama", OllamaEntry(url=stub.url, model="slow"))
    data = json.dumps({"message": "Good morning, sunshine!", "stream": stream}).encode()
    head = (
        f"POST /api/chat HTTP/1.1\r\nHost: 127.0.0.1:{chatting.port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", chatting.port), timeout=60) as link:
        link.sendall(head.encode() + data)
        until(lambda: bool(stub.asked))
    assert stub.broken_off.wait(60)
    until(lambda: chatting.client.get("/api/health").json()["language_model"]["state"] == "remote")


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("cut", 502, "cut"),
        ("failing", 502, "refused"),
        ("unauthorized", 502, "unauthorized"),
        ("unknown", 409, "missing_model"),
        ("busy", 429, "busy"),
        ("context", 422, "context_too_long"),
        ("garbage", 502, "not_understood"),
    ],
)
def test_what_is_wrong_with_a_language_model_is_told_with_its_remedy(
    chatting: Served, registry: Registry, stub: Stub, model: str, status: int, code: str
) -> None:
    registry.add("llama", OpenAIEntry(url=f"{stub.url}/v1", model=model))
    answer = say(chatting, "Good morning, sunshine!")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["hint"]
    body = {"message": "Good morning, sunshine!", "stream": True}
    with chatting.client.stream("POST", "/api/chat", json=body) as response:
        assert list(events_of(response))[-1][1]["code"] == code
    assert say(chatting, f"sudoku {PUZZLE}").json()["solved"]  # the recursive models answer as ever


def test_a_crowd_is_told_to_come_back(chatting: Served, registry: Registry, stub: Stub) -> None:
    registry.add("llama", OpenAIEntry(url=f"{stub.url}/v1", model="slow"))
    answers: list[int] = []

    def ask() -> None:
        answers.append(say(chatting, "Good morning, sunshine!").status_code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    until(lambda: len(answers) >= 3)  # two are answered, one waits, the rest are sent away
    stub.gate.set()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == [200, 200, 200, 429, 429, 429]


def health(served: Served) -> dict:
    return served.client.get("/api/health").json()


def test_health_tells_the_truth_in_each_state(chatting: Served, registry: Registry, stub: Stub) -> None:
    found = health(chatting)
    assert (found["model_loaded"], found["model_type"]) == (False, "trm")
    assert found["language_model"]["state"] == "none"
    say(chatting, f"sudoku {PUZZLE}")
    assert health(chatting)["model_loaded"] is True
    registry.add("llama", OpenAIEntry(url=f"{stub.url}/v1", model="good"))
    found = health(chatting)
    assert (found["model_type"], found["language_model"]["state"]) == ("trm+llama", "remote")
    registry.add("llama", OpenAIEntry(url=f"{stub.url}/v1", model="failing"), replace=True)
    say(chatting, "Good morning, sunshine!")
    found = health(chatting)
    assert found["language_model"]["state"] == "failed"
    assert "out of memory" in found["language_model"]["reason"]
    registry.add("llama", GgufEntry(path="/nowhere/model.gguf"), replace=True)
    assert health(chatting)["language_model"]["state"] == "unloaded"
    say(chatting, "Good morning, sunshine!")
    assert health(chatting)["language_model"]["state"] == "failed"
    registry.path.write_text("broken = ")
    assert health(chatting)["language_model"]["state"] == "failed"
    assert health(chatting)["status"] == "ok"


def test_the_list_of_models_tells_what_is_selected(chatting: Served, registry: Registry, stub: Stub) -> None:
    registry.add("llama", OpenAIEntry(url=f"{stub.url}/v1", model="good"))
    registry.select("llama")
    found = chatting.client.get("/api/chat/models").json()
    assert (found["selected"], found["language"]) == ("llama", "llama")
    assert [one["id"] for one in found["models"]][:3] == ["auto", "trm", "llama"]
    assert any(one["about"] == "4×4 Sudoku" for one in found["models"])


def test_a_folder_of_docs_is_answered_from(tmp_path: Path, registry: Registry) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "cats.md").write_text("# Cats\nThe quokka cat sleeps on the roof.")
    with running(sudoku_store(tmp_path / "sessions"), registry=registry, docs=docs) as served:
        found = say(served, "Where does the quokka cat sleep?").json()
    assert found["sources"][0]["where"] == "cats.md"


def test_stopping_the_server_ends_chats(tmp_path: Path, registry: Registry, stub: Stub) -> None:
    registry.add("llama", OpenAIEntry(url=f"{stub.url}/v1", model="slow"))
    limits = Limits(grace_seconds=0.2)
    with running(sudoku_store(tmp_path / "sessions"), registry=registry, limits=limits) as served:
        answers: list[int] = []
        thread = threading.Thread(
            target=lambda: answers.append(say(served, "Good morning, sunshine!").status_code)
        )
        thread.start()
        until(lambda: bool(stub.asked))
        served.stop()
        thread.join(30)
    assert answers == [409]
