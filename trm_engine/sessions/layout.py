"""What a sessions folder holds: ids, names of files, and the limits on their sizes."""

from __future__ import annotations

import re
import secrets
import string
from datetime import datetime
from pathlib import Path

from trm_engine.errors import SessionError
from trm_engine.files import is_real_folder
from trm_engine.text import quoted

RECORD = "session.json"
CONFIG = "config.toml"
HISTORY = "history"
METRICS = "metrics.jsonl"
EVENTS = "events.log"
SOLVED = "solved.bits"
CHECKPOINTS = "checkpoints"
BEST = "best.json"

WEIGHTS = "weights.safetensors"
TENSORS = "state.safetensors"
STATE = "state.json"
MANIFEST = "MANIFEST.json"
CHECKPOINT_FILES = (WEIGHTS, TENSORS, STATE)

RUN_LOCK = ".run.lock"
RUN_HOLDER = ".run.json"
RECORD_LOCK = ".record.lock"
TRASH = ".trash"

MAX_TEXT_BYTES = 1_000_000
"""The largest record, configuration or manifest that is read."""

_FILES = "|".join(re.escape(name) for name in (RECORD, CONFIG, METRICS, EVENTS, SOLVED))
_SAVED = "|".join(re.escape(name) for name in (*CHECKPOINT_FILES, MANIFEST))
_BELONGS = re.compile(
    rf"(?:{_FILES}|{HISTORY}/[0-9]{{4,9}}\.toml|{CHECKPOINTS}/(?:{re.escape(BEST)}|[0-9]{{9,18}}/(?:{_SAVED})))"
)


def belongs(path: str) -> bool:
    """Return whether a path relative to a session's folder, with `/`, is one of a session's own files."""
    return _BELONGS.fullmatch(path) is not None


def is_text(path: str) -> bool:
    """Return whether such a file is one of the small ones that are read whole."""
    return path in (RECORD, CONFIG) or path.startswith(f"{HISTORY}/") or path.endswith((BEST, MANIFEST))


LATEST = "latest"

_ID = re.compile("[a-z0-9][a-z0-9-]{0,79}")
_SUFFIX = string.ascii_lowercase + string.digits


def new_id(preset: str, created: datetime) -> str:
    """Return an id that sorts by time: `YYYYMMDD-HHMMSS-<preset>-<4 random characters>`."""
    slug = re.sub("[^a-z0-9]+", "-", preset.lower()).strip("-")[:50].strip("-") or "custom"
    suffix = "".join(secrets.choice(_SUFFIX) for _ in range(4))
    return f"{created:%Y%m%d-%H%M%S}-{slug}-{suffix}"


def is_id(text: str) -> bool:
    """Return whether `text` has the form of a session id."""
    return _ID.fullmatch(text) is not None and text != LATEST


def session_folder(root: Path, session_id: str) -> Path:
    """Return the folder of an existing session.

    Raises `SessionError` when the id is none, when there is no such folder, or when it is a link.
    """
    if not is_id(session_id):
        raise SessionError(f"{quoted(session_id)} is not a session id: ids have only a–z, 0–9 and hyphens.")
    folder = root / session_id
    if folder.is_symlink():
        raise SessionError(
            f"session {session_id} is a link that leads elsewhere: move the folder itself to {root}."
        )
    if not is_real_folder(folder):
        raise SessionError(f"there is no session {session_id} in {root}.")
    return folder
