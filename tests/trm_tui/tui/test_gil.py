"""The interpreter is shared with the threads that train: what the app takes, and what it puts back."""

from __future__ import annotations

import asyncio
import gc
import sys

import pytest

from trm_tui.tui import gil as shared
from trm_tui.tui.gil import Interpreter


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(shared.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def hunts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    done: list[str] = []
    monkeypatch.setattr(shared.gc, "collect", lambda: done.append("collect"))
    monkeypatch.setattr(shared.gc, "freeze", lambda: done.append("freeze"))
    return done


def test_the_process_gets_back_what_it_had() -> None:
    before = sys.getswitchinterval(), gc.get_threshold()
    with Interpreter():
        assert sys.getswitchinterval() == pytest.approx(0.0005)
        assert gc.get_threshold()[:2] == before[1][:2]
        assert gc.get_threshold()[2] > before[1][2]
    assert (sys.getswitchinterval(), gc.get_threshold()) == before


def test_a_key_has_the_lock_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_ANSWER_SECONDS", 0.0)

    async def press() -> list[float]:
        interpreter.answer()
        interpreter.answer()
        during = sys.getswitchinterval()
        await asyncio.sleep(0.01)
        return [during, sys.getswitchinterval()]

    with Interpreter() as interpreter:
        assert asyncio.run(press()) == pytest.approx([0.05, 0.0005])


def test_garbage_is_hunted_once_a_minute_and_the_first_time_the_rest_is_settled(
    clock: list[float], hunts: list[str]
) -> None:
    interpreter = Interpreter()
    for _ in range(200):
        clock[0] += 1.0
        interpreter.tidy()
    assert hunts == ["collect", "freeze", "collect", "collect"]


def test_nobody_waits_for_a_hunt(clock: list[float], hunts: list[str]) -> None:
    interpreter = Interpreter()

    async def type_for(seconds: int) -> None:
        for _ in range(seconds):
            clock[0] += 1.0
            interpreter.answer()
            interpreter.tidy()

    with interpreter:
        asyncio.run(type_for(100))
    assert hunts == []
    clock[0] += 3.0
    interpreter.tidy()
    assert hunts == ["collect", "freeze"]
