"""Session ids: how they are made, and that none of them leads out of the sessions folder."""

from __future__ import annotations

import re
import secrets
import string
from datetime import datetime
from pathlib import Path

from trm_engine.errors import SessionError
from trm_engine.files import is_real_folder
from trm_engine.text import safe_text

LATEST = "latest"

_ID = re.compile("[a-z0-9][a-z0-9-]{0,79}")
_SUFFIX = string.ascii_lowercase + string.digits
_SHOWN = 60


def new_id(preset: str, created: datetime) -> str:
    """Return an id that sorts by time: `YYYYMMDD-HHMMSS-<preset>-<4 random characters>`."""
    slug = re.sub("[^a-z0-9]+", "-", preset.lower()).strip("-")[:50].strip("-") or "custom"
    suffix = "".join(secrets.choice(_SUFFIX) for _ in range(4))
    return f"{created:%Y%m%d-%H%M%S}-{slug}-{suffix}"


def is_id(text: str) -> bool:
    """Return whether `text` has the form of a session id."""
    return _ID.fullmatch(text) is not None and text != LATEST


def shown(text: str) -> str:
    """Return foreign text in quotes, made harmless and short enough for one line of a message."""
    line = " ".join(safe_text(text.encode("utf-8", "backslashreplace").decode()).split())
    return f'"{line[:_SHOWN]}…"' if len(line) > _SHOWN else f'"{line}"'


def session_folder(root: Path, session_id: str) -> Path:
    """Return the folder of an existing session.

    Raises `SessionError` when the id is none, when there is no such folder, or when it is a link.
    """
    if not is_id(session_id):
        raise SessionError(f"{shown(session_id)} is no session id: ids have only a–z, 0–9 and hyphens.")
    folder = root / session_id
    if folder.is_symlink():
        raise SessionError(
            f"session {session_id} is a link that leads elsewhere: move the folder itself to {root}."
        )
    if not is_real_folder(folder):
        raise SessionError(f"there is no session {session_id} in {root}.")
    return folder
