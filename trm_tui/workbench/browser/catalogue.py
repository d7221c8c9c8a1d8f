"""All sessions of a folder as rows, read fast and once: what has not changed since is not read again.

`Store.list` checks every field of every record, hardware included, and that of ten thousand sessions takes a
second or two on a busy laptop. Here only what the table shows is read, the newest sessions first, so that a
screenful is there at once.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from trm_engine.sessions.layout import MAX_TEXT_BYTES, RECORD, is_id
from trm_engine.sessions.record import FORMAT
from trm_engine.sessions.seals import check_object
from trm_engine.sessions.session import found_status
from trm_engine.sessions.store import moment_of
from trm_tui.workbench.browser.current_figures import UNFINISHED, current_figures
from trm_tui.workbench.browser.session_curve import read_curve
from trm_tui.workbench.browser.session_row import ACTIVE_STATUSES, SessionRow, ShownRecord, row_of
from trm_tui.workbench.browser.session_settings import read_settings

Rows = Mapping[str, SessionRow]

_FIRST = 200
"""Sessions that are read before anything is shown: more than any screen has lines."""
_Signature = tuple[int, int, int]


class Catalogue:
    """The rows of one folder: the store's, or its trash. One thread at a time reads it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.with_settings = False
        """Whether rows hold the settings of their sessions: reading those takes longer than all the rest."""
        self.with_curves = False
        """Whether rows hold the course of their evaluations."""
        self._known: dict[str, tuple[_Signature, SessionRow]] = {}

    def refresh(self, stopping: Callable[[], bool] = lambda: False) -> Iterator[Rows]:
        """Read what is new and yield all rows by id: when a screenful is there, and when all are.

        Nothing is yielded where nothing has changed. Raises `OSError` when the folder cannot be read.
        """
        ids = _ids_in(self.root)
        gone = [found for found in self._known if found not in ids]
        for found in gone:
            del self._known[found]
        changed, first = bool(gone), not self._known
        for count, found in enumerate(sorted(ids, reverse=True), 1):
            if stopping():
                return
            changed |= self._look(found)
            if first and count == _FIRST and len(ids) > _FIRST:
                yield self._rows()
        if changed or first:
            yield self._rows()

    def _look(self, session_id: str) -> bool:
        """Read a session's record if it has changed; return whether its row has."""
        folder = f"{self.root}/{session_id}"
        known = self._known.get(session_id)
        if known is not None and self._is_current(known, folder):
            return False
        found = _read(folder, session_id)
        if found is None:
            return self._known.pop(session_id, None) is not None
        if self.with_settings:
            found = found[0], replace(found[1], settings=read_settings(folder))
        if self.with_curves:
            found = found[0], replace(found[1], curve=read_curve(folder, found[1].task))
        self._known[session_id] = found
        return known is None or known[1] != found[1]

    def _is_current(self, known: tuple[_Signature, SessionRow], folder: str) -> bool:
        """Whether a row says all that is asked of it, and nothing has changed since it was read."""
        signature, row = known
        lacks = (self.with_settings and row.settings is None) or (self.with_curves and row.curve is None)
        return not lacks and row.status not in ACTIVE_STATUSES and signature == _signature(folder)

    def _rows(self) -> Rows:
        return {found: row for found, (_, row) in self._known.items()}


def _ids_in(root: Path) -> set[str]:
    try:
        with os.scandir(root) as entries:
            return {e.name for e in entries if is_id(e.name) and e.is_dir(follow_symlinks=False)}
    except FileNotFoundError:
        return set()


def _signature(folder: str) -> _Signature:
    try:
        return _signature_of(os.stat(f"{folder}/{RECORD}"))  # noqa: PTH116  # a third of the time of Path.stat
    except OSError:
        return (0, 0, 0)


def _signature_of(status: os.stat_result) -> _Signature:
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _read(folder: str, session_id: str) -> tuple[_Signature, SessionRow] | None:
    """Return a session's row, and what tells whether it is still so; None when it has just been deleted."""
    signature, data = _content(f"{folder}/{RECORD}")
    try:
        check_object(data)
        record = ShownRecord.model_validate_json(data)
    except ValueError:  # a ValidationError is one
        record = None
    if record is None or record.format > FORMAT:
        damaged = _damaged(Path(folder))
        return None if damaged is None else (signature, damaged)
    record.status = found_status(record.status, Path(folder))
    if record.status in UNFINISHED:
        # The summary is written when a sitting ends: what this one has come to stands in its own files.
        record.summary.update(current_figures(Path(folder), record.task))
    return signature, row_of(session_id, record)


def _content(path: str) -> tuple[_Signature, bytes]:
    """Return what is in a file; nothing where it cannot be read or is too large.

    By bare system calls: each lets other threads run, and Python's own files make seven where these are four.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return (0, 0, 0), b""
    try:
        status = os.fstat(descriptor)
        plain = stat.S_ISREG(status.st_mode) and status.st_size <= MAX_TEXT_BYTES
        data = os.read(descriptor, status.st_size) if plain else b""
        return _signature_of(status), data
    except OSError:
        return (0, 0, 0), b""
    finally:
        os.close(descriptor)


def _damaged(folder: Path) -> SessionRow | None:
    with suppress(OSError):
        return row_of(folder.name, ShownRecord(status="damaged", created=moment_of(folder)))
    return None
