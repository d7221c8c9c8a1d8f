"""Many puzzles in one request."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from trm_engine.errors import TrmError
from trm_engine.serving.puzzles import Asked, question_of
from trm_engine.serving.residents import Resident
from trm_engine.serving.service import BusyError
from trm_engine.text import safe_text
from trm_tui.server.asking import Ticket, answered, handed_in, queue
from trm_tui.server.batches import Batch, Item, Row, read_list, write_csv
from trm_tui.server.bridge import Conversation, client_gone
from trm_tui.server.context import Context, context_of
from trm_tui.server.errors import ApiError, api_error
from trm_tui.server.shapes import BatchBody, EffortBody, errors
from trm_tui.server.streaming import Stream

router = APIRouter(tags=["batch"], responses=errors(404, 408, 409, 413, 415, 422, 429, 503))

_BUSY_SECONDS = 0.25
_TRIED = 5
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": BatchBody.model_json_schema(ref_template="#/components/schemas/{model}")
        },
        "text/csv": {"schema": {"type": "string", "example": "puzzle,solution\n1..4......4..23.,\n"}},
    },
}


@router.post("/api/batch", response_model=None, openapi_extra={"requestBody": _BODY})
async def batch(request: Request, model: str = "auto", stream: bool = False, wait: bool = True) -> Response:
    """Solve many puzzles: JSON, or a list or CSV of puzzles with their solutions where known.

    Results come as JSON, as CSV (`Accept: text/csv`), as lines of JSON while they are made (`stream`), or
    later (`wait=false`): then the answer holds an id to ask for progress with.
    """
    context = context_of(request)
    context.require_open()
    if context.batches.full:
        headers = {"Retry-After": "5"}
        raise ApiError(429, "as many batches run as may", code="busy", headers=headers)
    body, items = await _read(request, context, model, stream, wait)
    resident = await asyncio.to_thread(_resident, context, body.model, items)
    found = context.batches.add(items, resident.served.session)
    found.start(
        lambda number, item: _solve(context, resident, body, number, item), context.settings.limits.batch_rows
    )
    if not body.wait and not body.stream:
        return JSONResponse(found.summary(), 202, headers={"Location": f"/api/batch/{found.id}"})
    if body.stream:
        return Stream(_lines(found), "application/x-ndjson", found.cancel, keep_alive=False)
    return await _results(request, found)


@router.get("/api/batch/{batch_id}", response_model=None)
async def progress(batch_id: str, request: Request) -> Response:
    """Tell how far a batch is, with the rows there are."""
    found = _known(request, batch_id)
    if "text/csv" in request.headers.get("accept", ""):
        return Response(write_csv(found.rows), media_type="text/csv; charset=utf-8")
    return JSONResponse({**found.summary(), "rows": sorted(found.rows, key=lambda row: row["number"])})


@router.delete("/api/batch/{batch_id}")
async def cancel(batch_id: str, request: Request) -> dict[str, Any]:
    """Stop a batch; what is answered can still be had."""
    found = _known(request, batch_id)
    found.cancel()
    return found.summary()


def _known(request: Request, batch_id: str) -> Batch:
    found = context_of(request).batches.get(batch_id)
    if found is None:
        raise ApiError(404, "there is no such batch; old ones are forgotten", code="no_such_batch")
    return found


async def _read(
    request: Request, context: Context, model: str, stream: bool, wait: bool
) -> tuple[BatchBody, list[Item]]:
    data = await request.body()
    most = context.settings.limits.batch_puzzles
    if request.headers.get("content-type", "").startswith("text/csv"):
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ApiError(400, "the list is not UTF-8 text") from None
        items = await asyncio.to_thread(read_list, text, most)
        return BatchBody(
            puzzles=[item.puzzle[:1] for item in items[:1]], model=model, stream=stream, wait=wait
        ), items
    try:
        body = BatchBody.model_validate_json(data)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_input=False, include_url=False)) from None
    items = [Item(one) if isinstance(one, str) else Item(one.puzzle, one.truth or "") for one in body.puzzles]
    if len(items) > most:
        raise ApiError(422, f"a batch has at most {most:,} puzzles; this one has {len(items):,}")
    return body, items


def _resident(context: Context, model: str, items: list[Item]) -> Resident:
    """Return the model for a batch: the one named, or the best for the first puzzle that any reads."""

    def attempt(item: Item) -> Resident | TrmError:
        try:
            return context.service.choose(model, Asked(text=item.puzzle))
        except TrmError as error:
            return error

    met: list[TrmError] = []
    for found in map(attempt, items[:_TRIED]):
        if isinstance(found, Resident):
            return found
        met.append(found)
    raise met[0]


async def _solve(context: Context, resident: Resident, body: EffortBody, number: int, item: Item) -> Row:
    """Return the row of one puzzle; where the queue is full, wait for room."""
    row: Row = {"number": number + 1, "puzzle": item.puzzle[:4000], "status": "error", "exact": None}
    while True:
        try:
            conversation = Conversation()
            ticket = await handed_in(partial(_hand_in, context, resident, body, item, conversation))
            answer = await answered(ticket)
        except BusyError:
            await asyncio.sleep(_BUSY_SECONDS)
            continue
        except (ApiError, TrmError) as error:
            told = error if isinstance(error, ApiError) else api_error(error)
            return {**row, "error": safe_text(told.detail.encode("utf-8", "replace").decode())[:300]}
        return row | _columns(answer)


def _hand_in(
    context: Context, resident: Resident, body: EffortBody, item: Item, conversation: Conversation
) -> Ticket:
    context.require_open()
    began = time.perf_counter()
    question = question_of(resident.task, Asked(text=item.puzzle, truth=item.truth))
    effort = context.effort(resident, body)
    return queue(context, resident, question, effort, conversation, began, steps=False, told=False)


def _columns(answer: dict[str, Any]) -> Row:
    compared = answer["compared"] or {}
    names = ("answer", "status", "reason", "steps_used", "views_used", "halt_probability", "milliseconds")
    found: Row = {name: answer[name] for name in names}
    return found | {name: compared.get(name) for name in ("exact", "right", "of")}


async def _lines(found: Batch) -> AsyncIterator[bytes]:
    yield _line(found.summary())
    async for row in found.stream():
        yield _line(row)
    yield _line(found.summary())


def _line(value: Row) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


async def _results(request: Request, found: Batch) -> Response:
    """Wait for the end, and stop the batch when the client goes first."""
    ending = asyncio.ensure_future(found.finished())
    leaving = asyncio.ensure_future(client_gone(request))
    try:
        await asyncio.wait({ending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            found.cancel()
    finally:
        ending.cancel()
        leaving.cancel()
    if "text/csv" in request.headers.get("accept", ""):
        return Response(write_csv(found.rows), media_type="text/csv; charset=utf-8")
    return JSONResponse({**found.summary(), "rows": sorted(found.rows, key=lambda row: row["number"])})
