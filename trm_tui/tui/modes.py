"""What the app shows: its modes, one a screen, and the palette; all imported when they are first shown."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Literal, Protocol, cast

from textual.command import Provider
from textual.screen import Screen

from trm_engine.config import Config

Mode = Literal["welcome", "dashboard", "config", "sessions", "studies", "watch", "hardware"]

# Modules are imported when their mode is first shown: each costs some of the first frame.
MODES: dict[Mode, tuple[str, str]] = {
    "welcome": ("presets", "WelcomeScreen"),
    "dashboard": ("dashboard", "DashboardScreen"),
    "config": ("editor", "ConfigScreen"),
    "sessions": ("sessions", "SessionsScreen"),
    "studies": ("studies", "StudiesScreen"),
    "watch": ("watch", "WatchScreen"),
    "hardware": ("hardware", "HardwareScreen"),
}


class Editor(Protocol):
    """What the app asks of the config screen."""

    def edit(self, config: Config, origin: str) -> None:
        """Open a configuration; `origin` names the preset or session that it comes from."""

    def go_to_setting(self, key: str) -> None:
        """Put the cursor on a setting."""


class Watch(Protocol):
    """What the app asks of the watch screen."""

    def watch_session(self, ref: str, checkpoint: int | None) -> None:
        """Look at a session's model, at its newest checkpoint or the one of that step."""


def screen_of(mode: Mode) -> Screen[None]:
    """Return the screen of a mode, newly made."""
    feature, name = MODES[mode]
    found = getattr(importlib.import_module(f"trm_tui.tui.{feature}.screen"), name)
    return cast("Screen[None]", found())


def commands() -> type[Provider]:
    """Return what finds commands; imported with the palette, not before the first frame."""
    from trm_tui.tui.commands import Commands

    return Commands


def has_sessions(root: Path) -> bool:
    """Whether a folder holds any session, by names alone: the first frame waits for it."""
    try:
        with os.scandir(root) as entries:
            return any(entry.is_dir() and not entry.name.startswith(".") for entry in entries)
    except OSError:
        return False
