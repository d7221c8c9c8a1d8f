"""What the app remembers between sittings: `settings.toml` in the user's configuration folder."""

from __future__ import annotations

from pathlib import Path

import tomlkit
from platformdirs import user_config_path
from pydantic import BaseModel, ConfigDict, ValidationError
from tomlkit.exceptions import TOMLKitError

SETTINGS = "settings.toml"
KEYMAP = "keymap.toml"


class Settings(BaseModel):
    """Choices that come back at the next start. Unknown or wrong values in the file are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    theme: str = "trm-dark"
    """Name of the theme."""
    braille: bool = True
    """Draw charts with braille dots; off for fonts without them."""
    bell: bool = True
    """Ring the terminal's bell when a run ends or needs attention."""
    smoothing: float = 0.0
    """Smoothing of the training curves, 0 … 0.99."""
    log_y: bool = False
    """Logarithmic loss axis."""
    x_axis: str = "step"
    """step, samples or seconds."""
