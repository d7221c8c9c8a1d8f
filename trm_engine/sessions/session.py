"""One session on disk: its record, configuration, figures, log and checkpoints."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType

from filelock import FileLock

from trm_engine.errors import SessionError
from trm_engine.files import Storage, disk_errors, write_atomically
from trm_engine.sessions.checkpoints.best import Best
from trm_engine.sessions.checkpoints.checkpoint import Checkpoint
from trm_engine.sessions.checkpoints.collection import CheckpointInfo, Checkpoints, is_checkpoint
from trm_engine.sessions.configuration import Configuration, read_configuration, write_configuration
from trm_engine.sessions.history import History
from trm_engine.sessions.layout import (
    CHECKPOINTS,
    EVENTS,
    HISTORY,
    METRICS,
    RECORD_LOCK,
    SOLVED,
)
from trm_engine.sessions.lock import SessionLock, is_locked
from trm_engine.sessions.log import Event, Level, append_event, read_events
from trm_engine.sessions.metrics import Metrics
from trm_engine.sessions.record import SessionRecord, Status, read_record, write_record

_RECORD_SECONDS = 5.0


class Session:
    """A session's folder. Use it in a `with` block: leaving gives the lock back.

    Reading needs no lock. What a run writes (checkpoints, configuration) needs the one that `Store.create`
    and `Store.open` take; the record may be changed by anyone, one at a time.
    """

    def __init__(self, path: Path, storage: Storage, lock: SessionLock | None = None) -> None:
        self.path = path
        self.history = History(path / HISTORY, storage)
        self.metrics = Metrics(path / METRICS)
        self._storage = storage
        self._lock = lock
        self._checkpoints = Checkpoints(path / CHECKPOINTS, storage)
        self._record = read_record(path)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the lock back."""
        if self._lock is not None:
            self._lock.release()

    @property
    def id(self) -> str:
        """The name of the session's folder."""
        return self.path.name

    @property
    def record(self) -> SessionRecord:
        """The record as it was last read or written here."""
        return self._record

    @property
    def status(self) -> Status:
        """How far the session has come, seen from now."""
        return found_status(self._record.status, self.path)

    @property
    def configuration(self) -> Configuration:
        """The configuration that runs, or ran last. Raises `SessionError` when it cannot be read."""
        return read_configuration(self.path)

    @property
    def config_text(self) -> str:
        """The same as TOML alone."""
        return self.configuration.text

    def update(self, **fields: object) -> SessionRecord:
        """Change fields of the record and write it, atomically. What others have changed meanwhile stays.

        Raises `TypeError` or `ValueError` for fields and values that a record cannot have, `ResourceError` or
        `SessionError` when it cannot be written.
        """
        return self.edit(lambda _: fields)

    def edit(self, change: Callable[[SessionRecord], Mapping[str, object]]) -> SessionRecord:
        """As `update`, with fields that follow from the record as it is on disk now."""
        with disk_errors(f"update the record of session {self.id}"), self._record_lock:
            record = read_record(self.path)
            self._record = record.changed(change(record))
            write_record(self._storage, self.path, self._record)
        return self._record

    def configure(self, config_toml: str, step: int, reason: str, *, trial: str | None = None) -> None:
        """Change the configuration from `step` on, and add it to the history.

        `trial` is the experiment's new name where the change makes it another one.
        """
        self._require_lock()
        with disk_errors(f"write the configuration of session {self.id}"):
            self.history.append(config_toml, step, reason)
            write_configuration(self._storage, self.path, config_toml)
        if trial is not None:
            self.update(trial=trial)

    def mend_configuration(self) -> None:
        """Write `config.toml` again from the history that stood in for it."""
        self._require_lock()
        with disk_errors(f"write the configuration of session {self.id}"):
            write_configuration(self._storage, self.path, self.config_text)

    def log(self, level: Level, message: str) -> None:
        """Append an event to the log."""
        append_event(self.path / EVENTS, level, message)

    def save_solved(self, bits: bytes) -> None:
        """Keep which puzzles the last evaluation solved, one bit each."""
        self._require_lock()
        with disk_errors(f"write the solved puzzles of session {self.id}"):
            write_atomically(self._storage, self.path / SOLVED, bits)

    def solved_bits(self) -> bytes:
        """Return what `save_solved` kept; empty where there is nothing. Raises `SessionError`."""
        try:
            return (self.path / SOLVED).read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise SessionError(f"cannot read {self.path / SOLVED}: {error.strerror or error}.") from error

    def events(self) -> list[Event]:
        """Return the log."""
        return read_events(self.path / EVENTS)

    def save(self, checkpoint: Checkpoint, best_score: float | None = None, keep: int = 2) -> list[str]:
        """Save a checkpoint, the best if `best_score` is given; drop all but the newest `keep` and the best.

        Returns what a person should know: which damaged ones were dropped. Raises `ResourceError` when the
        disk is full and `SessionError` when it cannot be written otherwise; earlier ones are intact then.
        """
        self._require_lock()
        return self._checkpoints.save(checkpoint, keep=keep, best_score=best_score)

    def load(self, step: int | None = None) -> tuple[Checkpoint, list[str]]:
        """Return the newest sound checkpoint, or that of `step`, and what a person should know about it.

        The newest is the one saved last; after going back to an earlier step that is not the highest step.
        Raises `SessionError` when there is no such checkpoint or it is damaged.
        """
        return self._checkpoints.load(step)

    def checkpoints(self, *, verify: bool = False) -> list[CheckpointInfo]:
        """Return all checkpoints by step: manifest and sizes compared, with `verify` every byte."""
        return self._checkpoints.infos(verify=verify)

    @property
    def saved_steps(self) -> list[int]:
        """The steps of the checkpoints, the newest last, without asking whether they are sound."""
        return self._checkpoints.steps()

    @property
    def best(self) -> Best | None:
        """The best checkpoint's step and score; None when no checkpoint has been scored."""
        return self._checkpoints.best()

    def recover(self) -> None:
        """Tidy what a crash has left among the checkpoints."""
        self._require_lock()
        with disk_errors(f"tidy the checkpoints of session {self.id}"):
            self._checkpoints.recover()

    @cached_property
    def _record_lock(self) -> FileLock:
        return FileLock(self.path / RECORD_LOCK, timeout=_RECORD_SECONDS, thread_local=False)

    def _require_lock(self) -> None:
        if self._lock is None or not self._lock.held:
            raise RuntimeError(f"session {self.id} is not open for a run")


def found_status(status: Status, folder: Path) -> Status:
    """Return a session's status: nobody may run it any more, whatever its record says.

    Then it was interrupted, or killed before its first save.
    """
    if status in ("running", "paused") and not is_locked(folder):
        return "interrupted" if may_go_on(folder) else "unsaved"
    if status == "created" and not is_locked(folder) and not may_go_on(folder):
        return "unsaved"
    return status


def may_go_on(folder: Path) -> bool:
    """Whether a session has a checkpoint, valid or not; true as well where that cannot be seen."""
    try:
        with os.scandir(folder / CHECKPOINTS) as entries:
            return any(is_checkpoint(entry.name) for entry in entries)
    except FileNotFoundError:
        return False
    except OSError:
        return True
