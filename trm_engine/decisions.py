"""What the engine decides by itself, with its reason: shown, logged and recorded with the session."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Decision:
    """A choice that the engine made by itself, and why."""

    subject: str
    choice: str
    reason: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.choice} ({self.reason})"
