"""What is said to a language model, what it answers, and what every kind of them can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from trm_engine.errors import TrmError
from trm_engine.language.stop import Stop
from trm_engine.remedies import Advice
from trm_engine.text import one_line

Role = Literal["system", "user", "assistant", "tool"]
Hear: TypeAlias = Callable[[str], None]
"""Hears an answer piece by piece."""

_CHARACTERS_A_TOKEN = 3
"""Few, so that a context is rather left unfilled than overrun; English has about four."""
_BESIDE_TEXT = 8
"""Tokens of a message beside its text: its role and its ends."""


class LanguageError(TrmError):
    """A language model that cannot answer: `code` does not change; a hint or a remedy says what to do."""

    def __init__(self, code: str, message: str, todo: str | Advice) -> None:
        remedy = todo if isinstance(todo, Advice) else None
        super().__init__(message, remedies=() if remedy is None else (remedy,))
        self.code, self.hint = code, todo if isinstance(todo, str) else ""

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else super().__str__()


def said_in(error: object) -> str:
    """Return the message in an error of a server, which has one of several forms, as one short line."""
    return one_line(str(error.get("message", error) if isinstance(error, Mapping) else error))


@dataclass(frozen=True)
class ToolCall:
    """A tool that the model wants called; `arguments` is the JSON text that it wrote."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Message:
    """One turn of a conversation. `call` is the identifier of the tool call that a `tool` turn answers."""

    role: Role
    content: str
    calls: tuple[ToolCall, ...] = ()
    call: str = ""

    @property
    def tokens(self) -> int:
        """About how many tokens it takes, rather too many."""
        text = self.content + "".join(call.arguments for call in self.calls)
        return len(text.encode("utf-8", "replace")) // _CHARACTERS_A_TOKEN + _BESIDE_TEXT


@dataclass(frozen=True)
class Tool:
    """A function that a model may ask for; `parameters` is its JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Wish:
    """What is asked of a model. `seconds` bounds the whole answer; with `schema`, it is JSON of that form."""

    messages: Sequence[Message]
    max_tokens: int = 512
    temperature: float = 0.7
    seconds: float = 300.0
    schema: Mapping[str, Any] | None = None
    tools: Sequence[Tool] = ()


@dataclass(frozen=True)
class Completion:
    """What came of it. Counts of tokens are None where the model does not tell them."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    finish: Literal["stop", "length", "calls", "time"] = "stop"
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class LanguageModel(ABC):
    """A model that answers conversations. Any thread may ask; a stopped answer raises `StoppedError`."""

    name: str
    context: int
    """Tokens of conversation and answer together."""
    takes_tools: bool = False

    @abstractmethod
    def answer(self, wish: Wish, hear: Hear, stop: Stop) -> Completion:
        """Answer, telling each piece as it comes. Raises `LanguageError` where that is not possible."""


def fitted(messages: Sequence[Message], tokens: int) -> tuple[list[Message], int]:
    """Return the messages that fit into a context, and how many turns had to be left out.

    What stands first (the system's words) and the last turn stay; the oldest turns between them go. Raises
    `LanguageError` with both numbers when the two alone are too long.
    """
    head = [message for message in messages[:1] if message.role == "system"]
    turns = list(messages[len(head) :])
    left = tokens - sum(message.tokens for message in (*head, *turns[-1:]))
    if left < 0:
        needed = tokens - left
        raise LanguageError(
            "context_too_long",
            f"the message has about {needed} tokens, and the model reads {max(tokens, 0)}",
            Advice.GIVE_CONTEXT,
        )
    kept = turns[-1:]
    for message in reversed(turns[:-1]):
        left -= message.tokens
        if left < 0:
            break
        kept.insert(0, message)
    while len(kept) > 1 and kept[0].role != "user":
        kept.pop(0)  # an answer without its question means nothing
    return [*head, *kept], len(turns) - len(kept)
