"""Every key of the app, declared once: dispatch, footer, help, command palette and keymap file come from here.

Keys are letters, digits, F1–F10, ctrl+letter, shift+letter and the named keys below: some terminals send nothing
else reliably. A person's own keys stand in `keymap.toml` in the configuration folder, one line a binding:

    "dashboard.smoothing" = "z"
    "run.pause" = "space,f5"
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Where = Literal["app", "dashboard", "config", "sessions", "watch", "hardware", "welcome"]
"""`app` keys work everywhere; the others on the screen of that name."""

WHERE_TITLES: Mapping[Where, str] = {
    "app": "Everywhere",
    "dashboard": "Dashboard",
    "config": "Configuration editor",
    "sessions": "Sessions",
    "watch": "Watch",
    "hardware": "Hardware",
    "welcome": "Welcome",
}

_NAMED = (
    "space enter escape tab shift+tab backspace delete up down left right home end pageup pagedown "
    "shift+up shift+down shift+left shift+right slash plus minus equals_sign question_mark comma full_stop "
    "left_square_bracket right_square_bracket"
).split()
_ALLOWED = re.compile(rf"(?:(?:ctrl\+)?[a-z]|[A-Z]|[0-9]|f(?:[1-9]|10)|{'|'.join(map(re.escape, _NAMED))})")


@dataclass(frozen=True)
class Key:
    """One binding. `action` is a Textual action, found on the focused widget, its screen, then the app."""

    id: str
    """`group.verb`; stable, because keymap files name it."""
    keys: str
    """Textual's key names, comma-separated; the first is the one shown."""
    label: str
    """One or two words for the footer and the palette."""
    help: str
    """What it does, as a sentence without its full stop."""
    action: str
    where: Where = "app"
    footer: bool = False
    """Is it shown in the footer? The rest is in the help, one key away."""
    palette: bool = True
    """Is it offered as a command? Not what only moves a cursor."""
    priority: bool = False
    """Does it work while a text field has the focus?"""


# --- everywhere ------------------------------------------------------------------------------------------------------

APP_KEYS = (
    Key("go.dashboard", "d", "Dashboard", "Show the run that is in the active slot", "mode('dashboard')"),
    Key("go.config", "e", "Config", "Edit a configuration and see whether it fits", "mode('config')"),
    Key("go.sessions", "s", "Sessions", "Browse, compare and resume sessions", "mode('sessions')"),
    Key("go.watch", "w", "Watch", "Watch the model refine its answer to a puzzle", "mode('watch')"),
    Key("go.hardware", "h", "Hardware", "Show what was detected and chosen for this machine", "mode('hardware')"),
    Key("run.pause", "space", "pause", "Pause the run, or let it go on", "toggle_pause", footer=True),
    Key("run.checkpoint", "c", "checkpoint", "Save a checkpoint after this step", "checkpoint", footer=True),
    Key("run.stop", "x", "stop", "Stop the run and save it; it can be resumed", "stop", footer=True),
    Key("run.extend", "plus,equals_sign", "extend", "Train for more steps than configured", "extend", footer=True),
    Key("run.evaluate", "v", "evaluate", "Measure accuracy on held-out puzzles now", "evaluate"),
    Key("run.lr_down", "left_square_bracket", "lr ÷ 2", "Halve the learning rate from here on", "scale_lr(0.5)"),
    Key("run.lr_up", "right_square_bracket", "lr × 2", "Double the learning rate from here on", "scale_lr(2.0)"),
    Key("run.new", "n", "new run", "Pick a preset and train it in a new slot", "new_run", footer=True),
    Key("slot.close", "X", "close slot", "Save and close the active slot", "close_slot"),
    *(
        Key(f"slot.{n}", str(n), f"slot {n}", f"Switch to slot {n}; the running one is saved and paused",
            f"switch({n})", palette=False)
        for n in range(1, 10)
    ),
    Key("view.freeze", "f", "freeze", "Hold the display still while training goes on", "freeze"),
    Key("view.theme", "t", "theme", "Change between the dark and the light theme", "next_theme"),
    Key("app.commands", "ctrl+p", "commands", "Find any command, preset or session by name", "command_palette",
        footer=True, palette=False, priority=True),
    Key("app.help", "question_mark,f1", "help", "Show all keys", "help", footer=True),
    Key("app.quit", "q", "quit", "Leave; asks what to do with a run that is training", "quit_app"),
    Key("app.interrupt", "ctrl+c", "save and quit", "Save everything and leave at once", "interrupt", priority=True),
)

# --- dashboard -------------------------------------------------------------------------------------------------------

DASHBOARD_KEYS: tuple[Key, ...] = ()

# --- config editor ---------------------------------------------------------------------------------------------------

CONFIG_KEYS: tuple[Key, ...] = ()

# --- sessions --------------------------------------------------------------------------------------------------------

SESSIONS_KEYS: tuple[Key, ...] = ()

# --- watch -----------------------------------------------------------------------------------------------------------

WATCH_KEYS: tuple[Key, ...] = ()

# --- hardware --------------------------------------------------------------------------------------------------------

HARDWARE_KEYS: tuple[Key, ...] = ()

# --- welcome ---------------------------------------------------------------------------------------------------------

WELCOME_KEYS: tuple[Key, ...] = ()

TABLE: tuple[Key, ...] = (
    *APP_KEYS, *DASHBOARD_KEYS, *CONFIG_KEYS, *SESSIONS_KEYS, *WATCH_KEYS, *HARDWARE_KEYS, *WELCOME_KEYS,
)  # fmt: skip


def keys_of(where: Where) -> tuple[Key, ...]:
    """Return the rows of one screen, or of `app`."""
    return tuple(key for key in TABLE if key.where == where)


def is_allowed(key: str) -> bool:
    """Whether every terminal can be relied on to send this key."""
    return _ALLOWED.fullmatch(key) is not None


def names(keys: str) -> Iterable[str]:
    """Return the single keys of a comma-separated list."""
    return (name.strip() for name in keys.split(","))
