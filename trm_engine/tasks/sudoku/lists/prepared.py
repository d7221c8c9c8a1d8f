"""Long lists of puzzles, read once into files of tokens that stay on the disk.

A list becomes a folder in the cache: `inputs.u8` and `labels.u8`, a byte a cell, and `about.json`, which is
written last and says of which file they are the content, and what their sha256 is. A list that has changed is
read again, and so is one whose files in the cache have.
"""

from __future__ import annotations

import hashlib
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, ValidationError

from trm_engine.errors import ResourceError, UsageError
from trm_engine.files import sha256_of, whole_file
from trm_engine.paths import CACHE_VARIABLE, cache_folder
from trm_engine.progress import Progress
from trm_engine.tasks.examples import Examples
from trm_engine.tasks.puzzle_lists.files import is_pipe, readable
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.lists.files import DEFAULT, Reading, open_list, read_chunks
from trm_engine.tasks.sudoku.lists.lines import read_header
from trm_engine.tasks.sudoku.symmetry import Hashes, symmetry_hashes
from trm_engine.tasks.sudoku.text import to_digits, to_tokens
from trm_engine.text import format_bytes, safe_text

LONG_BYTES = 2**23
"""Lists of more than this are read once; a shorter one is read anew in less time than anyone notices."""
_VERSION = 2
_AT_ONCE = 2**14
_ABOUT, _INPUTS, _LABELS, _HASHES = "about.json", "inputs.u8", "labels.u8", "hashes.u64"
_SEAL_BYTES = hashlib.sha256().digest_size


class _About(BaseModel):
    """What the files of a prepared list hold, and of which file."""

    model_config = ConfigDict(strict=True, frozen=True)

    version: int
    size: int
    mtime_ns: int
    sha256: str
    rows: int
    inputs: str
    labels: str
    notes: list[str]


@dataclass(frozen=True)
class PreparedList(Examples):
    """The puzzles of a long list, in files; `sha256` is the list's own."""

    folder: Path = Path()
    sha256: str = ""

    def hashes(self, geometry: Geometry, progress: Progress) -> Hashes:
        """Return the symmetry hash (N,) of every puzzle, worked out on first use and kept."""
        path = self.folder / _HASHES
        kept = _sealed_hashes(path, len(self))
        if kept is not None:
            return kept
        hashes = np.empty(len(self), np.uint64)
        for start in range(0, len(self), _AT_ONCE):
            part = self.take(slice(start, start + _AT_ONCE))
            rows = slice(start, start + len(part))
            hashes[rows] = symmetry_hashes(geometry, to_digits(part.inputs), to_digits(part.labels))
            progress("comparing puzzles", rows.stop, len(self))
        with suppress(OSError):  # without it they are worked out again
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as temporary:
                temporary.write_bytes(hashes.tobytes() + hashlib.sha256(hashes.tobytes()).digest())
        return hashes


def _sealed_hashes(path: Path, count: int) -> Hashes | None:
    """Return kept hashes; None where there are none or a bit has changed: it would let a copy in."""
    try:
        if path.stat().st_size != count * np.dtype(np.uint64).itemsize + _SEAL_BYTES:
            return None
        raw = path.read_bytes()
    except OSError:
        return None
    numbers, seal = raw[:-_SEAL_BYTES], raw[-_SEAL_BYTES:]
    return np.frombuffer(numbers, np.uint64) if hashlib.sha256(numbers).digest() == seal else None


def is_long(path: Path, reading: Reading = DEFAULT) -> bool:
    """Tell whether a file is a long list with puzzles and solutions in columns: worth preparing."""
    try:
        if is_pipe(path) or path.stat().st_size <= LONG_BYTES:
            return False
    except OSError:
        return False
    with readable(path) as file:
        header = read_header(file, reading.columns)
    return header is not None and header.columns.solution is not None


def prepared(
    geometry: Geometry, path: Path, progress: Progress, reading: Reading = DEFAULT
) -> PreparedList | None:
    """Return a long list's puzzles, read and checked now or earlier; None where solutions are missing.

    Memory holds a chunk at a time. Raises `UsageError` naming file and line where the list is not sound, and
    `ResourceError` where the cache cannot hold it.
    """
    try:
        return _prepared(geometry, path, progress, reading)
    except OSError as error:
        raise ResourceError(
            f"{safe_text(str(path))} cannot be prepared in {safe_text(str(cache_folder()))} "
            f"({error.strerror or error}); free some room, or let {CACHE_VARIABLE} name another folder"
        ) from error


def prepared_sha256(geometry: Geometry, path: Path, reading: Reading = DEFAULT) -> str | None:
    """Return the sha256 that a list had when it was prepared; None where it has changed since."""
    path = path.resolve()
    about = _read_about(path, _folder_of(geometry, path, reading))
    return about.sha256 if about else None


def _folder_of(geometry: Geometry, path: Path, reading: Reading) -> Path:
    name = hashlib.sha256(f"{geometry} {reading} {path}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return cache_folder() / "puzzles" / name


def _prepared(geometry: Geometry, path: Path, progress: Progress, reading: Reading) -> PreparedList | None:
    path = path.resolve()
    folder = _folder_of(geometry, path, reading)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        found = _open(geometry, path, folder)
        if found is None:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            try:
                found = _write(geometry, path, folder, progress, reading)
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
        if (sha256_of(folder / _INPUTS), sha256_of(folder / _LABELS)) != (about.inputs, about.labels):
            return None
        return _mapped(geometry, folder, about)
    except (OSError, ValueError, UsageError):
        return None


def _mapped(geometry: Geometry, folder: Path, about: _About) -> PreparedList:
    shape = (about.rows, geometry.cells)
    inputs, labels = (np.memmap(folder / name, np.uint8, "r", 0, shape) for name in (_INPUTS, _LABELS))
    # Sudoku puzzles have no identity: one zero stands for all.
    ids = np.broadcast_to(np.int32(0), about.rows)
    return PreparedList(inputs, labels, ids, None, folder, about.sha256, notes=about.notes)


def _write(
    geometry: Geometry, path: Path, folder: Path, progress: Progress, reading: Reading
) -> PreparedList | None:
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
    with (
        readable(path) as file,
        (folder / _INPUTS).open("wb") as inputs,
        (folder / _LABELS).open("wb") as labels,
    ):
        found = open_list(geometry, file, reading, progress)
        for puzzles, _lines in read_chunks(found, progress):
            if not puzzles.solutions.any(axis=1).all():
                return None
            inputs.write(to_tokens(puzzles.clues).tobytes())
            labels.write(to_tokens(puzzles.solutions).tobytes())
            count += len(puzzles)
    if not count:
        raise UsageError(f"{safe_text(str(path))}: holds no puzzles; write one a line")
    try:
        sha256 = sha256_of(path, progress)
        after = path.stat()
    except OSError as error:
        raise UsageError(f"{safe_text(str(path))}: cannot be read: {error.strerror}") from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise UsageError(f"{safe_text(str(path))} has changed while it was read: try again")
    about = _About(
        version=_VERSION,
        size=before.st_size,
        mtime_ns=before.st_mtime_ns,
        sha256=sha256,
        rows=count,
        inputs=sha256_of(folder / _INPUTS),
        labels=sha256_of(folder / _LABELS),
        notes=list(found.notes),
    )
    (folder / _ABOUT).write_text(about.model_dump_json(), encoding="utf-8")
    return _mapped(geometry, folder, about)
