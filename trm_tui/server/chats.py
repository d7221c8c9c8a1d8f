"""Messages under way: each is answered on a thread, and heard of on the event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeAlias

from trm_engine.errors import TrmError
from trm_engine.language.stop import Stop, StoppedError
from trm_tui.gateway.gateway import Gateway
from trm_tui.gateway.reply import Ask, Reply
from trm_tui.server.errors import ApiError, api_error

_LOG = logging.getLogger("trm_tui.server")
_RETRY_SECONDS = "5"

Told: TypeAlias = "tuple[str, Mapping[str, Any]] | Reply | BaseException"


class Chat:
    """One message being answered, for one reader on the loop that began it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._told: asyncio.Queue[Told] = asyncio.Queue()
        self.stop = Stop()

    def tell(self, told: Told) -> None:
        """Hand over what has happened, from any thread."""
        with suppress(RuntimeError):  # the loop has been closed: nobody listens
            self._loop.call_soon_threadsafe(self._told.put_nowait, told)

    async def events(self) -> AsyncIterator[tuple[str, Mapping[str, Any]] | Reply]:
        """Yield what happens, and last the reply. Raises `ApiError` where there will be none."""
        while True:
            told = await self._told.get()
            if isinstance(told, BaseException):
                raise _failure(told)
            yield told
            if isinstance(told, Reply):
                return

    async def reply(self) -> Reply:
        """Return the reply, passing over what happens before."""
        async for told in self.events():
            if isinstance(told, Reply):
                return told
        raise AssertionError("a chat ends with a reply or an error")


class Chats:
    """Answers a bounded number of messages at a time; a few more wait, and the rest are refused for now."""

    def __init__(self, gateway: Gateway, most: int, waiting: int) -> None:
        self.gateway = gateway
        self._most = most + waiting
        self._pool = ThreadPoolExecutor(most, "chat")
        self._lock = threading.Lock()
        self._open: set[Chat] = set()

    @property
    def open(self) -> int:
        """Messages without a reply yet."""
        return len(self._open)

    def begin(self, ask: Ask) -> Chat:
        """Begin to answer a message. Raises `ApiError` when too many are open, or the server is closing."""
        chat = Chat()
        with self._lock:
            if len(self._open) >= self._most:
                headers = {"Retry-After": _RETRY_SECONDS}
                raise ApiError(429, "too many messages are being answered", code="busy", headers=headers)
            self._open.add(chat)
        try:
            self._pool.submit(self._answer, chat, ask)
        except RuntimeError:
            self._close(chat)
            raise ApiError(503, "the server is shutting down", code="closing") from None
        return chat

    def stop_all(self) -> None:
        """Stop every answer; their readers are told."""
        with self._lock:
            chats = list(self._open)
        for chat in chats:
            chat.stop.set()

    def close(self) -> None:
        """Stop every answer, and free what language models hold."""
        self.stop_all()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.gateway.languages.close()

    def _answer(self, chat: Chat, ask: Ask) -> None:
        try:
            chat.stop.check()
            chat.tell(self.gateway.reply(ask, lambda name, data: chat.tell((name, data)), chat.stop))
        except BaseException as error:
            chat.tell(error)
        finally:
            self._close(chat)

    def _close(self, chat: Chat) -> None:
        with self._lock:
            self._open.discard(chat)


def _failure(error: BaseException) -> ApiError:
    if isinstance(error, StoppedError):
        return ApiError(409, "the answer was stopped", code="cancelled")
    if isinstance(error, TrmError):
        return api_error(error)
    if isinstance(error, MemoryError):
        headers = {"Retry-After": "10"}
        return ApiError(503, "the server is short of memory", code="no_memory", headers=headers)
    if isinstance(error, RuntimeError) and "closed" in str(error):
        return ApiError(503, "the server is shutting down", code="closing", headers={"Retry-After": "5"})
    _LOG.error("a chat failed", exc_info=error)
    return ApiError(500, "the server has a defect here", code="internal")
