"""The file operations that must survive a crash, and the one door that a checkpoint goes through to the disk.

Everything a save does to the disk goes through a `Storage`, so that a test can make any one of its operations
fail. `Disk` is the real one.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol, TypeAlias

from trm_engine.errors import ResourceError, SessionError, UsageError
from trm_engine.progress import Progress, silent
from trm_engine.text import safe_text

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object whose content is the business of whoever wrote it."""
Bytes: TypeAlias = bytes | bytearray | memoryview

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_HASHED_AT_ONCE = 1 << 20
_NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)


class Storage(Protocol):
    """What a save asks of a disk. Every method raises `OSError` when it cannot be done."""

    def make_folder(self, path: Path) -> None:
        """Create one folder whose parent exists."""

    def write(self, path: Path, pieces: Iterable[Bytes]) -> None:
        """Write a file from the start, without following a link that stands in its place."""

    def sync(self, path: Path) -> None:
        """Bring a file's content, or a folder's list of names, to the medium itself."""

    def rename(self, source: Path, target: Path) -> None:
        """Give `source` the name `target`; a file that had the name is replaced at once."""

    def remove_file(self, path: Path) -> None:
        """Remove a file or a link, never what a link points to."""

    def remove_folder(self, path: Path) -> None:
        """Remove an empty folder."""

    def free_bytes(self, path: Path) -> int:
        """Return the bytes that may still be written where `path` is."""


class Disk:
    """The real disk."""

    def make_folder(self, path: Path) -> None:
        """Create one folder whose parent exists."""
        path.mkdir()

    def write(self, path: Path, pieces: Iterable[Bytes]) -> None:
        """Write a file from the start, without following a link that stands in its place."""
        descriptor = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666
        )
        try:
            for piece in pieces:
                write_all(descriptor, piece)
        finally:
            os.close(descriptor)

    def sync(self, path: Path) -> None:
        """Bring a file's content, or a folder's list of names, to the medium itself."""
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            sync_descriptor(descriptor)
        except OSError as error:
            # Network file systems refuse to sync a folder; there the rename itself is all one can ask for.
            if error.errno not in _NO_FOLDER_SYNC or not path.is_dir():
                raise
        finally:
            os.close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        """Give `source` the name `target`; a file that had the name is replaced at once."""
        source.rename(target)

    def remove_file(self, path: Path) -> None:
        """Remove a file or a link, never what a link points to."""
        path.unlink()

    def remove_folder(self, path: Path) -> None:
        """Remove an empty folder."""
        path.rmdir()

    def free_bytes(self, path: Path) -> int:
        """Return the bytes that may still be written where `path` is."""
        return shutil.disk_usage(path).free


def sync_descriptor(descriptor: int) -> None:
    """Flush an open file to the medium; macOS needs a stronger call than fsync to empty the drive's cache."""
    if sys.platform == "darwin":
        import fcntl

        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def write_all(descriptor: int, data: Bytes) -> None:
    """Write every byte of `data`; a single `os.write` may stop short."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def write_atomically(storage: Storage, path: Path, data: bytes) -> None:
    """Replace a file by `data` so that a crash leaves either the old content or the new, whole."""
    # A fixed name: what a crash leaves behind is overwritten by the next write instead of piling up.
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        storage.write(temporary, [data])
        storage.sync(temporary)
        storage.rename(temporary, path)
    except BaseException:
        with suppress(OSError):
            storage.remove_file(temporary)
        raise
    storage.sync(path.parent)


@contextmanager
def whole_file(path: Path, *, replace: bool = True) -> Iterator[Path]:
    """Yield the name of a file beside `path` that takes its place when the block ends well, and is gone else.

    For what is written by name, or piece by piece. Without `replace`, raises `UsageError` where `path` exists
    already; raises `OSError` as the disk does.
    """
    if not replace and (path.exists() or path.is_symlink()):  # also a link to nothing: it would be replaced
        raise UsageError(f"{safe_text(str(path))} exists already: name another file.")
    # A name of its own: another process may be making the same file, of a cache for example.
    temporary, disk = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp"), Disk()
    try:
        yield temporary
        disk.sync(temporary)
        disk.rename(temporary, path)
        disk.sync(path.absolute().parent)
    except BaseException:
        with suppress(OSError):
            disk.remove_file(temporary)
        raise


def sha256_of(path: Path, progress: Progress = silent, what: str = "") -> str:
    """Return the sha256 of a file, in hexadecimal. Raises `OSError` where it cannot be read.

    `progress` hears of `what` (by default "checking" and the file's name) after each piece.
    """
    digest, done = hashlib.sha256(), 0
    size, what = path.stat().st_size, what or f"checking {path.name}"
    with path.open("rb") as file:
        while piece := file.read(_HASHED_AT_ONCE):
            digest.update(piece)
            done += len(piece)
            progress(what, done, max(size, done))  # a file may grow while it is read
    return digest.hexdigest()


def append_lines(path: Path, data: bytes) -> None:
    """Append whole lines to a file, first ending a line that a crash has torn. Not synced to the medium."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o666)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        write_all(descriptor, b"\n" + data if torn else data)
    finally:
        os.close(descriptor)


def open_plain(path: Path) -> IO[bytes]:
    """Open a file to read. Raises `OSError` for what is no plain file: a pipe is waited for, for ever."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a plain file", str(path))
    return os.fdopen(descriptor, "rb")


def read_bytes(path: Path, limit: int) -> bytes:
    """Return a plain file's content. Raises `ValueError` when it is larger than `limit` bytes."""
    with open_plain(path) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"it is larger than {limit} bytes")
    return data


def read_text(path: Path, limit: int) -> str:
    """Return a UTF-8 file's text. Raises `ValueError` when it is larger than `limit` bytes or not UTF-8."""
    return read_bytes(path, limit).decode("utf-8")


def is_real_folder(path: Path) -> bool:
    """Return whether `path` is a folder itself, not a link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def folder_bytes(folder: Path) -> int:
    """Return the sizes of all files in a folder, added up; what goes away meanwhile counts as nothing."""
    total = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                is_folder = entry.is_dir(follow_symlinks=False)
                total += (
                    folder_bytes(Path(entry.path)) if is_folder else entry.stat(follow_symlinks=False).st_size
                )
    return total


def remove_tree(storage: Storage, folder: Path) -> None:
    """Remove a folder and what is in it; a link inside is removed, what it points to stays."""
    for path in sorted(folder.iterdir()):
        if is_real_folder(path):
            remove_tree(storage, path)
        else:
            storage.remove_file(path)
    storage.remove_folder(folder)


def unusable(path: Path, what: str) -> UsageError:
    """Return the error that says what is wrong with a file or folder that a person named."""
    return UsageError(f"{safe_text(str(path))}: {safe_text(what)}")


@contextmanager
def disk_errors(doing: str) -> Iterator[None]:
    """Turn an `OSError` into an error for people that begins with "cannot `doing`".

    Raises `ResourceError` where the disk, the quota or the file-size limit is exhausted, else `SessionError`.
    """
    try:
        yield
    except OSError as error:
        where = f" ({safe_text(str(error.filename))})" if error.filename else ""
        reason = f"cannot {doing}: {error.strerror or error}{where}"
        if error.errno in _NO_ROOM:
            raise ResourceError(f"{reason}. Free some space there, then try again.") from error
        raise SessionError(f"{reason}.") from error
