"""Servers of language models, by URL: any that speaks OpenAI's form, and Ollama in its own.

Ollama is spoken to in its own form because only there the length of its context can be asked for; in
OpenAI's form it drops the beginning of a long conversation without a word.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from trm_engine.language.http import Place, check_url, lines_of
from trm_engine.language.model import (
    Completion,
    Hear,
    LanguageError,
    LanguageModel,
    Message,
    Tool,
    ToolCall,
    Wish,
    said_in,
)
from trm_engine.language.stop import Stop
from trm_engine.text import one_line, safe_text

_MOST_CALLS = 8


def token_header(variable: str) -> dict[str, str]:
    """Return the header with the token that a variable of the environment holds; none without a variable."""
    if not variable:
        return {}
    token = os.environ.get(variable, "").strip()
    if not token:
        raise LanguageError(
            "missing_token",
            f"the variable {safe_text(variable)} holds no token",
            f"Set it before you start the program: export {safe_text(variable)}=…",
        )
    if not token.isascii() or not token.isprintable():
        raise LanguageError(
            "missing_token", f"{safe_text(variable)} holds no token", "It must be plain text."
        )
    return {"Authorization": f"Bearer {token}"}


class ServedModel(LanguageModel):
    """A model of a server that is reached by URL. The token is in a variable of the environment."""

    def __init__(
        self, name: str, url: str, model: str, *, context: int, token_variable: str = "", tools: bool = True
    ) -> None:
        check_url(url)
        self.name, self.context, self.takes_tools = name, context, tools
        self._place = Place(url, token_header(token_variable))
        self._model = model


class OpenAIModel(ServedModel):
    """A model behind `/chat/completions`: `url` is what comes before that, as `http://127.0.0.1:1234/v1`."""

    def answer(self, wish: Wish, hear: Hear, stop: Stop) -> Completion:
        """Answer as the server streams it."""
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [_openai_turn(message) for message in wish.messages],
            "max_tokens": wish.max_tokens,
            "temperature": wish.temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if wish.tools:
            body["tools"] = [_tool_json(tool) for tool in wish.tools]
        if wish.schema is not None:
            form = {"name": "answer", "schema": dict(wish.schema), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        taken = _Answer(hear)
        with lines_of(self._place, "/chat/completions", body, stop, seconds=wish.seconds) as lines:
            for chunk in _events(lines):
                if chunk is None:
                    return taken.completion()
                taken.take_openai(chunk)
        if taken.finished:
            return taken.completion()
        raise _cut(self._place)

    def offered(self, seconds: float = 10.0) -> list[str]:
        """Return the names of the models that the server offers."""
        return _names(_get(self._place, "/models", seconds), "data", "id")


class OllamaModel(ServedModel):
    """A model of Ollama: `url` is the server's, as `http://127.0.0.1:11434`."""

    def answer(self, wish: Wish, hear: Hear, stop: Stop) -> Completion:
        """Answer as the server streams it."""
        options = {
            "num_ctx": self.context,
            "num_predict": wish.max_tokens,
            "temperature": wish.temperature,
        }
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [_ollama_turn(message) for message in wish.messages],
            "stream": True,
            "options": options,
        }
        if wish.tools:
            body["tools"] = [_tool_json(tool) for tool in wish.tools]
        if wish.schema is not None:
            body["format"] = dict(wish.schema)
        taken = _Answer(hear)
        with lines_of(self._place, "/api/chat", body, stop, seconds=wish.seconds) as lines:
            for line in lines:
                if line.strip():
                    taken.take_ollama(_parsed(line))
                if taken.finished:
                    return taken.completion()
        raise _cut(self._place)

    def offered(self, seconds: float = 10.0) -> list[str]:
        """Return the names of the models that the server has."""
        return _names(_get(self._place, "/api/tags", seconds), "models", "name")


class _Answer:
    """An answer as its pieces come."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear
        self._text: list[str] = []
        self._calls: dict[int, dict[str, str]] = {}
        self._counts: tuple[int | None, int | None] = (None, None)
        self.finished = ""

    def take_openai(self, chunk: Mapping[str, Any]) -> None:
        _raise_error(chunk)
        usage = chunk.get("usage")
        if isinstance(usage, Mapping):
            self._counts = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            delta = choice.get("delta") or choice.get("message") or {}
            self._say(delta.get("content"))
            for number, call in enumerate(delta.get("tool_calls") or ()):
                self._call(int(call.get("index", number)), call.get("id"), call.get("function") or {})
            self.finished = str(choice.get("finish_reason") or self.finished)

    def take_ollama(self, chunk: Mapping[str, Any]) -> None:
        _raise_error(chunk)
        message = chunk.get("message") or {}
        self._say(message.get("content"))
        for call in message.get("tool_calls") or ():
            self._call(len(self._calls), "", call.get("function") or {})
        if chunk.get("done"):
            self.finished = str(chunk.get("done_reason") or "stop")
            self._counts = _count(chunk.get("prompt_eval_count")), _count(chunk.get("eval_count"))

    def _say(self, piece: object) -> None:
        if isinstance(piece, str) and piece:
            self._text.append(piece)
            self._hear(piece)

    def _call(self, index: int, identifier: object, function: Mapping[str, Any]) -> None:
        if index not in self._calls and len(self._calls) >= _MOST_CALLS:
            return
        call = self._calls.setdefault(index, {"id": "", "name": "", "arguments": ""})
        call["id"] = str(identifier or call["id"] or f"call_{index}")
        call["name"] += str(function.get("name") or "")
        arguments = function.get("arguments") or ""
        call["arguments"] += arguments if isinstance(arguments, str) else json.dumps(arguments)

    def completion(self) -> Completion:
        calls = tuple(ToolCall(**self._calls[index]) for index in sorted(self._calls))
        text = "".join(self._text)
        finish = "calls" if calls else "length" if self.finished == "length" else "stop"
        return Completion(text, calls, finish, *self._counts)  # type: ignore[arg-type]  # one of the words


def _events(lines: Iterator[str]) -> Iterator[dict[str, Any] | None]:
    """Yield the data of server-sent events; None at their proper end."""
    for line in lines:
        if not line.startswith("data:"):
            continue
        data = line[5:].strip()
        if data == "[DONE]":
            yield None
            return
        yield _parsed(data)


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise LanguageError(
            "not_understood", "the server's answer is not in the form that was asked for", "Is the URL right?"
        )
    return found


def _raise_error(chunk: Mapping[str, Any]) -> None:
    error = chunk.get("error")
    if error:
        raise LanguageError("refused", f"the server failed: {said_in(error)}", "Its log may say more.")


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _get(place: Place, path: str, seconds: float) -> dict[str, Any]:
    with lines_of(place, path, None, Stop(), seconds=seconds) as lines:
        text = "".join(lines)
    return _parsed(text)


def _names(found: Mapping[str, Any], field: str, name: str) -> list[str]:
    listed = found.get(field)
    models = listed if isinstance(listed, list) else []
    return [one_line(str(one.get(name, "")), 120) for one in models if isinstance(one, Mapping)][:200]


def _cut(place: Place) -> LanguageError:
    return LanguageError("cut", f"{place.shown} broke off its answer", "Ask again; its log may say why.")


def _tool_json(tool: Tool) -> dict[str, Any]:
    about = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": about}


def _openai_turn(message: Message) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.calls:
        turn["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.calls
        ]
    if message.role == "tool":
        turn["tool_call_id"] = message.call
    return turn


def _ollama_turn(message: Message) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.calls:
        turn["tool_calls"] = [
            {"function": {"name": call.name, "arguments": _arguments(call.arguments)}}
            for call in message.calls
        ]
    return turn


def _arguments(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = {}
    return found if isinstance(found, dict) else {}
