"""A puzzle on its way through the server: the cache, the queue, and the answer as JSON."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from trm_engine import __version__
from trm_engine.serving.answers import answer_json, question_json, step_json
from trm_engine.serving.cache import cache_key
from trm_engine.serving.puzzles import question_of
from trm_engine.serving.residents import Resident
from trm_engine.serving.solving import Done, Effort, Failed, Job, Question, Step, ViewBegun
from trm_tui.server.bridge import Conversation, client_gone
from trm_tui.server.context import Context
from trm_tui.server.errors import ApiError
from trm_tui.server.shapes import SolveBody
from trm_tui.server.streaming import sse

Json = dict[str, Any]


class CancelledError(Exception):
    """The asker has cancelled the question."""


class GoneError(Exception):
    """The asker has closed the connection."""


@dataclass
class Ticket:
    """A question that has been handed in, or found answered in the cache."""

    id: str
    context: Context
    resident: Resident
    question: Question
    key: str
    began: float
    steps: bool
    """Whether the answer holds the grid after every step."""
    written: bytes = b""
    """The answer as it is kept: without what belongs to this question alone."""
    cached: bytes | None = None
    job: Job | None = None
    conversation: Conversation | None = None

    def close(self) -> None:
        """Wait for the answer no longer."""
        if self.job is not None:
            self.context.service.abandon(self.job)

    def finish(self, end: Done | Failed) -> Json:
        """Return the answer that has come, and keep it for the next who asks the same."""
        if isinstance(end, Failed):
            raise _failure(end.error)
        answer = answer_json(self.resident, end.answer, steps=self.steps)
        self.written = json.dumps(answer, separators=(",", ":")).encode()
        if end.answer.ended != "time":
            self.context.cache.put(self.key, self.written)
        return {**answer, **self._own(cached=False)}

    def from_cache(self) -> Json:
        """Return the answer that was kept."""
        assert self.cached is not None
        self.written = self.cached
        return {**json.loads(self.cached), **self._own(cached=True)}

    def body(self, answer: Json) -> bytes:
        """Return an answer of `finish` or `from_cache` as JSON, most of which is written already."""
        own = {name: answer[name] for name in ("id", "cached", "milliseconds")}
        return json.dumps(own).encode()[:-1] + b"," + self.written[1:]

    def _own(self, *, cached: bool) -> Json:
        seconds = time.perf_counter() - self.began
        self.context.seconds_of_answers += seconds
        return {"id": self.id, "cached": cached, "milliseconds": round(1000 * seconds, 1)}


def hand_in(context: Context, body: SolveBody, conversation: Conversation) -> Ticket:
    """Read a puzzle, choose its model, look into the cache, and queue it where it is not there.

    Runs beside the event loop: a model may have to be loaded. Raises what `errors.api_error` knows.
    """
    context.require_open()
    began = time.perf_counter()
    asked = body.asked(body.truth)
    resident = context.service.choose(body.model, asked)
    question = question_of(resident.task, asked)
    effort = context.effort(resident, body)
    told = body.stream and body.steps
    return queue(context, resident, question, effort, conversation, began, steps=body.steps, told=told)


async def handed_in(hand: Callable[[], Ticket]) -> Ticket:
    """Hand in a question beside the event loop; one whose asker leaves meanwhile is taken back."""
    handing = asyncio.ensure_future(asyncio.to_thread(hand))
    try:
        return await asyncio.shield(handing)
    except asyncio.CancelledError:
        handing.add_done_callback(_take_back)
        raise


def _take_back(handing: asyncio.Future[Ticket]) -> None:
    if not handing.cancelled() and handing.exception() is None:
        handing.result().close()


def queue(
    context: Context,
    resident: Resident,
    question: Question,
    effort: Effort,
    conversation: Conversation,
    began: float,
    *,
    steps: bool,
    told: bool,
) -> Ticket:
    """Find a question in the cache, or hand it in.

    With `steps`, the answer holds the grid after each; with `told`, the conversation hears of each as well.
    """
    truth = None if question.truth is None else question.truth.tolist()
    key = cache_key(
        [
            __version__,
            resident.digest,
            question.puzzle.tolist(),
            question.puzzle_id,
            truth,
            effort.until,
            effort.max_steps,
            effort.views,
            steps,
        ]
    )
    ticket = Ticket(secrets.token_hex(6), context, resident, question, key, began, steps)
    ticket.cached = context.cache.get(key)
    if ticket.cached is None:
        ticket.conversation = conversation
        ticket.job = context.service.ask(resident, question, effort, conversation.tell, steps=told)
        context.jobs[ticket.id] = ticket.job
    return ticket


async def answered(ticket: Ticket, request: Request | None = None) -> Json:
    """Return the answer when it is there. Raises `GoneError` when the asker of `request` goes first."""
    if ticket.conversation is None:
        return ticket.from_cache()
    ending = asyncio.ensure_future(ticket.conversation.end())
    waits = {ending}
    leaving = None if request is None else asyncio.ensure_future(client_gone(request))
    try:
        everything = {*waits, leaving} if leaving is not None else waits
        await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            raise GoneError
        return await asyncio.to_thread(ticket.finish, ending.result())
    finally:
        ending.cancel()
        if leaving is not None:
            leaving.cancel()
        ticket.close()


async def events(ticket: Ticket) -> AsyncIterator[bytes]:
    """Yield what happens to a question as server-sent events: accepted, step …, view …, done or error.

    Steps and views are told where the answer is to hold steps.
    """
    task = ticket.resident.task
    number = 0
    question = question_json(task, ticket.question)
    head = {"id": ticket.id, "model": ticket.resident.served.session, "kind": ticket.resident.served.kind}
    yield sse("accepted", {**head, **question, "queue": sum(ticket.resident.batcher.load)}, number)
    if ticket.conversation is None:
        answer = ticket.from_cache()
        for step in answer.get("steps", ()):
            number += 1
            yield sse("step", step, number)
        yield sse("done", answer, number + 1)
        return
    while True:
        event = await ticket.conversation.next()
        number += 1
        if isinstance(event, Step):
            yield sse("step", step_json(task, event), number)
        elif isinstance(event, ViewBegun):
            yield sse("view", {"view": event.view}, number)
        else:
            yield _last(ticket, event, number)
            return


def _last(ticket: Ticket, end: Done | Failed, number: int) -> bytes:
    try:
        answer = ticket.finish(end)
    except ApiError as error:
        return sse("error", error.body["error"], number)
    return sse("done", answer, number)


def _failure(error: BaseException) -> ApiError:
    if isinstance(error, CancelledError):
        return ApiError(409, "the question was cancelled", code="cancelled")
    if isinstance(error, MemoryError):
        return ApiError(503, "the server is short of memory", code="no_memory", headers={"Retry-After": "10"})
    if isinstance(error, RuntimeError) and "shutting down" in str(error):
        return ApiError(503, "the server is shutting down", code="closing", headers={"Retry-After": "5"})
    return ApiError(500, "the model could not compute an answer", code="internal")
