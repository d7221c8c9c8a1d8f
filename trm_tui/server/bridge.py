"""From the batcher's thread to the event loop: what happens to a question, in order, and its cancellation."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.requests import Request

from trm_engine.serving.solving import Done, Event, Failed

_END = (Done, Failed)


class Conversation:
    """The events of one question, for one reader on the loop that made it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Event] = asyncio.Queue()

    def tell(self, event: Event) -> None:
        """Hand an event over, from any thread."""
        with suppress(RuntimeError):  # the loop has been closed: nobody listens
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)

    async def next(self) -> Event:
        """Return the next event."""
        return await self._events.get()

    async def end(self) -> Done | Failed:
        """Return how the question ends, passing over everything before."""
        while True:
            event = await self._events.get()
            if isinstance(event, _END):
                return event


async def client_gone(request: Request) -> None:
    """Wait until the client has closed the connection; the body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
