"""One writer a session: a lock of the kernel's, held for the life of the run, that no crash leaves behind."""

from __future__ import annotations

import errno
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock, Timeout

from trm_engine.errors import SessionError
from trm_engine.files import Disk, read_text, remove_tree, write_atomically
from trm_engine.remedies import Advice
from trm_engine.sessions.layout import MAX_TEXT_BYTES, RUN_HOLDER, RUN_LOCK
from trm_engine.text import safe_text

# Whoever asks whether a lock is held takes it for an instant: an opener that meets one tries again this long.
_PATIENCE_SECONDS = 0.2
_GLANCE_SECONDS = 0.02


class SessionLock:
    """The right to write to a session's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Not bound to a thread: the trainer's thread and the app's release the same lock.
        self._lock = FileLock(folder / RUN_LOCK, thread_local=False)

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return bool(self._lock.is_locked)

    def acquire(self) -> None:
        """Take the lock. Raises `SessionError` naming the holder when another run has it."""
        try:
            _require_locks(self._folder)
            self._lock.acquire(timeout=_PATIENCE_SECONDS, poll_interval=0.02)
        except Timeout:
            raise SessionError(
                f"session {self._folder.name} is in use by {_holder(self._folder)}: stop that run first."
            ) from None
        except OSError as error:
            raise _cannot_lock(self._folder, error) from error
        with suppress(OSError):  # the lock holds without it; only the word about its holder would be missing
            write_atomically(Disk(), self._folder / RUN_HOLDER, _this_process())

    def release(self) -> None:
        """Give the lock back; does nothing when it is not held."""
        if self.held:
            with suppress(OSError):
                (self._folder / RUN_HOLDER).unlink()
            self._lock.release()


def is_locked(folder: Path) -> bool:
    """Return whether some run holds the session. True as well where this user may not ask."""
    path = folder / RUN_LOCK
    if not os.path.lexists(path):
        return False
    try:
        _require_locks(folder)
    except OSError as error:
        return error.errno != errno.ENOSYS  # without locks no run can hold a session
    try:
        with FileLock(path, thread_local=False).acquire(timeout=_GLANCE_SECONDS, poll_interval=0.002):
            return False
    except (Timeout, OSError):
        return True


@contextmanager
def making(folder: Path) -> Iterator[None]:
    """Make a folder that is to become a session, and hold it: one that nobody holds is what a crash has left.

    Raises `OSError` where it cannot be made, `SessionError` where nothing can be locked.
    """
    folder.mkdir()
    lock = FileLock(folder / RUN_LOCK, thread_local=False)
    try:
        _require_locks(folder)
        lock.acquire(timeout=_PATIENCE_SECONDS)
    except OSError as error:
        remove_tree(Disk(), folder)
        raise _cannot_lock(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def _require_locks(folder: Path) -> None:
    """Raise `OSError` where the file system has no locks at all.

    filelock would take a mere file for one then: a crash leaves that behind, and it moves with its folder.
    """
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno == errno.ENOSYS:  # any other answer comes again, and clearer, with the lock itself
            raise
    finally:
        os.close(descriptor)


def is_abandoned(folder: Path, seconds: float) -> bool:
    """Whether a folder that was to become a session is what a crash has left.

    One that is not locked yet was made an instant ago, or longer than `seconds`.
    """
    if os.path.lexists(folder / RUN_LOCK):
        return not is_locked(folder)
    return time.time() - folder.lstat().st_mtime > seconds


def _cannot_lock(folder: Path, error: OSError) -> SessionError:
    session = folder.name.lstrip(".").removeprefix("new-")
    return SessionError(
        f"cannot lock session {session}: {error.strerror or error}; some network file systems have no locks",
        remedies=[Advice.KEEP_SESSIONS_ELSEWHERE],
    )


def _this_process() -> bytes:
    since = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since}).encode()


def holder_of(folder: Path) -> dict[str, object]:
    """Return what the run that holds a session says of itself: `pid`, `host`, `since`; or nothing yet."""
    try:
        found = json.loads(read_text(folder / RUN_HOLDER, MAX_TEXT_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def in_use_by(folder: Path) -> str:
    """Return who runs a session, in words; empty where nobody does."""
    return _holder(folder) if is_locked(folder) else ""


def _holder(folder: Path) -> str:
    """Return who holds the lock, in words; it may not have introduced itself yet."""
    found = holder_of(folder)
    if not {"pid", "host", "since"} <= found.keys():
        return "another process"
    return safe_text(f"process {found['pid']} on {found['host']} since {found['since']}")
