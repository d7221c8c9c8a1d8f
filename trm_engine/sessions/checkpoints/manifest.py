"""The seal of a checkpoint: which files it has, and the size and SHA-256 of each."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from trm_engine.files import Bytes, JsonObject, open_plain, read_text
from trm_engine.sessions.checkpoints.best import Best
from trm_engine.sessions.layout import CHECKPOINT_FILES, MANIFEST, MAX_TEXT_BYTES

FORMAT = 1
_CHUNK = 1 << 20
_HEX = r"^[0-9a-f]{64}$"


class DamagedError(Exception):
    """A checkpoint that is not what was saved; the text says in what."""


class Seal(BaseModel):
    """What a file's content must be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: int = Field(ge=0)
    """Its size."""
    sha256: str = Field(pattern=_HEX)
    """Its digest, in hexadecimal."""


class Manifest(BaseModel):
    """What a checkpoint's folder must hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = Field(FORMAT, ge=FORMAT, le=FORMAT)
    """Version of this layout."""
    step: int = Field(ge=0)
    """Optimizer updates done."""
    serial: int = Field(ge=0)
    """Counts the saves of a session: once a run has gone back, the newest has not the highest step."""
    time: AwareDatetime
    """When it was saved (UTC)."""
    files: dict[str, Seal]
    """The checksum of each file."""
    best: Best | None = None
    """The best checkpoint when this one was saved; stands in for `best.json` when that is damaged."""

    def to_bytes(self) -> bytes:
        """Return the file's content, which carries a digest of itself."""
        body: JsonObject = self.model_dump(mode="json", exclude_none=True)
        return _canonical({**body, "sha256": _sha256(_canonical(body))})


class Sealing:
    """Passes pieces of a file on and computes its seal on the way."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._bytes = 0

    def through(self, pieces: Iterable[Bytes]) -> Iterator[Bytes]:
        """Yield the pieces unchanged."""
        for piece in pieces:
            self._digest.update(piece)
            self._bytes += len(piece)
            yield piece

    @property
    def seal(self) -> Seal:
        """The seal of what has passed."""
        return Seal(bytes=self._bytes, sha256=self._digest.hexdigest())


def read_manifest(folder: Path) -> Manifest:
    """Read a checkpoint's manifest. Raises `DamagedError` when it is missing, changed or not one."""
    try:
        text = read_text(folder / MANIFEST, MAX_TEXT_BYTES)
        content = json.loads(text)
        if not isinstance(content, dict):
            raise DamagedError(f"{MANIFEST} is not a table")
        body = {key: value for key, value in content.items() if key != "sha256"}
        # The digest covers what the JSON means, the comparison how it is written: no bit escapes both.
        if content.get("sha256") != _sha256(_canonical(body)) or text.encode() != _canonical(content):
            raise DamagedError(f"{MANIFEST} has changed since it was written")
        manifest = Manifest.model_validate(body)
    except FileNotFoundError:
        raise DamagedError(f"{MANIFEST} is missing") from None
    except (OSError, RecursionError) as error:
        raise DamagedError(f"{MANIFEST} cannot be read: {error}") from error
    except ValidationError as error:
        raise DamagedError(f"{MANIFEST} is of another version") from error
    except ValueError as error:
        raise DamagedError(f"{MANIFEST} is not JSON") from error
    if set(manifest.files) != set(CHECKPOINT_FILES):
        raise DamagedError(f"{MANIFEST} does not list {', '.join(CHECKPOINT_FILES)}")
    return manifest


def check_names(folder: Path, manifest: Manifest) -> None:
    """Raise `DamagedError` unless the folder has exactly the files of its manifest, each of its size."""
    # Names that begin with a dot are the file manager's own notes.
    found = {path.name: path for path in folder.iterdir() if not path.name.startswith(".")}
    for name in sorted(found.keys() - {*manifest.files, MANIFEST}):
        raise DamagedError(f"{name!a} does not belong there")
    for name, seal in manifest.files.items():
        if name not in found:
            raise DamagedError(f"{name} is missing")
        status = found[name].lstat()
        if not stat.S_ISREG(status.st_mode):
            raise DamagedError(f"{name} is not a plain file")
        if status.st_size != seal.bytes:
            raise DamagedError(f"{name} has {status.st_size} bytes instead of {seal.bytes}")


def check_sizes(folder: Path) -> Manifest:
    """Compare a checkpoint's names and sizes, not its content; return its manifest. Raises `DamagedError`."""
    manifest = read_manifest(folder)
    try:
        check_names(folder, manifest)
    except OSError as error:
        raise DamagedError(f"it cannot be read: {error.strerror or error}") from error
    return manifest


def verify(folder: Path) -> Manifest:
    """Read a checkpoint through and return its manifest. Raises `DamagedError`."""
    manifest = read_manifest(folder)
    try:
        check_names(folder, manifest)
        for name, seal in manifest.files.items():
            sealing = Sealing()
            for _ in sealing.through(_chunks(folder / name)):
                pass
            _compare(name, sealing.seal, seal)
    except OSError as error:
        raise DamagedError(f"it cannot be read: {error.strerror or error}") from error
    return manifest


def read_sealed(folder: Path, name: str, seal: Seal) -> bytes:
    """Return a file's content, which is what was sealed. Raises `DamagedError`."""
    try:
        with open_plain(folder / name) as file:
            data = file.read()
    except OSError as error:
        raise DamagedError(f"{name} cannot be read: {error.strerror or error}") from error
    _compare(name, Seal(bytes=len(data), sha256=_sha256(data)), seal)
    return data


def _chunks(path: Path) -> Iterator[bytes]:
    with open_plain(path) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _compare(name: str, found: Seal, wanted: Seal) -> None:
    if found != wanted:
        raise DamagedError(f"{name} has changed since it was written")


def _canonical(content: JsonObject) -> bytes:
    return (json.dumps(content, sort_keys=True, separators=(",", ":")) + "\n").encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
