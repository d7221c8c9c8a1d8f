"""A conversation is cut to a model's context from its oldest turns, and what was left out is counted."""

from __future__ import annotations

import pytest

from trm_engine.language.model import LanguageError, Message, fitted

SYSTEM = Message("system", "be brief")


def turns(count: int, words: str = "word " * 20) -> list[Message]:
    return [Message("user" if number % 2 == 0 else "assistant", words) for number in range(count)]


def test_what_fits_stays_whole() -> None:
    messages = [SYSTEM, *turns(3)]
    assert fitted(messages, 10_000) == (messages, 0)


def test_the_oldest_turns_go_first_and_are_counted() -> None:
    messages = [SYSTEM, *turns(21)]
    kept, left_out = fitted(messages, 400)
    assert kept[0] == SYSTEM
    assert kept[1].role == "user"
    assert kept[-1] == messages[-1]
    assert left_out == 21 - (len(kept) - 1) > 0
    assert sum(message.tokens for message in kept) <= 400


def test_a_message_that_is_too_long_by_itself_is_refused_with_both_numbers() -> None:
    with pytest.raises(LanguageError) as caught:
        fitted([SYSTEM, Message("user", "x" * 9000)], 1000)
    assert caught.value.code == "context_too_long"
    assert "1000" in caught.value.message
