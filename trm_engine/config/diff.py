"""Where two configurations differ."""

from __future__ import annotations

from dataclasses import dataclass

from trm_engine.config.describe import Value, flatten
from trm_engine.config.sections import Config


@dataclass(frozen=True)
class Change:
    """One setting that differs; None where a configuration has no such setting (another kind of task)."""

    key: str
    a: Value | None
    b: Value | None


def diff(a: Config, b: Config) -> list[Change]:
    """Return every setting in which `a` and `b` differ, in the order of the file."""
    of_a, of_b = flatten(a), flatten(b)
    keys = list(of_a) + [key for key in of_b if key not in of_a]
    return [Change(key, of_a.get(key), of_b.get(key)) for key in keys if of_a.get(key) != of_b.get(key)]
