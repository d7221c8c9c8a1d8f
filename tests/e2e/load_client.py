"""Clients of the puzzle server that cost little themselves: HTTP over open connections, many at once."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Load:
    """What clients met: seconds that each answer took, and how many responses had which status."""

    seconds: float = 0.0
    took: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    solved: int = 0

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.took) / self.seconds if self.seconds else 0.0

    def quantile(self, share: float) -> float:
        """Return the seconds within which this share of the answers came."""
        return float(np.quantile(self.took, share)) if self.took else float("nan")

    @property
    def errors(self) -> int:
        """Responses that are neither an answer nor a request to come again."""
        return sum(count for status, count in self.statuses.items() if status not in (200, 429))

    def to_dict(self) -> dict[str, object]:
        """Return the figures by name."""
        return {
            "seconds": round(self.seconds, 2),
            "answers": len(self.took),
            "per_second": round(self.per_second, 2),
            "p50": round(self.quantile(0.5), 4),
            "p95": round(self.quantile(0.95), 4),
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "solved": self.solved,
        }


class Link:
    """One connection, which is kept open from request to request."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Send a body of JSON; return the status and what came back.

        A connection that was idle for long may have been closed by the server: then another is opened.
        """
        reused = self._writer is not None
        try:
            return await self._post(path, body)
        except (asyncio.IncompleteReadError, ConnectionError):
            if not reused:
                raise
            await self.close()
            return await self._post(path, body)

    async def _post(self, path: str, body: bytes) -> tuple[int, bytes]:
        if self._writer is None or self._reader is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        lines = (await self._reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
        answer = await self._reader.readexactly(length)
        if b"connection: close" in lines:
            await self.close()
        return int(lines[0].split()[1]), answer

    async def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._writer is not None:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()
        self._reader = self._writer = None


async def ask_for(
    port: int,
    bodies: Sequence[bytes],
    *,
    clients: int,
    seconds: float = float("inf"),
    requests: int = 10**9,
    in_turn: bool = False,
) -> Load:
    """Let clients solve puzzles at the same time, until the time or the number of requests is used up.

    With `in_turn`, one request is under way at a time, and the others wait for their turn: what a server
    without batches would make of the same crowd. The time that a client waits counts; so does that of 429s.
    """
    load, turn = Load(), asyncio.Lock()
    began = time.perf_counter()
    numbers = itertools.count()

    async def one() -> None:
        link = Link(port)
        while time.perf_counter() - began < seconds and (number := next(numbers)) < requests:
            asked = time.perf_counter()
            await _answered(link, bodies[number % len(bodies)], load, turn if in_turn else None)
            load.took.append(time.perf_counter() - asked)
        await link.close()

    await asyncio.gather(*(one() for _ in range(clients)))
    load.seconds = time.perf_counter() - began
    return load


async def _answered(link: Link, body: bytes, load: Load, turn: asyncio.Lock | None) -> None:
    while True:
        if turn is None:
            status, answer = await link.post("/api/solve", body)
        else:
            async with turn:
                status, answer = await link.post("/api/solve", body)
        load.statuses[status] += 1
        if status != 429:
            load.solved += status == 200 and json.loads(answer)["solved"]
            return
        await asyncio.sleep(0.05)
