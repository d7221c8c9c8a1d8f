"""What verifications of checkpoints have found, remembered on disk: hashing them again tells nothing new.

A finding stands as long as nothing in the checkpoint's folder has been written since. It is kept among the
caches and not in the session, whose files only the holder of its lock may write.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from trm_engine.files import Disk, read_text, write_atomically
from trm_engine.paths import cache_folder
from trm_engine.sessions.layout import MAX_TEXT_BYTES


class Finding(BaseModel):
    """What one verification has found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    signature: str
    """Of the checkpoint's folder when it was read through."""
    problem: str | None
    """What is damaged; None when it is as it was saved."""


_FINDINGS = TypeAdapter(dict[str, Finding])


def signature(folder: Path) -> str:
    """Return what changes when anything in a folder is written. Raises `OSError`."""
    found: list[object] = []
    for path in sorted(folder.iterdir()):
        status = path.lstat()
        found.append((path.name, status.st_ino, status.st_size, status.st_mtime_ns))
    return hashlib.sha256(repr(found).encode("utf-8", "surrogateescape")).hexdigest()


class VerifiedCheckpoints:
    """The findings about the checkpoints in one folder, by the names of theirs.

    What cannot be read is as if it had never been found, and what cannot be written is not remembered.
    """

    def __init__(self, checkpoints: Path) -> None:
        name = hashlib.sha256(str(checkpoints.absolute()).encode("utf-8", "surrogateescape")).hexdigest()
        self._file = cache_folder() / "verified" / f"{name[:32]}.json"

    def read(self) -> Mapping[str, Finding]:
        """Return the findings of earlier verifications."""
        try:
            return _FINDINGS.validate_json(read_text(self._file, MAX_TEXT_BYTES))
        except (OSError, ValueError, ValidationError):
            return {}

    def write(self, findings: Mapping[str, Finding]) -> None:
        """Remember these findings in place of the earlier ones."""
        content = {name: finding.model_dump() for name, finding in findings.items()}
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(Disk(), self._file, json.dumps(content).encode())
