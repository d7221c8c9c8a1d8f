"""What the app remembers between sittings: `settings.toml` in the user's configuration folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tomlkit.exceptions import TOMLKitError

from trm_engine.config import write_value
from trm_engine.files import Disk, write_atomically
from trm_engine.text import did_you_mean, first_line, one_line
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
    columns: str = ""
    """Columns of the table of sessions, by name and separated by spaces; empty: the usual ones."""


def load_settings(folder: Path) -> Settings:
    """Return what is remembered; wrong values and a file that cannot be read count as not there."""
    return read_settings(folder)[0]


def read_settings(folder: Path) -> tuple[Settings, list[str]]:
    """Return what is remembered, and what of the file is ignored, each with why."""
    path = folder / SETTINGS
    try:
        values = tomlkit.parse(_text(path)).unwrap()
    except FileNotFoundError:
        return Settings(), []
    except (OSError, ValueError, TOMLKitError, RecursionError) as error:
        return Settings(), [f"{path} is ignored: {first_line(str(error), 'it cannot be read')}"]
    problems = {name: problem for name, value in values.items() if (problem := _problem(name, value))}
    valid = {name: value for name, value in values.items() if name not in problems}
    return Settings.model_validate(valid), [f"{path}: {problem}" for problem in problems.values()]


def _problem(name: str, value: object) -> str:
    """Return why a line of the file is ignored; nothing where it is not."""
    if name not in Settings.model_fields:
        return f"{one_line(name, 40)} is not a setting.{did_you_mean(name, Settings.model_fields)}"
    try:
        Settings.model_validate({name: value})
    except ValidationError as error:
        return f"{one_line(name, 40)} is ignored: {one_line(error.errors()[0]['msg'])}"
    return ""


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
