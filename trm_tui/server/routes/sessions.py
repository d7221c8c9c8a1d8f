"""Sessions and their curves, read only; a running one is followed by a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from trm_engine.sessions import Session, SessionRecord
from trm_tui.server.context import Context, context_of
from trm_tui.server.curves import Mark, curve_of, list_sessions, mark_of
from trm_tui.server.errors import ApiError
from trm_tui.server.shapes import errors
from trm_tui.server.streaming import Stream, sse

router = APIRouter(tags=["training"], responses=errors(404, 429))

_LOOK_SECONDS = 1.0


@router.get("/api/sessions")
def sessions(request: Request) -> dict[str, Any]:
    """List the sessions of the folder, the newest first."""
    return {"sessions": list_sessions(context_of(request).service.residents.catalogue.store)}


@router.get("/api/sessions/{session_id}/curve")
def curve(session_id: str, request: Request) -> dict[str, Any]:
    """Return the losses and evaluations of a session so far."""
    return curve_of(*_read(context_of(request), session_id))


@router.get("/api/sessions/{session_id}/events", response_model=None)
async def follow(session_id: str, request: Request) -> Response:
    """Follow a session: an event `curve` whenever there is something new, and `end` when it has ended."""
    context = context_of(request)
    await asyncio.to_thread(_read, context, session_id)  # there must be such a session before a stream begins
    if context.streams_open >= context.settings.limits.streams:
        headers = {"Retry-After": "5"}
        raise ApiError(429, "as many sessions are followed as may be", code="busy", headers=headers)
    context.streams_open += 1

    def closed() -> None:
        context.streams_open -= 1

    return Stream(_events(context, session_id), "text/event-stream", closed, keep_alive=True)


async def _events(context: Context, session_id: str) -> AsyncIterator[bytes]:
    told: Mark | None = None
    number = 0
    while not context.is_closing:
        session, record = await asyncio.to_thread(_read, context, session_id)
        mark = await asyncio.to_thread(mark_of, session, record)
        if mark != told:
            told = mark
            found = await asyncio.to_thread(curve_of, session, record)
            yield sse("curve" if found["going"] else "end", found, number)
            number += 1
            if not found["going"]:
                return
        try:
            await asyncio.wait_for(context.closing.wait(), _LOOK_SECONDS)
        except asyncio.TimeoutError:
            continue


def _read(context: Context, session_id: str) -> tuple[Session, SessionRecord]:
    """Return a session with its record as it is now."""
    store = context.service.residents.catalogue.store
    session = store.get(session_id)
    return session, session.record.model_copy(update={"status": session.status})
