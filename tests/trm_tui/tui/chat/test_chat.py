"""The chat in the terminal: written, answered, stopped, gone through, asked again, and kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import TextArea

from tests.language_server import Stub
from tests.serving import PUZZLE, service_of, sudoku_store
from trm_engine.hardware import Hardware
from trm_engine.language.model import Message
from trm_tui.gateway.gateway import Gateway
from trm_tui.gateway.models.registry import OpenAIEntry, Registry
from trm_tui.gateway.opening import open_gateway
from trm_tui.tui.chat.app import ChatApp
from trm_tui.tui.chat.history import History
from trm_tui.tui.chat.turns import BoardView, Turn

_DEADLINE_SECONDS = 60.0


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    registry = Registry(tmp_path / "models.toml")
    found = open_gateway(service_of(sudoku_store(tmp_path / "s")), registry=registry, machine=Hardware)
    yield found
    found.languages.close()
    found.service.residents.close(5.0)


@pytest.fixture
def app(gateway: Gateway, tmp_path: Path) -> ChatApp:
    return ChatApp(gateway, History(tmp_path / "chat.json"))


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    deadline = asyncio.get_running_loop().time() + _DEADLINE_SECONDS
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it never came to be"
        await pilot.pause(0.02)


async def say(pilot: Pilot[None], text: str) -> None:
    app = pilot.app
    assert isinstance(app, ChatApp)
    app.query_one(TextArea).text = text
    await pilot.press("enter")
    await until(pilot, lambda: not app.busy)


def answer(app: ChatApp) -> Turn:
    return list(app.query(Turn))[-1]


def drive(app: ChatApp, steps) -> None:
    async def run() -> None:
        async with app.run_test(size=(90, 40)) as pilot:
            await steps(pilot)

    asyncio.run(run())


def test_a_puzzle_is_answered_with_a_board_that_can_be_gone_through(app: ChatApp) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await say(pilot, f"Please solve the sudoku {PUZZLE}")
        assert "solved" in answer(app).words.text
        assert "```" not in answer(app).words.text
        board = app.query_one(BoardView)
        assert board.at == 3
        await pilot.press("ctrl+b", "left")
        assert board.at == 2
        await pilot.press("home")
        assert board.at == 0
        await pilot.press("space")
        await until(pilot, lambda: board.at == 3)

    drive(app, steps)


def test_an_answer_is_stopped_and_the_chat_goes_on(app: ChatApp, gateway: Gateway, stub: Stub) -> None:
    gateway.languages.registry.add("llama", OpenAIEntry(url=f"{stub.url}/v1", model="slow"))

    async def steps(pilot: Pilot[None]) -> None:
        app.query_one(TextArea).text = "Good morning, sunshine!"
        await pilot.press("enter")
        await until(pilot, lambda: "Hello" in answer(app).words.text)
        await pilot.press("escape")
        await until(pilot, lambda: not app.busy)
        assert stub.broken_off.wait(10)
        await say(pilot, f"sudoku {PUZZLE}")
        assert app.query(BoardView)

    drive(app, steps)


def test_what_is_wrong_is_told_and_nothing_is_lost(app: ChatApp, gateway: Gateway) -> None:
    gateway.languages.registry.add("llama", OpenAIEntry(url="http://127.0.0.1:9/v1", model="x"))

    async def steps(pilot: Pilot[None]) -> None:
        await say(pilot, "Good morning, sunshine!")
        assert "cannot be reached" in str(answer(app).more.render())
        assert app.turns[-1] == Message("user", "Good morning, sunshine!")

    drive(app, steps)


def test_the_last_message_is_answered_again_and_edited(app: ChatApp) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await say(pilot, "Good morning, sunshine!")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: not app.busy and len(app.turns) == 2)
        await until(pilot, lambda: len(app.query(Turn)) == 2)
        await pilot.press("ctrl+e")
        assert app.query_one(TextArea).text == "Good morning, sunshine!"
        assert app.turns == []

    drive(app, steps)


def test_the_conversation_comes_back_and_can_be_forgotten(
    app: ChatApp, gateway: Gateway, tmp_path: Path
) -> None:
    async def first(pilot: Pilot[None]) -> None:
        await say(pilot, "Good morning, sunshine!")

    drive(app, first)
    again = ChatApp(gateway, History(tmp_path / "chat.json"))

    async def second(pilot: Pilot[None]) -> None:
        assert [turn.role for turn in again.turns] == ["user", "assistant"]
        assert len(again.query(Turn)) == 2
        await pilot.press("ctrl+n")
        assert again.turns == []

    drive(again, second)
    assert History(tmp_path / "chat.json").load() == []


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '{"turns": 3}', '{"turns": [3, {"role": "x"}]}'])
def test_a_broken_history_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "chat.json"
    path.write_text(text)
    assert History(path).load() == []
