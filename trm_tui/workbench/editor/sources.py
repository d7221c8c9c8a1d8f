"""Where configurations can be taken from: presets, sessions, files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trm_engine.config import Preset, find_preset, load, loads
from trm_engine.paths import in_home
from trm_engine.sessions import SessionRecord, Store
from trm_engine.text import safe_text
from trm_tui.workbench.editor.draft import Origin


@dataclass(frozen=True)
class Source:
    """One of them: `ref` is the preset's name, the session's id or the file's path."""

    kind: Literal["preset", "session", "file"]
    ref: str
    name: str
    about: str = ""


def of_presets(presets: Iterable[Preset]) -> list[Source]:
    """Return own and shipped presets as sources; recent configurations are sessions."""
    own = {"yours": "yours", "shipped": ""}
    return [
        Source("preset", p.name, p.name, own[p.group] or safe_text(p.config.title))
        for p in presets
        if p.group in own
    ]


def of_sessions(records: Iterable[SessionRecord]) -> list[Source]:
    """Return the sessions whose configuration can be read as sources, the newest first."""
    newest = sorted(records, key=lambda record: record.created, reverse=True)
    return [
        Source("session", r.id, safe_text(r.name or r.preset or r.id), f"{r.status} · {r.id}")
        for r in newest
        if r.status != "damaged"
    ]


def of_path(text: str) -> Source | None:
    """Return the file that typed text names, or None where it does not look like one."""
    text = text.strip()
    if not text.endswith(".toml") and "/" not in text:
        return None
    path = Path(text)
    return Source("file", text, safe_text(path.stem), "a file")


def open_source(source: Source, store: Store) -> Origin:
    """Read a source. Raises `UsageError` or `SessionError`. Reads the disk: not for the app's own thread."""
    if source.kind == "session":
        return Origin(source.name, loads(store.config_text(source.ref), f"session {source.ref}"))
    if source.kind == "file":
        return Origin(source.name, load(in_home(Path(source.ref))))
    return Origin(source.name, find_preset(source.ref).config)
