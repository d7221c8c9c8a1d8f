"""The form that clients of OpenAI speak, so that they talk to this server unchanged."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from trm_engine.language.model import Message
from trm_tui.gateway.listing import models_json
from trm_tui.gateway.reply import Ask, Reply, as_turns
from trm_tui.server.chats import Chat
from trm_tui.server.context import Context, context_of
from trm_tui.server.errors import ApiError
from trm_tui.server.routes.chat import begin, replied
from trm_tui.server.shapes import CompletionBody, errors
from trm_tui.server.streaming import Stream

router = APIRouter(tags=["openai"], responses=errors(404, 408, 409, 413, 415, 422, 429, 502, 503, 504))


@router.get("/v1/models")
def models(request: Request) -> dict[str, Any]:
    """List the models by the names that a completion is asked with."""
    listed = models_json(context_of(request).chats.gateway)["models"]
    return {"object": "list", "data": [_model(one["id"]) for one in listed]}


@router.get("/v1/models/{model:path}")
def model(model: str, request: Request) -> dict[str, Any]:
    """Return one of the models."""
    listed = models_json(context_of(request).chats.gateway)["models"]
    if not any(one["id"] == model for one in listed):
        raise ApiError(404, "there is no such model", code="no_such_model", hint="GET /v1/models lists them.")
    return _model(model)


@router.post("/v1/chat/completions", response_model=None)
async def completions(body: CompletionBody, request: Request) -> Response:
    """Answer the last message of a conversation; fields that this server has no use for are ignored."""
    context = context_of(request)
    begun = begin(context, _ask(context, body))
    about = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": body.model}
    if body.stream:
        pieces = _chunks(begun, about, body)
        return Stream(pieces, "text/event-stream", begun.stop.set, keep_alive=True)
    reply = await replied(begun, request)
    if reply is None:
        return Response(status_code=499)  # nobody reads it
    message = {"role": "assistant", "content": reply.response}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    found = {**about, "object": "chat.completion", "choices": [choice], "usage": _usage(body, reply)}
    return JSONResponse(found)


async def _chunks(begun: Chat, about: dict[str, Any], body: CompletionBody) -> AsyncIterator[bytes]:
    about = {**about, "object": "chat.completion.chunk"}
    with_usage = body.stream_options is not None and body.stream_options.include_usage
    blank = {"usage": None} if with_usage else {}
    yield _chunk({**about, **blank, "choices": [_delta({"role": "assistant", "content": ""})]})
    try:
        async for told in begun.events():
            if isinstance(told, Reply):
                yield _chunk({**about, **blank, "choices": [_delta({}, "stop")]})
                if with_usage:
                    yield _chunk({**about, "choices": [], "usage": _usage(body, told)})
            elif told[0] == "text":
                yield _chunk({**about, **blank, "choices": [_delta({"content": told[1]["text"]})]})
    except ApiError as error:
        yield _chunk(error.body)
        return
    yield b"data: [DONE]\n\n"


def _chunk(value: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(value, separators=(',', ':'))}\n\n".encode()


def _delta(delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}


def _ask(context: Context, body: CompletionBody) -> Ask:
    turns = as_turns([{"role": one.role, "content": one.text} for one in body.messages])
    last = next((at for at in range(len(turns) - 1, -1, -1) if turns[at].role == "user"), None)
    if last is None:
        raise ApiError(422, "messages: there is none of the user")
    seconds = context.settings.limits.chat_seconds
    history = turns[:last]
    most = min(body.max_completion_tokens or body.max_tokens or 512, 8192)
    temperature = 0.7 if body.temperature is None else body.temperature
    return Ask(turns[last].content, history, body.model, (), most, temperature, seconds)


def _usage(body: CompletionBody, reply: Reply) -> dict[str, int]:
    """Return counts of tokens: the language model's, or about as many as the texts have."""
    read, written = reply.tokens
    read = read or sum(Message("user", one.text).tokens for one in body.messages)
    written = written or Message("assistant", reply.response).tokens
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "trm-tui"}
