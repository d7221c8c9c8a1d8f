"""What the engine decides by itself, with its reason: shown, logged and recorded with the session."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WRITTEN = re.compile(r"([^:]+): (.*?) \((.*)\)")


@dataclass(frozen=True)
class Decision:
    """A choice that the engine made by itself, and why."""

    subject: str
    choice: str
    reason: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.choice} ({self.reason})"

    @classmethod
    def parse(cls, text: str) -> Decision | None:
        """Read a decision as `str` writes it; None where the text is none."""
        found = _WRITTEN.fullmatch(text)
        return cls(*found.groups()) if found else None
