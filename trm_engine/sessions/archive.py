"""A session as one file: a ZIP archive of its own files, none of which can land outside when it is read.

Members are `<id>/<file>` in sorted order with a fixed date, so that the same session gives the same archive.
"""

from __future__ import annotations

import shutil
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from trm_engine.errors import ResourceError, SessionError, UsageError
from trm_engine.files import Disk, disk_errors, is_real_folder, remove_tree, whole_file
from trm_engine.sessions.configuration import read_configuration
from trm_engine.sessions.layout import CONFIG, MAX_TEXT_BYTES, RECORD, belongs, is_id, is_text
from trm_engine.sessions.lock import is_abandoned, making
from trm_engine.sessions.record import read_record
from trm_engine.text import format_bytes, quoted

MAX_FILES = 20_000
MAX_BYTES = 1 << 36
"""64 GiB: far above any session, far below what could fill a disk unnoticed."""
MAX_RATIO = 100
"""How many times its own size an archive may unpack to: metrics shrink to a tenth, weights hardly at all."""
RATIO_FREE_BYTES = 1 << 24
"""What an archive may unpack to whatever its own size is."""
RESERVE_BYTES = 1 << 28
"""Room on the disk that an import leaves free."""

_DATE = (1980, 1, 1, 0, 0, 0)
IMPORTING = ".import-"
"""Begins the name of a folder that an archive is unpacked into."""
# What zipfile raises for archives that are damaged, or (RuntimeError and its kin) packed in a way or locked
# with a password that it does not read.
_BROKEN = (BadZipFile, zlib.error, EOFError, RuntimeError, ValueError)


def export_session(folder: Path, file: Path) -> None:
    """Write a session's own files into a new archive, whole or not at all; links are left out.

    Raises `UsageError` when the file exists, `ResourceError` or `SessionError` when it cannot be written.
    """
    with (
        disk_errors(f"export session {folder.name} to {file}"),
        whole_file(file, replace=False) as temporary,
        ZipFile(temporary, "w") as archive,
    ):
        for path in _own_files(folder):
            _add(archive, f"{folder.name}/{path.relative_to(folder).as_posix()}", path)


@contextmanager
def unpacked_session(file: Path, root: Path) -> Iterator[tuple[str, Path]]:
    """Unpack an archive into a folder in `root`, to be moved from there; provide its id and that folder.

    Raises `UsageError` when there is no such file; `SessionError` when it is no archive of a session, or
    holds anything but a session's own plain files; `ResourceError` when it does not fit on the disk.
    """
    if not file.is_file():
        raise UsageError(f"there is no file {file} to import.")
    with disk_errors(f"import {file}"), _reading(file), ZipFile(file) as archive:
        members = _checked_members(archive, file)
        needed = sum(info.file_size for info in members.values())
        _check_ratio(needed, sum(info.compress_size for info in members.values()), file)
        _check_room(needed, root)
        session_id = next(iter(members.values())).filename.split("/")[0]
        folder = root / f"{IMPORTING}{session_id}"
        if is_real_folder(folder) and is_abandoned(folder, 0.0):  # what an import cut short has left
            remove_tree(Disk(), folder)
        with making(folder):
            try:
                for name, info in members.items():
                    _extract(archive, info, folder / name)
                read_record(folder)
                read_configuration(folder)
                yield session_id, folder
            except BaseException:
                if is_real_folder(folder):
                    remove_tree(Disk(), folder)
                raise


def _own_files(folder: Path) -> Iterator[Path]:
    """Yield a session's own files in sorted order, without following links."""
    found: list[str] = []
    pending = [folder]
    while pending:
        for path in pending.pop().iterdir():
            if is_real_folder(path):
                pending.append(path)
            elif stat.S_ISREG(path.lstat().st_mode):
                found.append(path.relative_to(folder).as_posix())
    for name in sorted(found):
        if belongs(name):
            yield folder / name


def _add(archive: ZipFile, name: str, path: Path) -> None:
    info = ZipInfo(name, _DATE)
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    # Trained numbers hardly shrink.
    info.compress_type = ZIP_STORED if name.endswith(".safetensors") else ZIP_DEFLATED
    with path.open("rb") as source:
        info.file_size = path.stat().st_size
        with archive.open(info, "w") as target:
            shutil.copyfileobj(source, target, 1 << 20)


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    """Turn what a broken archive raises into `SessionError`."""
    try:
        yield
    except _BROKEN as error:
        raise SessionError(f"{file} is not a valid archive of a session: {error}.") from error


def _checked_members(archive: ZipFile, file: Path) -> dict[str, ZipInfo]:
    """Return the members by their path in the session's folder, or raise `SessionError`."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    members: dict[str, ZipInfo] = {}
    top = infos[0].filename.split("/")[0] if infos else ""
    if not is_id(top):
        raise SessionError(f"{file} holds no session: its files must be in one folder named by a session id.")
    if len(infos) > MAX_FILES:
        raise SessionError(f"{file} has {len(infos)} files; a session has at most {MAX_FILES}.")
    for info in infos:
        name = info.filename.removeprefix(f"{top}/")
        if name == info.filename or not belongs(name) or name in members:
            raise SessionError(f"{file} is refused: {quoted(info.filename)} is not a file of a session.")
        mode = info.external_attr >> 16
        if (stat.S_IFMT(mode) or stat.S_IFREG) != stat.S_IFREG or info.flag_bits & 1:
            raise SessionError(f"{file} is refused: {quoted(info.filename)} is not a plain file.")
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED) or (
            is_text(name) and info.file_size > MAX_TEXT_BYTES
        ):
            raise SessionError(
                f"{file} is refused: {quoted(info.filename)} is too large or uses an unsupported compression."
            )
        members[name] = info
    for name in (RECORD, CONFIG):
        if name not in members:
            raise SessionError(f"{file} holds no session: {name} is missing.")
    return members


def _check_ratio(needed: int, packed: int, file: Path) -> None:
    """Refuse an archive that was made to fill a disk."""
    if needed > RATIO_FREE_BYTES + MAX_RATIO * packed:
        raise SessionError(
            f"{file} is refused: {format_bytes(packed)} would unpack to {format_bytes(needed)}, and no "
            f"session shrinks to less than a {MAX_RATIO}th."
        )


def _check_room(needed: int, root: Path) -> None:
    if needed > MAX_BYTES:
        raise SessionError(
            f"the archive unpacks to {format_bytes(needed)}; at most {format_bytes(MAX_BYTES)} is read."
        )
    free = Disk().free_bytes(root)
    if needed > free - RESERVE_BYTES:
        raise ResourceError(
            f"the archive needs {format_bytes(needed)}, and {root} has {format_bytes(free)} free, of which "
            f"{format_bytes(RESERVE_BYTES)} are left: free some."
        )


def _extract(archive: ZipFile, info: ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as source, target.open("xb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
    Disk().sync(target)
