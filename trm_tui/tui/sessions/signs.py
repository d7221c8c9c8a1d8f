"""How a session's status looks: a sign that one cell holds in every font, and what its colour means."""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import cell_len, set_cell_size

from trm_engine.sessions import Status

STATUS_SIGNS: Mapping[Status, tuple[str, str]] = {
    "created": ("○", "muted"),
    "imported": ("↓", "muted"),
    "running": ("●", "good"),
    "paused": ("‖", "watch"),
    "completed": ("✓", "good"),
    "stopped": ("■", "muted"),
    "diverged": ("✗", "bad"),
    "failed": ("✗", "bad"),
    "interrupted": ("!", "watch"),
    "unsaved": ("○", "bad"),
    "damaged": ("?", "bad"),
}
"""Sign, and `good`, `watch`, `bad` or `muted`, by status."""


def fitted(text: str, width: int, *, right: bool = False) -> str:
    """Return one line of text cut or filled to `width` cells; what is cut ends in `…`."""
    line = " ".join(text.split())
    length = cell_len(line)
    if length > width:
        return set_cell_size(line, width - 1) + "…" if width > 0 else ""
    room = " " * (width - length)
    return room + line if right else line + room
