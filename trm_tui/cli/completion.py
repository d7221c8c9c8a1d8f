"""What a shell offers where a session, a preset or a file is named.

A shell asks at every press of tab, so nothing heavy is imported: sessions are read by their folders' names
and the names in their records, presets by those of their files. What cannot be read is not offered.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

_RECORD, _TRASH, _LONGEST_RECORD = "session.json", ".trash", 1_000_000


def sessions(ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    """Return names and ids of sessions, the newest first, each with a word about it."""
    found = [("latest", "the newest session"), *_sessions(_folder(ctx))]
    return [(word, about) for word, about in found if word.startswith(incomplete)]


def deleted(ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    """Return the sessions in the trash."""
    return [(word, about) for word, about in _sessions(_folder(ctx) / _TRASH) if word.startswith(incomplete)]


def presets(incomplete: str) -> list[str]:
    """Return the presets, and configuration files beside them."""
    from trm_engine.paths import shipped

    ours = sorted(path.stem for path in shipped("presets").glob("*.toml"))
    return [word for word in [*ours, *_files(incomplete, ".toml")] if word.startswith(incomplete)]


def sessions_and_presets(ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    """Return what a configuration can be compared with."""
    return [*sessions(ctx, incomplete), *((word, "preset") for word in presets(incomplete))]


def _sessions(root: Path) -> Iterator[tuple[str, str]]:
    folders: list[Path] = []
    with suppress(OSError):
        folders = sorted((path for path in root.iterdir() if (path / _RECORD).is_file()), reverse=True)
    for folder in folders:
        name = _name(folder / _RECORD)
        if name and " " not in name:  # a shell would take it for several words
            yield name, folder.name
        yield folder.name, name


def _name(file: Path) -> str:
    """Return the name that a record gives its session; empty for none, and for what is no record."""
    with suppress(OSError, ValueError, AttributeError, RecursionError):
        if file.stat().st_size <= _LONGEST_RECORD:
            name = json.loads(file.read_text("utf-8")).get("name", "")
            return name if isinstance(name, str) and name.isprintable() else ""
    return ""


def _folder(ctx: Any) -> Path:
    """Return the sessions folder that the words so far or the environment name."""
    from trm_engine.paths import sessions_folder

    return ctx.find_root().params.get("sessions_dir") or sessions_folder()


def _files(incomplete: str, ending: str) -> list[str]:
    """Return files of a kind, and the folders that lead to them, as far as the word names a place."""
    head, slash, _ = incomplete.rpartition("/")
    place = f"{head}{slash}"
    with suppress(OSError, ValueError):
        entries = sorted(Path(place or ".").iterdir())
        files = [f"{place}{path.name}" for path in entries if path.suffix == ending and path.is_file()]
        folders = [f"{place}{path.name}/" for path in entries if slash and path.is_dir()]
        return [*files, *folders]
    return []
