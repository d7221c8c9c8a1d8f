"""What the app remembers between sittings: `settings.toml` in the user's configuration folder."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Literal

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tomlkit.exceptions import TOMLKitError

from trm_engine.config import write_value
from trm_engine.files import Disk, write_atomically
from trm_tui.workbench.charts.curves import XAxis

SETTINGS = "settings.toml"
_MAX_BYTES = 1 << 20


class Settings(BaseModel):
    """Choices that come back at the next start."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    theme: str = "trm-dark"
    """Name of the theme."""
    markers: Literal["braille", "blocks"] = "braille"
    """What charts are drawn with; blocks for fonts without braille."""
    bell: bool = True
    """Ring the terminal's bell when a run ends or needs attention."""
    smoothing: float = Field(0.6, ge=0, lt=1)
    """Weight of the past in the smoothed training curves; 0 shows them as they are."""
    log_y: bool = False
    """Logarithmic axis for losses."""
    x_axis: XAxis = "step"
    """Horizontal axis of the charts."""


def load_settings(folder: Path) -> Settings:
    """Return what is remembered; wrong values and a file that cannot be read count as not there."""
    try:
        values = tomlkit.parse(_text(folder / SETTINGS)).unwrap()
    except (OSError, ValueError, TOMLKitError, RecursionError):
        return Settings()
    sound = {}
    for name, value in values.items():
        with suppress(ValidationError):
            Settings.model_validate({name: value})
            sound[name] = value
    return Settings.model_validate(sound)


def save_settings(settings: Settings, folder: Path) -> None:
    """Remember `settings`; keys in the file that this version does not know stay. Raises `OSError`."""
    path = folder / SETTINGS
    try:
        document = tomlkit.parse(_text(path))
    except (OSError, ValueError, TOMLKitError, RecursionError):
        document = tomlkit.document()
    for name, value in settings.model_dump().items():
        document[name] = tomlkit.value(write_value(value))
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(Disk(), path, tomlkit.dumps(document).encode())


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_MAX_BYTES).decode("utf-8")
