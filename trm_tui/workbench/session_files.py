"""A session as its files tell it: read into a recorder without training, and followed while they grow."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime

from trm_engine.config import Config, loads
from trm_engine.decisions import Decision
from trm_engine.errors import TrmError
from trm_engine.planning.estimate import estimate
from trm_engine.sessions import Session, Status, Store
from trm_engine.sessions.layout import EVENTS, METRICS, RECORD
from trm_engine.sessions.lock import in_use_by
from trm_engine.sessions.log import Event
from trm_engine.text import safe_text
from trm_engine.training.events import Saved
from trm_tui.shared.words import number
from trm_tui.workbench.recorder import Recorder
from trm_tui.workbench.snapshot import LogLine, RunState, Severity

_SECONDS = 1.0
_DECISION = "decision: "
"""What the trainer begins a line with that tells of a decision."""
_STATES: Mapping[Status, RunState] = {
    "completed": "completed",
    "diverged": "diverged",
    "failed": "failed",
    "running": "elsewhere",
    "paused": "elsewhere",
}
_SEVERITIES: Mapping[str, Severity] = {"WARNING": "warning", "ERROR": "error"}


class SessionFiles:
    """Reads a session's files into a recorder; again where they have changed.

    Nothing is read any more once the recorder's run trains in this app: then its events tell more.
    """

    def __init__(self, store: Store, session: str, recorder: Recorder, seconds: float = _SECONDS) -> None:
        self._store = store
        self._session = session
        self._recorder = recorder
        self._seconds = seconds
        self._seen: object = None
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"follow-{session}", daemon=True)

    def begin(self) -> None:
        """Read and follow them beside the calling thread."""
        self._thread.start()

    def leave(self) -> None:
        """Read no more."""
        self._left.set()

    def read(self) -> None:
        """Read what has changed since the last call. Raises `SessionError`."""
        session = self._store.get(self._session)
        holder = in_use_by(session.path)
        seen = holder, *(_signature(session, name) for name in (RECORD, METRICS, EVENTS))
        if seen == self._seen:
            return
        self._seen = seen
        records = session.metrics.read()
        lines = [_line(event) for event in session.events()]
        fields = {**_state(session, holder), **facts_of(session), "decisions": _decisions(lines)}
        self._recorder.recall(records, lines, **fields)

    def _follow(self) -> None:
        while not self._left.is_set() and not self._recorder.trains:
            try:
                self.read()
            except TrmError as error:
                self._recorder.become("stopped", str(error))
            self._left.wait(self._seconds)


def facts_of(session: Session) -> dict[str, object]:
    """Return what a session's files say as fields of a snapshot; not how far it has come."""
    record = session.record
    config = _config(session)
    saved = session.checkpoints()
    newest = max(saved, key=lambda one: one.step, default=None)
    counted = number(record.summary, "parameters")
    return {
        "title": safe_text(record.name or record.preset or session.id),
        "session": session.id,
        "config": config,
        "steps": config.train.steps if config else 0,
        "parameters": int(counted or (estimate(config).parameters if config else 0)),
        "hardware": record.hardware,
        "facts": {safe_text(name): safe_text(fact) for name, fact in record.facts.items()},
        "saved": None if newest is None else Saved(newest.step, "recorded"),
        "saved_at": _clock(newest.time) if newest is not None and newest.time else "",
    }


def _state(session: Session, holder: str) -> dict[str, object]:
    record, status = session.record, session.status
    state = _STATES.get(status, "stopped")
    why = record.summary.get("reason") if status == record.status else status
    words = f"trained by {holder or 'another process'}" if state == "elsewhere" else str(why or "")
    return {"state": state, "reason": safe_text(words)}


def _config(session: Session) -> Config | None:
    try:
        return loads(session.config_text, f"session {session.id}")
    except TrmError:
        return None


def _decisions(lines: Sequence[LogLine]) -> tuple[Decision, ...]:
    """Return the decisions that a log tells, the last of each subject, in their order."""
    texts = (line.message.removeprefix(_DECISION) for line in lines if line.message.startswith(_DECISION))
    found = filter(None, map(Decision.parse, texts))
    return tuple({decision.subject: decision for decision in found}.values())


def _line(event: Event) -> LogLine:
    try:
        time = _clock(datetime.fromisoformat(event.time.replace("Z", "+00:00")))
    except ValueError:
        time = ""
    return LogLine(time, _SEVERITIES.get(event.level, "info"), event.message)


def _clock(moment: datetime) -> str:
    return moment.astimezone().strftime("%H:%M:%S")


def _signature(session: Session, name: str) -> tuple[int, int]:
    try:
        found = (session.path / name).stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
