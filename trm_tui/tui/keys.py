"""Every key of the app, declared once: dispatch, footer, help, command palette and keymap file come from it.

The rows stand in `trm_tui.tui.key_rows`. Keys are letters, digits, F1–F10, ctrl+letter, shift+letter and the
named keys below: some terminals send nothing else reliably. A person's own keys stand in `keymap.toml` in the
configuration folder:

    "dashboard.smoothing" = "z"
    "run.pause" = "space,f5"
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from trm_tui.tui import key_rows
from trm_tui.tui.key_rows import Rows
from trm_tui.workbench.possible import Deed

Where = Literal[
    "app", "dashboard", "config", "sessions", "studies", "compare", "watch", "hardware", "welcome", "dialog"
]
"""`app` keys work on every screen, `dialog` keys in every dialog, the others on the screen of that name."""

WHERE_TITLES: Mapping[Where, str] = {
    "app": "Everywhere",
    "dashboard": "Dashboard",
    "config": "Configuration editor",
    "sessions": "Sessions",
    "studies": "Studies",
    "compare": "Comparison of sessions",
    "watch": "Watch",
    "hardware": "Hardware",
    "welcome": "Welcome",
    "dialog": "Dialogs",
}

_NAMED = (
    r"space|enter|escape|tab|shift\+tab|backspace|delete|up|down|left|right|home|end|pageup|pagedown|"
    r"shift\+up|shift\+down|shift\+left|shift\+right|slash|plus|minus|equals_sign|question_mark|comma|"
    "full_stop|left_square_bracket|right_square_bracket"
)
_ALLOWED = re.compile(rf"(?:(?:ctrl\+)?[a-z]|[A-Z]|[0-9]|f(?:[1-9]|10)|{_NAMED})")


@dataclass(frozen=True)
class Key:
    """One binding. `action` is a Textual action of the app (`app` keys) or of the screen."""

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


_ROWS: Mapping[Where, Rows] = {
    "app": key_rows.APP,
    "dashboard": key_rows.DASHBOARD,
    "config": key_rows.CONFIG,
    "sessions": key_rows.SESSIONS,
    "studies": key_rows.STUDIES,
    "compare": key_rows.COMPARE,
    "watch": key_rows.WATCH,
    "hardware": key_rows.HARDWARE,
    "welcome": key_rows.WELCOME,
    "dialog": key_rows.DIALOG,
}


def _keys(where: Where, rows: Rows) -> Iterator[Key]:
    group = "" if where == "app" else f"{where}."
    for verb, keys, label, text, action in rows.rows:
        yield Key(
            f"{group}{verb}",
            keys,
            label,
            text,
            action,
            where,
            footer=verb in rows.footer,
            palette=verb not in rows.unlisted,
            priority=verb in rows.priority,
        )


DEEDS: Mapping[str, Deed] = {
    "run.pause": "pause",
    "run.checkpoint": "checkpoint",
    "run.stop": "stop",
    "run.extend": "extend",
    "run.evaluate": "evaluate",
    "run.lr_down": "scale_lr",
    "run.lr_up": "scale_lr",
    "slot.close": "close",
}
"""What rows ask of the run on screen: `trm_tui.workbench.possible` says whether that can be done now."""


TABLE: tuple[Key, ...] = tuple(key for where, rows in _ROWS.items() for key in _keys(where, rows))


def keys_of(where: Where) -> tuple[Key, ...]:
    """Return the rows of one screen, or of `app`."""
    return tuple(key for key in TABLE if key.where == where)


def is_allowed(key: str) -> bool:
    """Whether every terminal can be relied on to send this key."""
    return _ALLOWED.fullmatch(key) is not None


def names(keys: str) -> Iterable[str]:
    """Return the single keys of a comma-separated list."""
    return (name.strip() for name in keys.split(","))
