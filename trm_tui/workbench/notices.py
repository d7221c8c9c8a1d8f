"""Telling a person who looks elsewhere: a run has ended, failed, or needs attention."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trm_tui.workbench.snapshot import ACTIVE, RunState, Snapshot
from trm_tui.workbench.workbench import SlotView

_WORDS: dict[RunState, tuple[str, Literal["information", "warning", "error"]]] = {
    "completed": ("is complete", "information"),
    "diverged": ("diverged; its last valid checkpoint is kept", "error"),
    "failed": ("failed; the dashboard says why", "error"),
}
_AT_ONCE = 2
# Terminals that turn OSC 9 into a notification of the desktop; others might print it.
_WITH_NOTIFICATIONS = {"iTerm.app", "WezTerm", "ghostty"}


@dataclass(frozen=True)
class Notice:
    """Something to say once."""

    text: str
    severity: Literal["information", "warning", "error"]


class Watcher:
    """Compares runs with how they were and finds what should be said."""

    def __init__(self) -> None:
        self._states: dict[tuple[int, str], RunState] = {}
        self._slot = 0
        self._lines = 0

    def see(self, slots: Sequence[SlotView]) -> list[Notice]:
        """Return notices of runs that have ended by themselves since the last call."""
        found = []
        now = {(slot.number, slot.title): slot.state for slot in slots}
        for (number, title), state in now.items():
            if self._states.get((number, title)) in ACTIVE and state in _WORDS:
                words, severity = _WORDS[state]
                found.append(Notice(f"{number} {title} {words}", severity))
        self._states = now
        return found

    def warnings(self, snapshot: Snapshot) -> list[Notice]:
        """Return the warnings in the active run's log since the last call; none on coming to another run."""
        new = snapshot.log_count - self._lines if snapshot.slot == self._slot else 0
        self._slot, self._lines = snapshot.slot, snapshot.log_count
        lines = snapshot.log[-new:] if new > 0 else ()
        return [Notice(line.message, "warning") for line in lines if line.severity == "warning"][-_AT_ONCE:]


def desktop_notification(text: str) -> str:
    """Return what makes the terminal notify the desktop; empty where it is not known to."""
    if os.environ.get("TERM_PROGRAM") not in _WITH_NOTIFICATIONS or "TMUX" in os.environ:
        return ""
    return f"\x1b]9;trm-tui: {text}\x07"
