"""All sessions of one folder: make, find, open, mark, delete, export and import them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeAlias

from trm_engine.errors import SessionError, TrmError
from trm_engine.files import Disk, Storage, disk_errors, folder_bytes, is_real_folder, remove_tree
from trm_engine.sessions.archive import IMPORTING, export_session, unpacked_session
from trm_engine.sessions.configuration import read_configuration, write_configuration
from trm_engine.sessions.history import History
from trm_engine.sessions.layout import CHECKPOINTS, HISTORY, LATEST, TRASH, is_id, new_id, session_folder
from trm_engine.sessions.lock import SessionLock, is_abandoned, making
from trm_engine.sessions.record import (
    SessionRecord,
    check_name,
    check_tag,
    installed_versions,
    now,
    read_record,
    write_record,
)
from trm_engine.sessions.session import Session, found_status, may_go_on
from trm_engine.text import nearest, quoted

_NEW = ".new-"
_LISTED = 5
_INSTANT_SECONDS = 60.0
_LAST_SECOND = 200_000_000_000  # in the year 8307

# Inside the class, `list` is the method.
_Records: TypeAlias = list[SessionRecord]
_Ids: TypeAlias = list[str]
_Words: TypeAlias = list[str]


class Store:
    """The sessions folder. `ref` is a session's id, a unique prefix of it, its name, or `latest`."""

    def __init__(self, root: Path, storage: Storage | None = None) -> None:
        self.root = root
        self._storage = storage or Disk()

    def create(
        self, config_toml: str, preset: str, *, name: str = "", tags: Iterable[str] = (), **fields: object
    ) -> Session:
        """Make a session, open for its first run. `fields` are other fields of `SessionRecord`.

        Raises `UsageError` for a name or tag that cannot be one, `ResourceError` or `SessionError` when the
        folder cannot be written.
        """
        created = now()
        session_id = new_id(preset, created)
        blank = SessionRecord(id=session_id, preset=preset, created=created, updated=created)
        words = {"name": check_name(name), "tags": sorted({*map(check_tag, tags)})}
        record = blank.changed({"versions": installed_versions(), **words, **fields})
        with disk_errors(f"make a session in {self.root}"):
            self.root.mkdir(parents=True, exist_ok=True)
            left = self.tidy()
            new = self.root / f"{_NEW}{session_id}"
            with making(new):
                try:
                    self._fill(new, config_toml, record)
                except BaseException:
                    remove_tree(Disk(), new)
                    raise
                self._place(new, session_id)
        try:
            session = self.open(session_id)
        except BaseException:  # nobody can ever run what cannot be locked
            self._discard(session_id)
            raise
        for word in left:
            session.log("warning", word)
        return session

    def tidy(self) -> _Words:
        """Remove what a crash has left of a session that was being made or imported; say what.

        Raises `OSError` when the folder cannot be read.
        """
        words = []
        for path in sorted(self.root.iterdir()) if is_real_folder(self.root) else []:
            if path.name.startswith((_NEW, IMPORTING)) and is_real_folder(path):
                with suppress(FileNotFoundError):  # it has just been finished, or tidied by another process
                    if is_abandoned(path, _INSTANT_SECONDS):
                        remove_tree(Disk(), path)
                        words.append(
                            f"removed {path.name}: what was left of a session cut short in the making"
                        )
        return words

    @contextmanager
    def begin(self, config_toml: str, preset: str, *, name: str = "", **fields: object) -> Iterator[Session]:
        """Make a session for a run, as `create` does; an error before its first save removes it.

        Such a session could never be resumed, and the error has said all that there is to know of it.
        """
        with self.create(config_toml, preset, name=name, tags=(), **fields) as session:
            try:
                yield session
            except TrmError:
                if not may_go_on(session.path):
                    self._discard(session.id)
                raise

    def open(self, ref: str) -> Session:
        """Open a session for a run: nobody else may until it is closed.

        Raises `SessionError` when it is missing, damaged, or in use (then it says by whom).
        """
        folder = session_folder(self.root, self.resolve(ref))
        lock = SessionLock(folder)
        lock.acquire()
        try:
            session = Session(session_folder(self.root, folder.name), self._storage, lock)
            session.recover()
        except BaseException:
            lock.release()
            raise
        return session

    def get(self, ref: str) -> Session:
        """Return a session to read. Raises `SessionError` when it is missing or damaged."""
        return Session(session_folder(self.root, self.resolve(ref)), self._storage)

    def config_text(self, ref: str) -> str:
        """Return a session's configuration as TOML."""
        return read_configuration(session_folder(self.root, self.resolve(ref))).text

    def resolve(self, ref: str) -> str:
        """Return the id that `ref` means. Raises `SessionError` when it means none, or several."""
        if ref == LATEST:
            return self._latest()
        ids = _ids_in(self.root)
        if ref in ids:
            return ref
        matches = [found for found in ids if ref and found.startswith(ref)]
        names: dict[str, _Ids] = {}
        if len(matches) != 1:
            names = self._ids_by_name()
            matches = names.get(ref, matches)
        if len(matches) == 1:
            return matches[0]
        if matches:
            listed = ", ".join(matches[:_LISTED]) + (", …" if len(matches) > _LISTED else "")
            raise SessionError(f"{quoted(ref)} means {len(matches)} sessions: {listed}. Give the id of one.")
        close = nearest(ref[:200], [*ids, *names])
        hint = f" Did you mean {quoted(close)}?" if close else " `sessions list` shows what there is."
        raise SessionError(f"there is no session {quoted(ref)} in {self.root}.{hint}")

    def list(self) -> _Records:
        """Return the records of all sessions by id (so by time), with the status they have now.

        A session whose record cannot be read is listed as `damaged`.
        """
        return _records_in(self.root)

    def tag(self, ref: str, *tags: str) -> SessionRecord:
        """Add tags. Raises `UsageError` for one that is not a short word."""
        checked = {*map(check_tag, tags)}
        return self.get(ref).edit(lambda record: {"tags": sorted({*record.tags} | checked)})

    def untag(self, ref: str, *tags: str) -> SessionRecord:
        """Take tags away; one that is not there is no error."""
        return self.get(ref).edit(lambda record: {"tags": sorted({*record.tags} - {*tags})})

    def note(self, ref: str, note: str) -> SessionRecord:
        """Replace the note."""
        return self.get(ref).update(note=note)

    def rename(self, ref: str, name: str) -> SessionRecord:
        """Replace the name; an empty one takes it away. The id stays."""
        return self.get(ref).update(name=check_name(name))

    def delete(self, ref: str) -> str:
        """Move a session into the trash and return its id. Raises `SessionError` when it is in use."""
        folder = session_folder(self.root, self.resolve(ref))
        trash = self.root / TRASH
        lock = SessionLock(folder)
        lock.acquire()
        try:
            with disk_errors(f"delete session {folder.name}"):
                if not is_real_folder(trash):
                    trash.mkdir()
                self._move(folder, trash / folder.name)
        finally:
            lock.release()
        return folder.name

    def restore(self, session_id: str) -> str:
        """Take a session out of the trash. Raises `SessionError` when it is not there or its id is taken."""
        with disk_errors(f"restore session {quoted(session_id)}"):
            self._move(session_folder(self.root / TRASH, session_id), self.root / session_id)
        return session_id

    def purge(self, session_id: str) -> int:
        """Delete a session in the trash for good; return how many bytes that frees.

        Raises `SessionError` when it is not in the trash.
        """
        folder = session_folder(self.root / TRASH, session_id)
        freed = folder_bytes(folder)
        with disk_errors(f"delete session {quoted(session_id)} for good"):
            remove_tree(self._storage, folder)
        return freed

    def trash(self) -> _Records:
        """Return the records of the sessions in the trash, by id."""
        trash = self.root / TRASH
        return _records_in(trash) if is_real_folder(trash) else []

    def export(self, ref: str, file: Path) -> None:
        """Write a session into a new ZIP archive. Raises `SessionError` when it is in use."""
        folder = session_folder(self.root, self.resolve(ref))
        lock = SessionLock(folder)
        lock.acquire()
        try:
            export_session(folder, file)
        finally:
            lock.release()

    def import_archive(self, file: Path) -> str:
        """Add the session in an archive and return its id: its own, or a new one where that is taken.

        Raises `SessionError` when the file is not a valid archive of a session.
        """
        with disk_errors(f"import {file}"):
            self.root.mkdir(parents=True, exist_ok=True)
            self.tidy()
            with unpacked_session(file, self.root) as (session_id, folder):
                if os.path.lexists(self.root / session_id) or os.path.lexists(self.root / TRASH / session_id):
                    record = read_record(folder)
                    session_id = new_id(record.preset, record.created)
                self._place(folder, session_id)
        return session_id

    def _latest(self) -> str:
        """Return the newest session; those that cannot be used only where there is no other."""
        records = self.list()
        whole = [record for record in records if record.status not in ("damaged", "unsaved")]
        whole = whole or [record for record in records if record.status != "damaged"]
        if not whole:
            raise SessionError(f"there is no session yet in {self.root}.")
        return max(whole, key=lambda record: record.created).id

    def _ids_by_name(self) -> dict[str, _Ids]:
        names: dict[str, _Ids] = {}
        for record in self.list():
            if record.name:
                names.setdefault(record.name, []).append(record.id)
        return names

    def _fill(self, folder: Path, config_toml: str, record: SessionRecord) -> None:
        write_configuration(self._storage, folder, config_toml)
        History(folder / HISTORY, self._storage).append(config_toml, 0, "created")
        (folder / CHECKPOINTS).mkdir()
        write_record(self._storage, folder, record)

    def _discard(self, session_id: str) -> None:
        with suppress(OSError):
            remove_tree(Disk(), self.root / session_id)

    def _move(self, source: Path, target: Path) -> None:
        """Rename a folder to a name that must be free. Raises `SessionError` when it is not."""
        if os.path.lexists(target):
            raise SessionError(f"{target} exists already: rename or remove it first.")
        self._storage.rename(source, target)

    def _place(self, folder: Path, session_id: str) -> None:
        """Give a finished folder its name in the store."""
        try:
            self._move(folder, self.root / session_id)
            self._storage.sync(self.root)
        except BaseException:
            if is_real_folder(folder):
                remove_tree(Disk(), folder)
            raise


def _ids_in(root: Path) -> _Ids:
    """Return the ids of the sessions in a folder, sorted; links are none."""
    try:
        with os.scandir(root) as entries:
            return sorted(e.name for e in entries if is_id(e.name) and e.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SessionError(f"cannot read the sessions folder {root}: {error.strerror or error}.") from error


def _records_in(root: Path) -> _Records:
    records = []
    for found in _ids_in(root):
        with suppress(FileNotFoundError):  # another process may delete one meanwhile
            records.append(_seen(root / found))
    return records


def _seen(folder: Path) -> SessionRecord:
    try:
        record = read_record(folder)
        status = found_status(record.status, folder)
        if status != record.status:  # the run may have ended, and said so, since its record was read
            record = read_record(folder)
            status = found_status(record.status, folder)
        return record.model_copy(update={"status": status})
    except SessionError:
        changed = moment_of(folder)
        return SessionRecord(id=folder.name, status="damaged", created=changed, updated=changed)


def moment_of(folder: Path) -> datetime:
    """Return when a folder changed; 1970 where its file system says what no calendar has."""
    seconds = folder.lstat().st_mtime
    return datetime.fromtimestamp(min(max(seconds, 0), _LAST_SECOND), timezone.utc)
