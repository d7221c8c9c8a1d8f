"""Configurations as presets and files of one's own: where to, what may go wrong, and writing them whole."""

from __future__ import annotations

import shlex
from contextlib import suppress
from pathlib import Path

from trm_engine.config import Config, dumps
from trm_engine.config.presets import is_shipped
from trm_engine.errors import UsageError
from trm_engine.files import Disk, Storage, disk_errors, write_atomically
from trm_engine.paths import in_home, presets_folder
from trm_engine.text import safe_text

SUFFIX = ".toml"


def path_of(text: str) -> Path:
    """Return the file that a person means by what they typed: a path, or the name of a preset of theirs."""
    text = text.strip()
    if _is_path(text):
        path = in_home(Path(text))
        return path if path.suffix else path.with_name(f"{path.name}{SUFFIX}")
    return presets_folder() / f"{text}{SUFFIX}"


def run_words(text: str) -> str:
    """Return the command that runs what was saved under that name, as a shell takes it."""
    text = text.strip()
    return f"trm-tui run {shlex.quote(str(path_of(text)) if _is_path(text) else text)}"


def destination(text: str) -> str:
    """Return where it would be saved, in words."""
    return f"in {safe_text(str(path_of(text).parent))}" if text.strip() else ""


def problem_with(text: str) -> str:
    """Return why a configuration cannot be saved under that name, or nothing."""
    if not text.strip() or safe_text(text) != text:
        return "give it a name"
    if not _is_path(text) and (not text.strip(" .") or is_shipped(text.strip())):
        return "a shipped preset has this name" if text.strip(" .") else "give it a name"
    try:
        path = path_of(text)
        if path.suffix != SUFFIX:
            return f"a configuration file ends in {SUFFIX}"
        if path.is_dir():
            return "this is a folder"
        made = path.parent.is_dir() or not _is_path(text)  # the folder of presets comes with the first
        return "" if made else f"there is no folder {safe_text(str(path.parent))}"
    except (OSError, ValueError, RuntimeError) as error:  # a name too long, or of a person who is not known
        return f"this cannot be a file: {safe_text(getattr(error, 'strerror', None) or str(error))}"


def suggestion(name: str, folder: Path) -> str:
    """Return a name that is still free in `folder`: `sudoku-4x4-2`."""
    stem = "-".join("".join(c if c.isalnum() or c in "-_." else " " for c in safe_text(name)).split())
    stem = (stem.strip(".") or "configuration")[:60]
    number = 2
    while (folder / f"{stem}-{number}{SUFFIX}").exists():
        number += 1
    return f"{stem}-{number}"


def save(config: Config, path: Path, *, replace: bool = False, storage: Storage | None = None) -> None:
    """Write what differs from the defaults, each setting under its help; the file is whole or absent.

    Raises `UsageError` when the file exists and is not to be replaced, `SessionError` or `ResourceError` when
    it cannot be written.
    """
    data, storage = dumps(config, only_changed=True).encode(), storage or Disk()
    with disk_errors(f"save {safe_text(str(path))}"):
        if path.parent == presets_folder():
            path.parent.mkdir(parents=True, exist_ok=True)
        if replace:
            write_atomically(storage, path, data)
            return
        try:
            path.open("x").close()
        except FileExistsError:
            raise UsageError(f"{safe_text(str(path))} exists already; choose another name") from None
        try:
            write_atomically(storage, path, data)
        except BaseException:
            with suppress(OSError):
                path.unlink()
            raise


def _is_path(text: str) -> bool:
    """Whether typed text names a file of its own, and not a preset."""
    return "/" in text or Path(text.strip()).suffix[1:].isalpha()  # v1.5 is a name, notes.txt a file
