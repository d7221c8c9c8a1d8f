"""A person's own keys: `keymap.toml` in the configuration folder, `"binding id" = "keys"` a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from trm_engine.text import nearest, safe_text
from trm_tui.tui.keys import TABLE, Key, is_allowed, names

KEYMAP = "keymap.toml"
_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Keymap:
    """The keys that differ from the table, by binding id, and what in the file could not be used."""

    keys: Mapping[str, str]
    problems: Sequence[str] = ()

    def shown(self, key: Key) -> str:
        """Return the keys of a row as they are now, comma-separated."""
        return self.keys.get(key.id, key.keys)


def load_keymap(folder: Path, table: Sequence[Key] = TABLE) -> Keymap:
    """Read the keymap file; what is wrong in it is passed over and named."""
    try:
        with (folder / KEYMAP).open("rb") as file:
            values = tomlkit.parse(file.read(_MAX_BYTES).decode("utf-8")).unwrap()
    except FileNotFoundError:
        return Keymap({})
    except (OSError, ValueError, TOMLKitError, RecursionError) as error:
        return Keymap({}, (f"{KEYMAP}: {safe_text(str(error))}",))
    ids = {key.id for key in table}
    keys: dict[str, str] = {}
    problems: list[str] = []
    for name, value in values.items():
        if problem := _problem(name, value, ids):
            problems.append(safe_text(f"{KEYMAP}: {problem}"))
        else:
            keys[name] = ",".join(names(str(value)))
    return Keymap(keys, tuple(problems))


def _problem(name: str, value: object, ids: set[str]) -> str:
    if name not in ids:
        match = nearest(name, ids)
        hint = f'did you mean "{match}"?' if match else "README.md lists the ids"
        return f'"{name}" is not the id of a key; {hint}'
    if not isinstance(value, str) or not value.strip():
        return f'"{name}": write its keys as text, like "x" or "ctrl+s,f5"'
    wrong = [key for key in names(value) if not is_allowed(key)]
    return f'"{name}": "{wrong[0]}" is not a key that every terminal sends' if wrong else ""
