"""Responses that are sent piece by piece, and end their work when the reader goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_KEEP_ALIVE_SECONDS = 15.0


def sse(event: str, data: object, number: int | None = None) -> bytes:
    """Write one server-sent event. JSON has no line ends, so one data line is enough."""
    head = f"event: {event}\n" + (f"id: {number}\n" if number is not None else "")
    return f"{head}data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


class Stream(Response):
    """Sends pieces as they come. `closed` is called once, when all is sent or the reader has gone.

    With `keep_alive`, a comment is sent when there has been nothing for a while, so that proxies do not take
    the silence of a long queue for a dead connection.
    """

    def __init__(
        self, pieces: AsyncIterator[bytes], media_type: str, closed: Callable[[], None], *, keep_alive: bool
    ) -> None:
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        self.headers["Cache-Control"] = "no-store"
        self.headers["X-Accel-Buffering"] = "no"
        self._pieces = pieces
        self._closed = closed
        self._keep_alive = keep_alive

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything, unless the reader goes first."""
        sending = asyncio.ensure_future(self._send(send))
        leaving = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            for task in (sending, leaving):
                task.cancel()
                with suppress(asyncio.CancelledError, OSError):
                    await task
            self._closed()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        pieces = self._pieces.__aiter__()
        upcoming = asyncio.ensure_future(_next(pieces))
        try:
            while True:
                done, _ = await asyncio.wait({upcoming}, timeout=_KEEP_ALIVE_SECONDS)
                if not done:
                    if self._keep_alive:
                        await send(
                            {"type": "http.response.body", "body": b": still here\n\n", "more_body": True}
                        )
                    continue
                piece = upcoming.result()
                if piece is None:
                    break
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                upcoming = asyncio.ensure_future(_next(pieces))
        finally:
            upcoming.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _next(pieces: AsyncIterator[bytes]) -> bytes | None:
    """Return the next piece; None after the last."""
    try:
        return await pieces.__anext__()
    except StopAsyncIteration:
        return None


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
