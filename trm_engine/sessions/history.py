"""Every configuration a session has had: `history/0001.toml` and on, each with its step, time and reason.

These stand as comments in front of the configuration, after a digest of all the rest, so that each file is a
configuration that can be run:

    # sha256: 5b1f…
    # step: 1200
    # time: 2026-01-31T12:00:00Z
    # reason: the memory guard halved train.micro_batch
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from trm_engine.errors import SessionError
from trm_engine.files import Storage, disk_errors, is_real_folder, read_text, write_atomically
from trm_engine.sessions.layout import MAX_TEXT_BYTES
from trm_engine.sessions.record import now
from trm_engine.sessions.seals import sealed_text, unsealed_text
from trm_engine.text import one_line

_NAME = re.compile(r"([0-9]{4,9})\.toml")
_HEADER = re.compile(r"# step: ([0-9]{1,18})\n# time: ([^\n]*)\n# reason: ([^\n]*)\n\n")


@dataclass(frozen=True)
class HistoryEntry:
    """One configuration and why it came to be."""

    number: int
    """Counts from 1."""
    step: int
    """The optimizer update from which on it applied."""
    time: str
    """ISO 8601, UTC."""
    reason: str
    """Of the change, on one line."""
    config_toml: str
    """The configuration, as it was given."""


class History:
    """The folder of a session's configurations."""

    def __init__(self, folder: Path, storage: Storage) -> None:
        self._folder = folder
        self._storage = storage

    def append(self, config_toml: str, step: int, reason: str) -> int:
        """Add a configuration and return its number. Raises `OSError`."""
        if not is_real_folder(self._folder):
            self._storage.make_folder(self._folder)
        number = max(self._numbers(), default=0) + 1
        time = now().isoformat(timespec="seconds").replace("+00:00", "Z")
        why = one_line(reason, None)
        text = f"# step: {step}\n# time: {time}\n# reason: {why}\n\n{config_toml}"
        write_atomically(self._storage, self._folder / f"{number:04d}.toml", sealed_text(text))
        return number

    def entries(self) -> list[HistoryEntry]:
        """Return all configurations in order. Raises `SessionError` for one that cannot be read."""
        return [self._read(number) for number in sorted(self._numbers())]

    def newest(self) -> HistoryEntry | None:
        """Return the configuration added last; None without one. Raises `SessionError` for a damaged one."""
        number = max(self._numbers(), default=0)
        return self._read(number) if number else None

    def _numbers(self) -> list[int]:
        if not is_real_folder(self._folder):
            return []
        with disk_errors(f"read {self._folder}"):
            matches = [_NAME.fullmatch(path.name) for path in self._folder.iterdir()]
        return [int(match[1]) for match in matches if match]

    def _read(self, number: int) -> HistoryEntry:
        path = self._folder / f"{number:04d}.toml"
        try:
            text, _ = unsealed_text(read_text(path, MAX_TEXT_BYTES))
        except (OSError, ValueError) as error:
            raise SessionError(f"cannot read {path}: {error}.") from error
        header = _HEADER.match(text)
        if header is None:
            raise SessionError(f"{path} does not begin with the lines # step, # time and # reason.")
        return HistoryEntry(number, int(header[1]), header[2], header[3], text[header.end() :])
