"""Files of weights as the published code saves them: `torch.save(state_dict)`, a ZIP archive around a pickle.

They are the only pickles that trm-tui reads, and they come from strangers. Releases of torch that it supports
can be made to run code by such files in spite of `weights_only` (CVE-2025-32434: formats before ZIP, and
TorchScript archives), so the archive must be exactly what `torch.save` writes before torch may open it.
"""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trm_engine.errors import ResourceError
from trm_engine.files import disk_errors, sha256_of, unusable, whole_file
from trm_engine.interop.pickle_vetting import described_weights
from trm_engine.sessions.record import Origin
from trm_engine.text import format_bytes, safe_text

if TYPE_CHECKING:
    from torch import Tensor

MAX_BYTES = 8 * 10**9
"""The published ARC checkpoints, with an embedding for each of 876 404 puzzles, have under 2 GB."""
_MAX_PICKLE = 10**6
_MAX_MEMBERS = 10_000
_MEMBER = re.compile(
    r"[^/]+/(data\.pkl|data/[0-9]+|version|byteorder|\.data/serialization_id|\.format_version"
    r"|\.storage_alignment)"
)
_PICKLE = "/data.pkl"
_END_OF_ARCHIVE = b"PK\x05\x06"
_END_BYTES = 22


def read_weights(file: Path) -> dict[str, Tensor]:
    """Return the tensors of a published checkpoint by name, still in their file until they are used.

    Raises `UsageError` when it is none, is larger than `MAX_BYTES`, or asks for more than weights.
    """
    try:
        _vet(file)
    except OSError as error:
        raise unusable(file, f"cannot be read: {error.strerror or error}") from error
    except (zipfile.BadZipFile, ValueError, RuntimeError, EOFError) as error:
        raise unusable(file, str(error)) from error
    import torch

    try:
        loaded: dict[str, Tensor] = torch.load(str(file), map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # what torch raises for files it cannot read is not documented
        reason = str(error).splitlines() or [type(error).__name__]
        raise unusable(file, f"cannot be read: {reason[0][:200]}") from error
    return loaded


def write_weights(file: Path, weights: Mapping[str, Tensor]) -> None:
    """Write tensors by name into a new file, whole or not at all.

    Raises `UsageError` when the file exists, `ResourceError` or `SessionError` when it cannot be written.
    """
    import torch

    with disk_errors(f"write {safe_text(str(file))}"):
        try:
            with whole_file(file, replace=False) as temporary, temporary.open("wb") as out:
                torch.save(dict(weights), out)
        except RuntimeError as error:  # torch's own words for a write that came up short
            raise ResourceError(
                f"cannot write {safe_text(str(file))}: the disk may be full. Nothing was changed."
            ) from error


def origin_of(file: Path) -> Origin:
    """Return what a session remembers of the file that it began from. Raises `UsageError`."""
    try:
        sha256, size = sha256_of(file), file.stat().st_size
    except OSError as error:
        raise unusable(file, f"cannot be read: {error.strerror or error}") from error
    return Origin(file=safe_text(file.name), bytes=size, sha256=sha256)


def _vet(file: Path) -> None:
    """Raise `ValueError` unless the file is an archive of weights as `torch.save` writes it."""
    found = file.stat()
    size = found.st_size
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("cannot be read: it is not a regular file")
    if size > MAX_BYTES:
        raise ValueError(f"has {format_bytes(size)}; a checkpoint has at most {format_bytes(MAX_BYTES)}")
    with file.open("rb") as opened:
        # torch goes by the first bytes and by the end, so these must not leave room for another reading.
        begins = opened.read(4)
        opened.seek(max(size - _END_BYTES, 0))
        if begins != b"PK\x03\x04" or not opened.read().startswith(_END_OF_ARCHIVE):
            raise ValueError("is not a checkpoint (an archive that torch.save has written)")
        with zipfile.ZipFile(opened) as archive:
            _vet_archive(archive)


def _vet_archive(archive: zipfile.ZipFile) -> None:
    members = {info.filename: info for info in archive.infolist()}
    roots = {name.partition("/")[0] for name in members}
    if len(members) != len(archive.infolist()) or len(members) > _MAX_MEMBERS or len(roots) != 1:
        raise ValueError("is not a checkpoint (its archive does not hold what torch.save writes)")
    for name, info in members.items():
        if not _MEMBER.fullmatch(name):
            raise ValueError(f"refused: its archive holds {name[-80:]}, which torch.save never writes")
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise ValueError("is not a checkpoint (its archive is compressed, which torch.save never does)")
    root = roots.pop()
    pickled = members.get(root + _PICKLE)
    if pickled is None or pickled.file_size > _MAX_PICKLE:
        raise ValueError("is not a checkpoint (its archive holds no table of weights)")
    for name, tensor in described_weights(archive.read(pickled)).items():
        numbers = members.get(f"{root}/data/{tensor.stored.key}")
        if numbers is None or numbers.file_size != tensor.stored.bytes:
            raise ValueError(f"is damaged: the numbers of {name[:80]} are missing or not as many as it says")
    # torch maps the numbers and compares no checksum: a flipped bit would be another model.
    damaged = archive.testzip()
    if damaged is not None:
        raise ValueError(
            f"is damaged: the checksum of {damaged[-80:]} is not that of its content; fetch or copy it again "
            "(or it was saved with checksums switched off: save it again)"
        )
