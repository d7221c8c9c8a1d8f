"""Which models can be served: the puzzle sessions of a folder, or those that were named."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from trm_engine.config import Config, loads
from trm_engine.errors import SessionError, TrmError
from trm_engine.inference.load import model_class
from trm_engine.inference.puzzle_model import PuzzleModel
from trm_engine.sessions import Session, SessionRecord, Store
from trm_engine.text import safe_text

_MOST_LISTED = 200
_SECONDS_BETWEEN_LOOKS = 2.0


@dataclass(frozen=True)
class Served:
    """A session as it can be served now. `step` is that of the checkpoint that would be loaded."""

    session: str
    title: str
    preset: str
    status: str
    created: str
    config: Config
    step: int
    best_score: float | None
    parameters: int | None
    version: tuple[object, ...]
    """Changes when the session has a better checkpoint than before."""

    @property
    def kind(self) -> str:
        """Kind of the task."""
        return self.config.task.kind


@dataclass(frozen=True)
class Named:
    """A session to serve, with the checkpoint that was asked for: a step, `best`, or none."""

    session: str
    checkpoint: str | None = None

    @classmethod
    def parse(cls, text: str) -> Named:
        """Read `SESSION[:STEP|best]`."""
        session, _, checkpoint = text.partition(":")
        return cls(session, checkpoint or None)


class Catalogue:
    """Finds the sessions that can be served; those that have not changed are not read again."""

    def __init__(
        self, store: Store, named: Sequence[Named] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._clock = clock
        self._listed: tuple[float, Sequence[Served]] | None = None
        self._named = {store.resolve(one.session): one.checkpoint for one in named}
        self._known: dict[str, tuple[object, Served | None]] = {}
        self._lock = threading.Lock()

    @property
    def store(self) -> Store:
        """The sessions folder."""
        return self._store

    def checkpoint_of(self, session: str) -> str | None:
        """Return the checkpoint that was named for a session, if one was."""
        return self._named.get(session)

    def list(self) -> list[Served]:
        """Return what can be served, the newest session first."""
        found = (self._of(record) for record in self._records())
        return [served for served in found if served is not None]

    def recent(self) -> Sequence[Served]:
        """Return what `list` does or did two seconds ago at most: for a choice at every question."""
        now = self._clock()
        listed = self._listed
        if listed is None or now - listed[0] > _SECONDS_BETWEEN_LOOKS:
            self._listed = listed = now, self.list()
        return listed[1]

    def get(self, ref: str) -> Served:
        """Return a session by what a person calls it. Raises `SessionError` when it cannot be served."""
        session = self._store.resolve(ref)
        if self._named and session not in self._named:
            raise SessionError(f"session {session} is not one of those that this server was started with.")
        served = self._of(self._store.get(session).record)
        if served is None:
            raise SessionError(
                f"session {session} cannot be served: it has no checkpoint yet, or has learned text or "
                "a mixture."
            )
        return served

    def _records(self) -> Iterable[SessionRecord]:
        records = [record for record in self._store.list() if record.status != "damaged"]
        if self._named:
            return [record for record in reversed(records) if record.id in self._named]
        return records[: -_MOST_LISTED - 1 : -1]

    def _of(self, record: SessionRecord) -> Served | None:
        try:
            session = self._store.get(record.id)
            best = session.best
        except TrmError:
            return None
        mark = (record.updated, record.status, None if best is None else (best.step, best.weights))
        with self._lock:
            known = self._known.get(record.id)
            if known is not None and known[0] == mark:
                return known[1]
        try:
            served = _described(session, record, self._named.get(record.id))
        except TrmError:
            served = None
        with self._lock:
            self._known[record.id] = mark, served
        return served


def _described(session: Session, record: SessionRecord, checkpoint: str | None) -> Served | None:
    config = loads(session.config_text, f"session {session.id}")
    if not issubclass(model_class(config), PuzzleModel) or not config.task.one_size:
        return None
    best, steps = session.best, session.saved_steps
    if not steps:
        return None
    step = steps[-1]
    if checkpoint is not None and checkpoint.isdecimal():
        step = int(checkpoint)
    elif best is not None:
        step = best.step
    parameters = record.summary.get("parameters")
    return Served(
        session=session.id,
        title=safe_text(record.name or record.preset or session.id),
        preset=safe_text(record.preset),
        status=record.status,
        created=record.created.isoformat(timespec="seconds"),
        config=config,
        step=step,
        best_score=None if best is None else best.score,
        parameters=parameters if isinstance(parameters, int) else None,
        version=(step, None if best is None else best.weights),
    )
