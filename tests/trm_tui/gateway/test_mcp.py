"""The three tools over MCP: as the protocol says, and nothing beyond them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.serving import PUZZLE, SOLUTION
from trm_tui.gateway.mcp import McpServer


@pytest.fixture
def ask(chat_with):
    """Return a function that sends lines, and returns what comes back by its id."""
    chat = chat_with()

    def send(*lines: object) -> dict[Any, dict[str, Any]]:
        sent: list[str] = []
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        McpServer(chat.gateway.service, sent.append).serve(texts)
        return {found.get("id"): found for found in map(json.loads, sent)}

    return send


def request(number: int, method: str, **parameters: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}


def call(number: int, name: str, **arguments: Any) -> dict[str, Any]:
    return request(number, "tools/call", name=name, arguments=arguments)


def test_it_introduces_itself_in_the_clients_version_and_lists_its_tools(ask) -> None:
    found = ask(
        request(1, "initialize", protocolVersion="2025-03-26", capabilities={}),
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        request(2, "tools/list"),
        request(3, "ping"),
    )
    assert found[1]["result"]["protocolVersion"] == "2025-03-26"
    assert [tool["name"] for tool in found[2]["result"]["tools"]] == [
        "solve_puzzle",
        "check_answer",
        "list_models",
    ]
    assert found[3]["result"] == {}
    assert len(found) == 3


def test_it_solves_checks_and_lists(ask) -> None:
    found = ask(
        call(1, "solve_puzzle", puzzle=PUZZLE),
        call(2, "check_answer", puzzle=PUZZLE, answer=SOLUTION),
        call(3, "check_answer", puzzle=PUZZLE, answer="1" * 16),
        call(4, "list_models"),
    )
    assert found[1]["result"]["structuredContent"]["line"] == SOLUTION
    assert json.loads(found[1]["result"]["content"][0]["text"])["solved"] is True
    assert found[2]["result"]["structuredContent"]["solved"] is True
    assert found[3]["result"]["structuredContent"]["solved"] is False
    assert found[4]["result"]["structuredContent"]["models"][0]["kind"] == "sudoku"


def test_what_cannot_be_done_is_told_to_the_model(ask) -> None:
    found = ask(
        call(1, "solve_puzzle", puzzle="/etc/passwd"), call(2, "solve_puzzle"), call(3, "check_answer")
    )
    assert all(found[number]["result"]["isError"] for number in (1, 2, 3))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{nonsense", -32700),
        ("[" * 5000, -32700),
        ("[]", -32600),
        ('{"id": 1, "method": "ping"}', -32600),
        (request(1, "resources/read", uri="file:///etc/passwd"), -32601),
        (call(1, "run_shell", command="ls"), -32602),
        (request(1, "tools/call", name=3), -32602),
        (request(1, "tools/call", name="solve_puzzle", arguments=[1]), -32602),
    ],
)
def test_anything_else_is_refused(ask, line: object, code: int) -> None:
    (found,) = ask(line).values()
    assert found["error"]["code"] == code
