"""Where a task's data come from: a path on this machine, or a data set on the Hugging Face Hub."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trm_engine.config.sections import DATA_FIELDS, TaskConfig
from trm_engine.errors import UsageError
from trm_engine.files import sha256_of
from trm_engine.progress import Progress, silent
from trm_engine.remedies import NameData
from trm_engine.tasks.hub.client import HubDataset, HubFile, cached_file, download
from trm_engine.tasks.puzzle_lists.files import STDIN, is_pipe
from trm_engine.text import safe_text

HUB_PREFIX = "hub:"
"""What a `data` field begins with when it names a data set on the Hub: hub:OWNER/NAME[@REVISION]."""
Split = Literal["train", "test"]


@dataclass(frozen=True)
class Located:
    """Data that are on this machine now, and where on the Hub they came from, if they did."""

    path: Path
    hub: HubFile | None = None

    def verify(self, progress: Progress = silent, *, known: str | None = None) -> str | None:
        """Check a file of the Hub against its checksum; return its sha256, None for data not of the Hub.

        `known` is the file's sha256 where it has been computed already. Raises `UsageError` where the file is
        damaged. Every task asks this of a file: the cache is shared with other programs.
        """
        if self.hub is None:
            return None
        try:
            sha256 = known or sha256_of(self.path, progress)
        except OSError as error:
            raise UsageError(f"{safe_text(str(self.path))}: cannot be read: {error.strerror}") from error
        self.hub.verify(sha256)
        return sha256

    def verified(self, progress: Progress = silent, *, known: str | None = None) -> str | None:
        """Check as `verify` does, and describe the file for the record of a run."""
        sha256 = self.verify(progress, known=known)
        return self.hub.describe(sha256) if self.hub and sha256 else None


def is_hub(data: str) -> bool:
    """Tell whether a `data` field names a data set on the Hub."""
    return data.startswith(HUB_PREFIX)


def find(data: str, *, field: str, split: Split, progress: Progress = silent) -> Located:
    """Return the data that `[task] field` names: a file or folder, or a Hub set's `{split}.csv`.

    A Hub file is downloaded unless the cache has it. Raises `UsageError` naming the field when there is
    nothing at a path, or saying why a file of the Hub cannot be had.
    """
    if is_hub(data):
        dataset = _dataset(data, field)
        try:
            file = download(dataset, f"{split}.csv", progress)
        except UsageError as error:
            raise UsageError(error.message, remedies=[*error.remedies, NameData(f"task.{field}")]) from error
        return Located(file.path, file)
    path = as_path(data)
    try:
        there = path.exists()
        in_folder = path / f"{split}.csv"
        path = in_folder if there and in_folder.is_file() else path
    except (OSError, ValueError):
        there = False
    if not there:
        raise UsageError(
            f"[task] {field}: there is no {safe_text(data)}{_where(path)}",
            remedies=[NameData(f"task.{field}", "your data")],
        )
    if is_pipe(path):
        raise UsageError(
            f"[task] {field}: {safe_text(data)} is a pipe, and a run must find its data again: save it as "
            "a file"
        )
    return Located(path)


def _where(path: Path) -> str:
    """Return where a path was looked for, where it does not say so itself."""
    return "" if path.is_absolute() else f" in {safe_text(str(Path.cwd()))}"


def is_folder(path: Path) -> bool:
    """Tell whether data are a folder, and not a list; raise `UsageError` where there is nothing."""
    try:
        return str(path) != STDIN and stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no such file or folder"
        raise UsageError(f"{safe_text(str(path))}: cannot be read: {reason}") from error


def is_here(data: str, field: str = "data") -> bool:
    """Tell whether the data that a field names are on this machine, or made on the spot."""
    if is_hub(data):
        dataset = _dataset(data, field)
        return all(cached_file(dataset, f"{split}.csv") is not None for split in ("train", "test"))
    try:
        return not data or as_path(data).exists()
    except (OSError, ValueError, UsageError):
        return False


def fetch(config: TaskConfig, progress: Progress = silent) -> list[Located]:
    """Download what a task needs from the Hub, unless the cache has it; empty for a task that needs nothing.

    Raises `UsageError` where a file cannot be had.
    """
    return [
        find(data, field=field, split=split, progress=progress) for field, split, data in hub_parts(config)
    ]


def hub_parts(config: TaskConfig) -> Iterator[tuple[str, Split, str]]:
    """Yield what a task needs from the Hub: the field that names a set, the split, and the set."""
    data, test_data = (str(getattr(config, field, "")) for field in DATA_FIELDS)
    if is_hub(data):
        yield "data", "train", data
    if is_hub(test_data):
        yield "test_data", "test", test_data
    elif is_hub(data) and not test_data:
        yield "data", "test", data


def as_path(text: str) -> Path:
    """Return the path that a person wrote, with ~ for their home folder."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{safe_text(text)}: {error}") from error


def _dataset(data: str, field: str) -> HubDataset:
    try:
        return HubDataset.parse(data.removeprefix(HUB_PREFIX))
    except ValueError as error:
        raise UsageError(f"[task] {field}: {safe_text(data)} {error}") from error
