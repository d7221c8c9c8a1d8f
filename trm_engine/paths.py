"""Where files are: those that ship with the program, and the folders of its user.

Every folder of the user has a variable of the environment that names another; `~` in it is the home folder.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

SESSIONS_VARIABLE = "TRM_SESSIONS_DIR"
DATA_VARIABLE = "TRM_DATA_DIR"
CACHE_VARIABLE = "TRM_CACHE_DIR"
PRESETS_VARIABLE = "TRM_PRESETS_DIR"
_PACKAGE = Path(__file__).resolve().parent


def shipped(*parts: str) -> Path:
    """Return the path of a shipped file or folder, such as `shipped("presets", "hardware")`.

    A wheel carries `presets/` inside the `trm_engine` package, a checkout beside it. The path need not exist.
    """
    inside = _PACKAGE.joinpath(*parts[:1])
    return (_PACKAGE if inside.is_dir() else _PACKAGE.parent).joinpath(*parts)


def sessions_folder() -> Path:
    """Return `$TRM_SESSIONS_DIR`, else `./sessions` where that folder exists, else one in the user's data."""
    here = Path("sessions")
    default = here if here.is_dir() else platformdirs.user_data_path("trm-tui", appauthor=False) / "sessions"
    return _named_by(SESSIONS_VARIABLE) or default


def data_folder() -> Path:
    """Return where fetched data are kept: `$TRM_DATA_DIR`, or the user's data folder."""
    return _named_by(DATA_VARIABLE) or platformdirs.user_data_path("trm-tui", appauthor=False) / "data"


def cache_folder() -> Path:
    """Return where files are kept that can be made again: `$TRM_CACHE_DIR`, or the user's cache folder."""
    return _named_by(CACHE_VARIABLE) or platformdirs.user_cache_path("trm-tui")


def config_folder() -> Path:
    """Return the folder of the user's settings and key map."""
    return platformdirs.user_config_path("trm-tui", appauthor=False)


def presets_folder() -> Path:
    """Return where a person's own presets are: `$TRM_PRESETS_DIR`, or beside the settings."""
    return _named_by(PRESETS_VARIABLE) or config_folder() / "presets"


def _named_by(variable: str) -> Path | None:
    given = os.environ.get(variable)
    return in_home(Path(given)) if given else None


def in_home(path: Path) -> Path:
    """Return a path with `~` as the home folder; as it is where that is not known."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path
