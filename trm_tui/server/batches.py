"""Many puzzles at once: fed to the model a few at a time, with progress that can be streamed or asked for."""

from __future__ import annotations

import asyncio
import csv
import io
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from trm_engine.errors import UsageError

Row = dict[str, Any]
COLUMNS = (
    "number", "puzzle", "answer", "status", "exact", "right", "of", "reason", "steps_used", "views_used",
    "halt_probability", "milliseconds", "error",
)  # fmt: skip
_PUZZLES = ("puzzle", "puzzles", "quiz", "quizzes", "question", "questions", "input")
_SOLUTIONS = ("solution", "solutions", "answer", "answers", "truth", "output")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Item:
    """A puzzle of a batch, with its solution where it is known."""

    puzzle: str
    truth: str = ""


@dataclass
class Batch:
    """A batch under way: `rows` fills in the order in which answers come."""

    id: str
    items: Sequence[Item]
    model: str
    rows: list[Row] = field(default_factory=list)
    cancelled: bool = False
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)
    _task: asyncio.Task[None] | None = None

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""
        return self._task is not None and self._task.done()

    def start(self, solve: Callable[[int, Item], Awaitable[Row]], at_once: int) -> None:
        """Begin: `solve` answers one puzzle, and at most `at_once` of them are under way together."""
        self._task = asyncio.ensure_future(self._run(solve, at_once))
        # Also where it is cancelled before its first step, readers must hear of the end.
        self._task.add_done_callback(lambda _: asyncio.ensure_future(self._tell_end()))

    def cancel(self) -> None:
        """Stop; what is answered stays."""
        if self._task is not None and not self._task.done():
            self.cancelled = True
            self._task.cancel()

    async def finished(self) -> None:
        """Wait for the end."""
        async for _ in self.stream():
            pass

    async def stream(self) -> AsyncIterator[Row]:
        """Yield all rows, those to come when they do."""
        sent = 0
        while True:
            async with self._more:
                while sent == len(self.rows) and not self.done:
                    await self._more.wait()
            while sent < len(self.rows):
                yield self.rows[sent]
                sent += 1
            if self.done and sent == len(self.rows):
                return

    def summary(self) -> Row:
        """Return counts over the rows there are."""
        status = [row["status"] for row in self.rows]
        compared = [row for row in self.rows if row.get("exact") is not None]
        return {
            "id": self.id,
            "model": self.model,
            "total": len(self.items),
            "done": len(self.rows),
            "finished": self.done,
            "cancelled": self.cancelled,
            "solved": status.count("solved"),
            "wrong": status.count("wrong"),
            "unproven": status.count("unproven"),
            "errors": status.count("error"),
            "exact": sum(bool(row["exact"]) for row in compared) if compared else None,
        }

    async def _run(self, solve: Callable[[int, Item], Awaitable[Row]], at_once: int) -> None:
        numbers = iter(range(len(self.items)))

        async def worker() -> None:
            for number in numbers:
                row = await solve(number, self.items[number])
                async with self._more:
                    self.rows.append(row)
                    self._more.notify_all()

        workers = [asyncio.ensure_future(worker()) for _ in range(min(at_once, len(self.items)))]
        try:
            await asyncio.gather(*workers)
        finally:
            for one in workers:
                one.cancel()

    async def _tell_end(self) -> None:
        async with self._more:
            self._more.notify_all()


class Batches:
    """The batches of a server: few run at once, and a few that have ended can still be asked for."""

    def __init__(self, running: int, kept: int) -> None:
        self._running, self._kept = running, kept
        self._known: OrderedDict[str, Batch] = OrderedDict()

    @property
    def full(self) -> bool:
        """Whether as many run as may."""
        return sum(not batch.done for batch in self._known.values()) >= self._running

    def add(self, items: Sequence[Item], model: str) -> Batch:
        """Return a batch that can be started; the oldest that has ended may be forgotten."""
        batch = Batch(secrets.token_hex(8), items, model)
        self._known[batch.id] = batch
        ended = [one.id for one in self._known.values() if one.done]
        for old in ended[: max(len(self._known) - self._kept, 0)]:
            del self._known[old]
        return batch

    def get(self, batch: str) -> Batch | None:
        """Return a batch by its id."""
        return self._known.get(batch)

    def cancel_all(self) -> None:
        """Stop every batch."""
        for batch in self._known.values():
            batch.cancel()


def read_list(text: str, most: int) -> list[Item]:
    """Read a list of puzzles, one a line with its solution after a comma, or a CSV with a header.

    Raises `UsageError` for a list that cannot be read, is empty, or has more than `most` puzzles.
    """
    lines = [line for line in text.replace("\r\n", "\n").lstrip("\ufeff").split("\n") if line.strip()]
    lines = [line for line in lines if not line.startswith("# ")]
    if not lines:
        raise UsageError("the list holds no puzzle")
    if len(lines) > most + 1:
        raise UsageError(f"the list has {len(lines):,} lines; a batch has at most {most:,} puzzles")
    names = [name.strip().strip('"').lower() for name in lines[0].split(",")]
    puzzle = next((names.index(name) for name in _PUZZLES if name in names), None)
    solution = next((names.index(name) for name in _SOLUTIONS if name in names), None)
    if puzzle is None:
        items = [_item(row, 0, 1) for row in _rows(lines)]
    else:
        items = [_item(row, puzzle, solution) for row in _rows(lines[1:])]
    if len(items) > most:
        raise UsageError(f"the list has {len(items):,} puzzles; a batch has at most {most:,}")
    if not items:
        raise UsageError("the list holds no puzzle")
    return items


def _rows(lines: Sequence[str]) -> list[list[str]]:
    try:
        return [row for row in csv.reader(lines) if row]
    except csv.Error as error:
        raise UsageError(f"the list is not valid CSV: {error}") from error


def _item(row: Sequence[str], puzzle: int, solution: int | None) -> Item:
    truth = row[solution] if solution is not None and solution < len(row) else ""
    return Item(row[puzzle] if puzzle < len(row) else "", truth.strip())


def write_csv(rows: Sequence[Row]) -> str:
    """Write rows as CSV, in the order of the puzzles; no cell of it is a formula to a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in sorted(rows, key=lambda one: int(one["number"])):
        writer.writerow([_plain(row.get(name)) for name in COLUMNS])
    return out.getvalue()


def _plain(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
