"""Fine-tuning over HTTP, where the server was started with --allow-training."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from trm_tui.server.context import Context, context_of
from trm_tui.server.errors import ApiError
from trm_tui.server.finetune import Finetuning, Wanted
from trm_tui.server.shapes import FinetuneBody, errors

router = APIRouter(tags=["training"], responses=errors(404, 409, 413, 415, 422, 429))


@router.post("/api/finetune", status_code=202)
async def begin(body: FinetuneBody, request: Request) -> dict[str, Any]:
    """Let a session go on learning from own puzzles, as a new session in a process of its own."""
    context = context_of(request)
    finetuning = _allowed(context)
    context.require_open()
    wanted = Wanted(body.data, body.steps, body.lr, body.name)

    def start() -> dict[str, Any]:
        return finetuning.start(context.service.choose(body.session), wanted).to_json()

    return await asyncio.to_thread(start)


@router.get("/api/finetune")
async def runs(request: Request) -> dict[str, Any]:
    """List what was started here, the newest first."""
    return {"runs": [run.to_json() for run in _allowed(context_of(request)).runs()]}


@router.get("/api/finetune/{run_id}")
async def progress(run_id: str, request: Request) -> dict[str, Any]:
    """Tell how a fine-tuning stands; its curves are those of its session."""
    return _allowed(context_of(request)).get(run_id).to_json()


@router.delete("/api/finetune/{run_id}")
async def stop(run_id: str, request: Request) -> dict[str, Any]:
    """Stop a fine-tuning: it saves and ends, and its session can be resumed."""
    run = _allowed(context_of(request)).get(run_id)
    run.stop()
    return run.to_json()


def _allowed(context: Context) -> Finetuning:
    if context.finetuning is None:
        hint = "Start the server with --allow-training."
        raise ApiError(403, "this server does not train", code="training_not_allowed", hint=hint)
    return context.finetuning
