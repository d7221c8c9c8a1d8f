"""Long lists of puzzles, read once into files of tokens that stay on the disk.

A list becomes a folder in the cache: `inputs.u8` and `labels.u8`, a byte a cell, and `about.json`, which is
written last and says of which file they are the content. A list that has changed is read again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, ValidationError

from trm_engine.errors import ResourceError, UsageError
from trm_engine.files import sha256_of
from trm_engine.paths import CACHE_VARIABLE, cache_folder
from trm_engine.progress import Progress
from trm_engine.tasks.base import Examples
from trm_engine.tasks.fingerprint import source_digest
from trm_engine.tasks.sudoku.files import read_chunks
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.lines import read_header
from trm_engine.tasks.sudoku.symmetry import Hashes, symmetry_hashes
from trm_engine.tasks.sudoku.text import to_digits, to_tokens
from trm_engine.text import format_bytes, safe_text

LONG_BYTES = 2**23
"""Lists of more than this are read once; a shorter one is read anew in less time than anyone notices."""
_VERSION = 1
_AT_ONCE = 2**14
_ABOUT = "about.json"


class _About(BaseModel):
    """What the files of a prepared list hold, and of which file."""

    model_config = ConfigDict(strict=True, frozen=True)

    version: int
    size: int
    mtime_ns: int
    sha256: str
    rows: int
    digest: str


@dataclass(frozen=True)
class PreparedList(Examples):
    """The puzzles of a long list, in files; `sha256` is the list's own."""

    folder: Path = Path()
    sha256: str = ""

    def hashes(self, geometry: Geometry, progress: Progress) -> Hashes:
        """Return the symmetry hash (N,) of every puzzle, worked out on first use and kept."""
        path = self.folder / "hashes.npy"
        with suppress(OSError, ValueError, EOFError):
            kept: Hashes = np.load(path, allow_pickle=False)
            if kept.shape == (len(self),) and kept.dtype == np.uint64:
                return kept
        hashes = np.empty(len(self), np.uint64)
        for start in range(0, len(self), _AT_ONCE):
            part = self.take(slice(start, start + _AT_ONCE))
            rows = slice(start, start + len(part))
            hashes[rows] = symmetry_hashes(geometry, to_digits(part.inputs), to_digits(part.labels))
            progress("comparing puzzles", rows.stop, len(self))
        with suppress(OSError):  # without it they are worked out again
            np.save(path.with_name("new-hashes.npy"), hashes, allow_pickle=False)
            path.with_name("new-hashes.npy").replace(path)
        return hashes


def is_long(path: Path) -> bool:
    """Tell whether a file is a long list with puzzles and solutions in columns: worth preparing."""
    try:
        long = path.stat().st_size > LONG_BYTES
    except OSError:
        return False
    header = read_header(path) if long else None
    return header is not None and header.solution is not None


def prepared(geometry: Geometry, path: Path, progress: Progress) -> PreparedList | None:
    """Return a long list's puzzles, read and checked now or earlier; None where solutions are missing.

    Memory holds a chunk at a time. Raises `UsageError` naming file and line where the list is not sound, and
    `ResourceError` where the cache cannot hold it.
    """
    try:
        return _prepared(geometry, path, progress)
    except OSError as error:
        raise ResourceError(
            f"{safe_text(str(path))} cannot be prepared in {safe_text(str(cache_folder()))} "
            f"({error.strerror or error}); free some room, or let {CACHE_VARIABLE} name another folder"
        ) from error


def prepared_sha256(geometry: Geometry, path: Path) -> str | None:
    """Return the sha256 that a list had when it was prepared; None where it has changed since."""
    path = path.resolve()
    about = _read_about(path, _folder_of(geometry, path))
    return about.sha256 if about else None


def _folder_of(geometry: Geometry, path: Path) -> Path:
    name = hashlib.sha256(f"{geometry} {path}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return cache_folder() / "puzzles" / name


def _prepared(geometry: Geometry, path: Path, progress: Progress) -> PreparedList | None:
    path = path.resolve()
    folder = _folder_of(geometry, path)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        found = _open(geometry, path, folder)
        if found is None:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            try:
                found = _write(geometry, path, folder, progress)
            finally:
                if found is None:
                    shutil.rmtree(folder, ignore_errors=True)
        return found


def _read_about(path: Path, folder: Path) -> _About | None:
    """Return what a folder says of a list's content; None where it says nothing, or means another content."""
    try:
        about = _About.model_validate_json((folder / _ABOUT).read_bytes())
        now = path.stat()
    except (OSError, ValidationError):
        return None
    fits = (about.version, about.size, about.mtime_ns) == (_VERSION, now.st_size, now.st_mtime_ns)
    return about if fits else None


def _open(geometry: Geometry, path: Path, folder: Path) -> PreparedList | None:
    """Return what was prepared from a list; None when it is not there, or not as it was written."""
    about = _read_about(path, folder)
    if about is None:
        return None
    try:
        found = _mapped(geometry, folder, about.rows, about.sha256)
    except (OSError, ValueError):
        return None
    return found if source_digest(found) == about.digest else None


def _mapped(geometry: Geometry, folder: Path, rows: int, sha256: str) -> PreparedList:
    shape = (rows, geometry.cells)
    inputs, labels = (
        np.memmap(folder / f"{name}.u8", np.uint8, "r", 0, shape) for name in ("inputs", "labels")
    )
    # Sudoku puzzles have no identity: one zero stands for all.
    return PreparedList(inputs, labels, np.broadcast_to(np.int32(0), rows), None, folder, sha256)


def _write(geometry: Geometry, path: Path, folder: Path, progress: Progress) -> PreparedList | None:
    """Read a list into the files of a folder; None, and no whole files, where a solution is missing."""
    before = path.stat()
    free = shutil.disk_usage(folder).free
    if free < before.st_size:
        raise ResourceError(
            f"{safe_text(str(path))}: preparing it takes up to {format_bytes(before.st_size)}, and "
            f"{safe_text(str(folder.parent))} has {format_bytes(free)} free; "
            f"let {CACHE_VARIABLE} name another folder"
        )
    count = 0
    with (folder / "inputs.u8").open("wb") as inputs, (folder / "labels.u8").open("wb") as labels:
        for puzzles, _lines in read_chunks(geometry, path, progress):
            if not puzzles.solutions.any(axis=1).all():
                return None
            inputs.write(to_tokens(puzzles.clues).tobytes())
            labels.write(to_tokens(puzzles.solutions).tobytes())
            count += len(puzzles)
    if not count:
        raise UsageError(f"{safe_text(str(path))}: holds no puzzles; write one a line")
    try:
        found = _mapped(geometry, folder, count, sha256_of(path, progress))
        after = path.stat()
    except OSError as error:
        raise UsageError(f"{safe_text(str(path))}: cannot be read: {error.strerror}") from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise UsageError(f"{safe_text(str(path))} has changed while it was read: try again")
    about = {
        "version": _VERSION,
        "size": before.st_size,
        "mtime_ns": before.st_mtime_ns,
        "sha256": found.sha256,
        "rows": count,
        "digest": source_digest(found),
    }
    (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")
    return found
