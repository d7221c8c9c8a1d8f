"""A session's settings as the filter and the columns of the browser see them: values by dotted name."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from trm_engine.files import open_plain
from trm_engine.sessions.layout import CONFIG, MAX_TEXT_BYTES

if sys.version_info >= (3, 11):
    from tomllib import loads as parse
else:
    from tomlkit import parse

Setting: TypeAlias = int | float | bool | str
Settings: TypeAlias = Mapping[str, Setting]


def read_settings(folder: str) -> Settings:
    """Return what a session's configuration says; nothing where it cannot be read.

    Not checked, as a thousand sessions are read while a person waits: a value that no configuration may have
    is found like any other.
    """
    try:
        with open_plain(Path(folder, CONFIG)) as file:
            tables = parse(file.read(MAX_TEXT_BYTES).decode("utf-8"))
    except (OSError, ValueError, RecursionError):  # what TOML raises is a ValueError
        return {}
    return dict(_flat(tables))


def _flat(tables: Mapping[str, Any]) -> list[tuple[str, Setting]]:
    return [
        (f"{section}.{name}", value)
        for section, table in tables.items()
        if isinstance(table, Mapping)
        for name, value in table.items()
        if isinstance(value, (int, float, str))
    ]


def shown(value: Setting | None) -> str:
    """Write a value as a cell of the table: `0.001`, `yes`; nothing for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
