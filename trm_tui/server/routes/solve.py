"""Puzzles solved: one at a time, streamed step by step, or as a cloud host of models asks."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from trm_tui.server.asking import CancelledError, GoneError, Ticket, answered, events, hand_in, handed_in
from trm_tui.server.bridge import Conversation
from trm_tui.server.context import context_of
from trm_tui.server.errors import ApiError
from trm_tui.server.shapes import SolveBody, errors
from trm_tui.server.streaming import Stream

router = APIRouter(tags=["solve"], responses=errors(404, 408, 409, 413, 415, 422, 429, 503))


@router.post("/api/solve", response_model=None)
async def solve(body: SolveBody, request: Request) -> Response:
    """Solve a puzzle.

    The answer tells whether the rules accept it, every step on the way, how sure the model was of each cell,
    and how it compares with the truth where that was sent. With `stream`, server-sent events tell of each
    step as it is taken: accepted, step, view, done or error. Closing the connection ends the work.
    """
    ticket = await _ticket(body, request)
    if body.stream:
        return Stream(events(ticket), "text/event-stream", ticket.close, keep_alive=True)
    try:
        answer = await answered(ticket, request)
    except GoneError:
        return Response(status_code=499)  # nobody reads it
    return Response(ticket.body(answer), media_type="application/json")


@router.delete("/api/solve/{ticket}")
async def cancel(ticket: str, request: Request) -> dict[str, Any]:
    """Cancel a question, for clients that cannot close the connection."""
    job = context_of(request).jobs.get(ticket)
    if job is None or job.over:
        raise ApiError(404, "there is no such question under way", code="no_such_question")
    job.fail(CancelledError())
    return {"id": ticket, "cancelled": True}


@router.post("/invocations", response_model=None)
async def invocations(body: SolveBody, request: Request) -> Response:
    """Solve a puzzle, as hosts of models in the cloud ask for it."""
    return await solve(body, request)


async def _ticket(body: SolveBody, request: Request) -> Ticket:
    conversation = Conversation()
    context = context_of(request)
    return await handed_in(partial(hand_in, context, body, conversation))
