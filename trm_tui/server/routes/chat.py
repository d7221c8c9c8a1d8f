"""Chat: messages with puzzles in them or without, answered at once or piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from trm_tui.gateway.listing import models_json
from trm_tui.gateway.reply import Ask, Reply, as_turns
from trm_tui.server.bridge import client_gone
from trm_tui.server.chats import Chat
from trm_tui.server.context import Context, context_of
from trm_tui.server.errors import ApiError
from trm_tui.server.shapes import ChatBody, errors
from trm_tui.server.streaming import Stream, sse

router = APIRouter(tags=["chat"], responses=errors(404, 408, 409, 413, 415, 422, 429, 502, 503, 504))


@router.post("/api/chat", response_model=None)
async def chat(body: ChatBody, request: Request) -> Response:
    """Answer a message.

    Puzzles in it are found by code, solved by a trained session and checked by the rules; a language model,
    where one is set up, words the answer or talks. The grid of an answer always comes from the solver. With
    `stream`, server-sent events tell what happens: route, puzzle, step, view, grid, text, and last done
    (whose `response` is what counts) or error. Closing the connection stops the answer.
    """
    context = context_of(request)
    begun = begin(context, ask_of(context, body))
    if body.stream:
        return Stream(_events(begun), "text/event-stream", begun.stop.set, keep_alive=True)
    reply = await replied(begun, request)
    return Response(status_code=499) if reply is None else JSONResponse(reply.to_json())


@router.get("/api/chat/models")
def chat_models(request: Request) -> dict[str, Any]:
    """List who can be talked to, with what is in memory, and which is selected."""
    return models_json(context_of(request).chats.gateway)


def begin(context: Context, ask: Ask) -> Chat:
    """Begin to answer, unless the server is being stopped."""
    context.require_open()
    return context.chats.begin(ask)


async def replied(begun: Chat, request: Request) -> Reply | None:
    """Return the reply when it is there; None when the asker goes first, and the answer is stopped."""
    ending = asyncio.ensure_future(begun.reply())
    leaving = asyncio.ensure_future(client_gone(request))
    try:
        await asyncio.wait({ending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return ending.result() if ending.done() else None
    finally:
        begun.stop.set()
        for task in (ending, leaving):
            task.cancel()


def ask_of(context: Context, body: ChatBody) -> Ask:
    """Return what was asked, within the bounds of the server."""
    limits = context.settings.limits
    texts = [body.context] if isinstance(body.context, str) else list(body.context or ())
    return Ask(
        message=body.message,
        history=as_turns([turn.model_dump() for turn in body.history]),
        model=body.model,
        context=texts,
        max_tokens=body.max_tokens,
        temperature=body.temperature,
        seconds=limits.chat_seconds,
    )


async def _events(begun: Chat) -> AsyncIterator[bytes]:
    number = 0
    try:
        async for told in begun.events():
            if isinstance(told, Reply):
                yield sse("done", told.to_json(), number)
            else:
                yield sse(told[0], told[1], number)
            number += 1
    except ApiError as error:
        yield sse("error", error.body["error"], number)
