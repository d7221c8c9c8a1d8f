"""The form of OpenAI's API, to the byte where clients look: models, completions, streams, usage, errors."""

from __future__ import annotations

import json

import pytest

from tests.serving import PUZZLE
from tests.trm_tui.server.conftest import Served

ASK = [{"role": "user", "content": f"Solve the sudoku {PUZZLE}"}]


def complete(served: Served, **body):
    return served.client.post("/v1/chat/completions", json={"model": "auto", "messages": ASK, **body})


def chunks(served: Served, **body) -> list[object]:
    given = {"model": "auto", "messages": ASK, "stream": True, **body}
    with served.client.stream("POST", "/v1/chat/completions", json=given) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in response.iter_lines() if line.startswith("data: ")]
    return [line[6:] if line[6:] == "[DONE]" else json.loads(line[6:]) for line in lines]


def test_models_are_listed_and_looked_up(served: Served) -> None:
    found = served.client.get("/v1/models").json()
    assert found["object"] == "list"
    names = [one["id"] for one in found["data"]]
    assert names[:2] == ["auto", "trm"]
    assert len(names) == 4
    for name in names:
        assert served.client.get(f"/v1/models/{name}").json()["id"] == name
    assert served.client.get("/v1/models/none").status_code == 404


def test_a_completion_has_what_clients_read(served: Served) -> None:
    found = complete(served).json()
    assert found["object"] == "chat.completion"
    assert found["id"].startswith("chatcmpl-")
    assert isinstance(found["created"], int)
    choice = found["choices"][0]
    assert (choice["index"], choice["finish_reason"]) == (0, "stop")
    assert "| 1 3 | 2 4 |" in choice["message"]["content"]
    usage = found["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


def test_a_stream_begins_with_the_role_and_ends_with_done(served: Served) -> None:
    found = chunks(served)
    assert found[0]["choices"][0]["delta"]["role"] == "assistant"
    assert found[-2]["choices"][0]["finish_reason"] == "stop"
    assert found[-1] == "[DONE]"
    assert len({chunk["id"] for chunk in found[:-1]}) == 1
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in found[:-1])
    assert "| 1 3 | 2 4 |" in text


def test_a_stream_tells_usage_where_that_is_asked_for(served: Served) -> None:
    found = chunks(served, stream_options={"include_usage": True})
    assert found[-2]["choices"] == []
    assert found[-2]["usage"]["total_tokens"] > 0
    assert all(chunk["usage"] is None for chunk in found[:-2])


def test_content_may_come_in_parts_and_unknown_fields_are_ignored(served: Served) -> None:
    parts = [{"type": "text", "text": "sudoku"}, {"type": "image_url", "image_url": {"url": "x"}}]
    parts.append({"type": "text", "text": PUZZLE})
    body = {
        "messages": [
            {"role": "system", "content": "be kind"},
            {"role": "user", "content": parts, "name": "me"},
        ],
        "top_p": 0.9,
        "seed": 1,
        "tools": [{"type": "function", "function": {"name": "x"}}],
        "response_format": {"type": "text"},
        "user": "me",
        "temperature": None,
        "max_tokens": 100_000,
    }
    assert "| 1 3 | 2 4 |" in complete(served, **body).json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"messages": []}, 422),
        ({"messages": [{"role": "assistant", "content": "hi"}]}, 422),
        ({"messages": "hi"}, 422),
        ({"temperature": 9}, 422),
        ({"model": "none"}, 404),
    ],
)
def test_errors_carry_a_message_where_clients_look_for_it(served: Served, body: dict, status: int) -> None:
    answer = complete(served, **body)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
    assert answer.json()["error"]["code"]


def test_an_error_within_a_stream_is_told_in_it(served: Served) -> None:
    (first, last) = chunks(served, model="none")
    assert first["choices"]
    assert last["error"]["code"] == "no_such_model"
