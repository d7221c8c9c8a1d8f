"""Configurations as files of one's own: where to, what may go wrong, and writing them whole."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from trm_engine.config import Config, dumps
from trm_engine.errors import UsageError
from trm_engine.files import Disk, Storage, disk_errors, write_atomically
from trm_engine.paths import in_home
from trm_engine.text import safe_text

SUFFIX = ".toml"


def path_of(text: str) -> Path:
    """Return the file that a person means by what they typed; without a suffix it gets `.toml`."""
    path = in_home(Path(text.strip()))
    return path if path.suffix else path.with_name(f"{path.name}{SUFFIX}")


def problem_with(text: str) -> str:
    """Return why a configuration cannot be saved under that name, or nothing."""
    if not text.strip() or safe_text(text) != text:
        return "give the name of a file"
    try:
        path = path_of(text)
        if path.suffix != SUFFIX:
            return f"a configuration file ends in {SUFFIX}"
        if path.is_dir():
            return "this is a folder"
        return "" if path.parent.is_dir() else f"there is no folder {safe_text(str(path.parent))}"
    except (OSError, ValueError, RuntimeError) as error:  # a name too long, or of a person who is not known
        return f"this cannot be a file: {safe_text(getattr(error, 'strerror', None) or str(error))}"


def suggestion(name: str, folder: Path) -> str:
    """Return a name that is still free in `folder`: `sudoku-4x4-2.toml`."""
    stem = "-".join("".join(c if c.isalnum() or c in "-_." else " " for c in safe_text(name)).split())
    stem = (stem.strip(".") or "configuration")[:60]
    number = 2
    while (folder / f"{stem}-{number}{SUFFIX}").exists():
        number += 1
    return f"{stem}-{number}{SUFFIX}"


def save(config: Config, path: Path, *, replace: bool = False, storage: Storage | None = None) -> None:
    """Write what differs from the defaults, each setting under its help; the file is whole or absent.

    Raises `UsageError` when the file exists and is not to be replaced, `SessionError` or `ResourceError` when
    it cannot be written.
    """
    data, storage = dumps(config, only_changed=True).encode(), storage or Disk()
    with disk_errors(f"save {safe_text(str(path))}"):
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
