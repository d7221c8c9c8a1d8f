"""Where the engine keeps what can be made again: files read once into a form that is quick to read."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "TRM_CACHE_DIR"


def cache_folder() -> Path:
    """Return the folder of the engine's caches: `$TRM_CACHE_DIR`, or the user's cache folder."""
    given = os.environ.get(CACHE_VARIABLE)
    return Path(given) if given else Path(platformdirs.user_cache_dir("trm-tui"))
