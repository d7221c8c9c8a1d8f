"""Rows of the key table as Textual's bindings, and as a person reads them."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from trm_tui.tui.keys import Where, keys_of, names

_SIGNS = {
    "question_mark": "?",
    "slash": "/",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "comma": ",",
    "full_stop": ".",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "escape": "esc",
}


def bindings_of(where: Where) -> list[BindingType]:
    """Return the bindings of one screen, or of the app; ids let a keymap change their keys."""
    return [
        Binding(
            key.keys,
            key.action,
            key.label,
            show=key.footer,
            priority=key.priority,
            tooltip=key.help,
            id=key.id,
        )
        for key in keys_of(where)
    ]


def sign(key: str) -> str:
    """Return one key as it is written for people: `ctrl+p`, `?`, `shift+x`, `F1`."""
    modifier, plus, name = key.rpartition("+")
    if len(name) == 1 and name.isupper():
        return f"{modifier}{plus}shift+{name.lower()}"
    if name[:1] == "f" and name[1:].isdecimal():
        name = name.upper()
    return f"{modifier}{plus}{_SIGNS.get(name, name)}"


def signs(keys: str) -> str:
    """Return a comma-separated list of keys as it is written for people."""
    return " ".join(sign(name) for name in names(keys))


def first_sign(keys: str) -> str:
    """Return the first of several keys as it is written for people."""
    return sign(next(iter(names(keys))))
