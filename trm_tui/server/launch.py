"""The server as a process: uvicorn with bounds on connections, and an end that keeps nobody waiting."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from trm_engine.errors import UsageError
from trm_tui.server.context import Context
from trm_tui.server.guard import Guard
from trm_tui.server.settings import ServerSettings

_BACKLOG = 512


def listen(settings: ServerSettings) -> socket.socket:
    """Return a socket that is bound; raise `UsageError` where the address is taken or is none.

    Port 0 takes any that is free.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.host, settings.port))
    except OSError as error:
        bound.close()
        reason = error.strerror or str(error)
        raise UsageError(
            f"cannot listen on {settings.host}:{settings.port}: {reason}; choose another --port, or 0 for any"
        ) from error
    except OverflowError:
        bound.close()
        raise UsageError(f"--port {settings.port} is not a port: 0 to 65535") from None
    return bound


def build_server(app: Guard, settings: ServerSettings, ready: Callable[[], None]) -> uvicorn.Server:
    """Return the server of an app; `run(sockets=[…])` serves until SIGINT or SIGTERM, or `should_exit`.

    `ready` is called when requests are taken.
    """
    limits = settings.limits
    config = uvicorn.Config(
        app,
        http=_protocol(limits.header_seconds),
        ws="none",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=limits.connections,
        backlog=_BACKLOG,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=round(limits.grace_seconds) + 2,
        h11_max_incomplete_event_size=32_768,
    )
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    context: Context = app.app.state.context  # type: ignore[attr-defined]  # the app that the guard is around
    return _Server(config, context, ready)


class _Server(uvicorn.Server):
    """Tells when it is ready, and lets streams and answers under way end when it is stopped."""

    def __init__(self, config: uvicorn.Config, context: Context, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._context = context
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        # A signal handler of Python: it runs between two bytecodes of the thread of the loop.
        self._context.closing.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._context.closing.set()
        ending = asyncio.ensure_future(self._end_answers())
        try:
            await super().shutdown(sockets)
        finally:
            ending.cancel()

    async def _end_answers(self) -> None:
        """Fail what has no answer after a while: its askers are told, and their connections end."""
        await asyncio.sleep(self._context.settings.limits.grace_seconds)
        self._context.batches.cancel_all()
        self._context.chats.stop_all()
        for resident in self._context.service.residents.held():
            resident.batcher.close()


def _protocol(seconds: float) -> type[asyncio.Protocol]:
    """Return uvicorn's HTTP protocol, without patience for clients that connect and then say nothing."""

    class Impatient(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.loop.call_later(seconds, self._close_if_silent)

        def _close_if_silent(self) -> None:
            cycle: object = self.cycle  # declared as if there were always one
            if cycle is None and not self.transport.is_closing():
                self.transport.close()

    return Impatient
