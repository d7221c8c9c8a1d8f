"""The app, put together: routes, errors, guard, and what they share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from trm_engine import __version__
from trm_engine.serving.cache import AnswerCache
from trm_engine.serving.service import Service
from trm_tui.gateway.gateway import Gateway
from trm_tui.gateway.opening import open_gateway
from trm_tui.server import errors
from trm_tui.server.batches import Batches
from trm_tui.server.chats import Chats
from trm_tui.server.context import Context
from trm_tui.server.finetune import Finetuning
from trm_tui.server.guard import Guard
from trm_tui.server.routes import (
    batch,
    chat,
    finetune,
    health,
    models,
    openai,
    page,
    puzzles,
    sessions,
    solve,
)
from trm_tui.server.settings import ServerSettings

_ABOUT = """Tiny Recursive Models that solve puzzles, served from the sessions they were trained in.

Errors always have the form `{"error": {"code", "message", "hint"}}`. With a token, send
`Authorization: Bearer TOKEN`."""


def create_app(service: Service, settings: ServerSettings, gateway: Gateway | None = None) -> Guard:
    """Return the app that serves a service, behind its guard.

    `gateway` answers chats; by default one that has the service's models and what the registry names.
    """
    limits = settings.limits
    gateway = gateway or open_gateway(service)
    context = Context(
        service,
        settings,
        AnswerCache(settings.cache_bytes, settings.cache_folder),
        Batches(limits.batches_running, limits.batches_kept),
        Chats(gateway, limits.chats, limits.chats_waiting),
        Finetuning(service.residents.catalogue.store.root) if settings.allow_training else None,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tidying = asyncio.ensure_future(_drop_idle(service, settings.idle_seconds))
        yield
        tidying.cancel()
        context.batches.cancel_all()
        await asyncio.to_thread(context.chats.close)
        await asyncio.to_thread(service.residents.close, 2.0)
        if context.finetuning is not None:
            await asyncio.to_thread(context.finetuning.close)

    app = FastAPI(
        title="trm-tui",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        root_path=settings.root_path,
        lifespan=lifespan,
    )
    app.state.context = context
    errors.install(app)
    for module in (page, health, models, puzzles, solve, batch, chat, openai, sessions, finetune):
        app.include_router(module.router)

    def seen(status: int) -> None:
        context.statuses[status] += 1

    return Guard(app, settings, seen)


async def _drop_idle(service: Service, seconds: float) -> None:
    """Unload models that nobody has asked for a while, where that is wanted."""
    while seconds:
        await asyncio.sleep(min(seconds, 10.0))
        await asyncio.to_thread(service.residents.drop_idle, seconds)
