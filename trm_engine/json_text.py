"""JSON that any reader takes and any terminal survives: the one writer of what leaves the program."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass

# What `json` writes raw and a terminal may obey (DEL, C1: U+009B begins a control sequence), what reorders a
# line, what ends one for some readers, and lone surrogates, which no encoding has.
_ESCAPED = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def to_json(value: object, *, indent: int | None = None, ascii_only: bool = False) -> str:
    """Return a value as JSON, on one line without `indent`.

    NaN and infinities become null, for JSON has none; what JSON does not know becomes text.
    """
    text = json.dumps(finite(value), allow_nan=False, ensure_ascii=ascii_only, default=str, indent=indent)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def number_of(value: object) -> float | None:
    """Return a value that was read as JSON as a number; None where it is none."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def finite(value: object) -> object:
    """Return `value` with every float that JSON cannot write replaced by None, names of members as text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return finite(asdict(value))
    return value
