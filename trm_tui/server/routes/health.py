"""Whether the server is well: for people, orchestrators, Prometheus and hosts of models in the cloud."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import psutil
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from trm_engine import __version__
from trm_tui.server.context import Context, context_of
from trm_tui.server.shapes import errors

router = APIRouter(tags=["health"], responses=errors())

_WEDGED_SECONDS = 60.0


def health_of(context: Context) -> dict[str, Any]:
    """Return how the server is. Never touches a model: the answer comes at once however busy it is."""
    service = context.service
    held = service.residents.held()
    loads = [resident.batcher.load for resident in held]
    ticks = [resident.batcher.seconds_since_tick for resident in held]
    wedged = max(ticks, default=0.0) > _WEDGED_SECONDS
    chat = context.chats.gateway.state()
    talks = chat.phase != "none"
    return {
        "status": "closing" if context.is_closing else "degraded" if wedged else "ok",
        "live": True,
        "ready": not context.is_closing and not wedged,
        "model_loaded": bool(held) or chat.phase == "loaded",
        "model_type": "trm+llama" if talks and service.has_models else "llama" if talks else "trm",
        "language_model": {"name": chat.name, "state": chat.phase, "reason": chat.reason},
        "device": "cpu",
        "version": __version__,
        "models": [resident.served.session for resident in held],
        "queue": sum(waiting for waiting, _ in loads),
        "running": sum(running for _, running in loads),
        "seconds_since_tick": round(max(ticks, default=0.0), 3),
        "token_required": bool(context.settings.token),
        "training_allowed": context.settings.allow_training,
    }


@router.get("/health")
@router.get("/api/health", include_in_schema=False)
async def health(request: Request, ready: bool = False) -> Response:
    """Tell how the server is; with `ready=1`, 503 unless it takes work."""
    found = health_of(context_of(request))
    return JSONResponse(found, 503 if ready and not found["ready"] else 200)


@router.get("/ping")
async def ping(request: Request) -> Response:
    """Tell a host of models that the server takes work."""
    return Response(status_code=200 if health_of(context_of(request))["ready"] else 503)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Return the server's figures in the text form that Prometheus reads."""
    text = "".join(_figures(context_of(request)))
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


def _figures(context: Context) -> Iterator[str]:
    service, cache = context.service, context.cache
    held = service.residents.held()
    loads = [resident.batcher.load for resident in held]
    counters = {
        "answers_total": (service.answered, "answers that a model gave"),
        "answers_solved_total": (service.solved, "answers that the rules accept"),
        "answers_failed_total": (service.failed, "questions without an answer"),
        "answers_cancelled_total": (service.cancelled, "questions whose asker went away"),
        "answer_seconds_total": (round(context.seconds_of_answers, 3), "seconds from question to answer"),
        "cache_hits_total": (cache.hits, "answers found in the cache"),
        "cache_misses_total": (cache.misses, "answers not found in the cache"),
        "steps_total": (sum(one.batcher.steps_run for one in held), "supervision steps of loaded models"),
        "row_steps_total": (sum(one.batcher.rows_run for one in held), "supervision steps, each row counted"),
    }
    gauges = {
        "questions_open": (service.open, "questions without an answer yet"),
        "rows_waiting": (sum(waiting for waiting, _ in loads), "rows that wait for room in a batch"),
        "rows_in_flight": (sum(running for _, running in loads), "rows being refined"),
        "models_loaded": (len(held), "models in memory"),
        "models_bytes": (sum(one.bytes for one in held), "memory of the models"),
        "cache_bytes": (cache.size, "memory of the answer cache"),
        "process_bytes": (psutil.Process().memory_info().rss, "resident memory of the server"),
        "uptime_seconds": (round(time.monotonic() - context.began, 1), "seconds since the start"),
    }
    for kind, figures in (("counter", counters), ("gauge", gauges)):
        for name, (value, says) in figures.items():
            yield f"# HELP trm_{name} {says}\n# TYPE trm_{name} {kind}\ntrm_{name} {value}\n"
    yield "# HELP trm_http_responses_total responses by status\n# TYPE trm_http_responses_total counter\n"
    for status, count in sorted(context.statuses.items()):
        yield f'trm_http_responses_total{{status="{status}"}} {count}\n'
