"""Where things are in a session's folder, and which files belong to it."""

from __future__ import annotations

import re

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
