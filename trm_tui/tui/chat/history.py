"""The conversation that comes back at the next start: one file in the user's data folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import platformdirs

from trm_engine.files import Disk, read_text, write_atomically
from trm_engine.language.model import Message
from trm_engine.text import safe_text

_MOST_BYTES = 4_000_000
_MOST_TURNS = 200
_LONGEST = 100_000


class History:
    """Keeps the turns of a conversation; a file that cannot be read or written is as good as none."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or platformdirs.user_data_path("trm-tui", appauthor=False) / "chat.json"

    def load(self) -> list[Message]:
        """Return the turns that were kept."""
        try:
            found = json.loads(read_text(self.path, _MOST_BYTES))
        except (OSError, ValueError, RecursionError):
            return []
        listed = found.get("turns") if isinstance(found, dict) else None
        turns = []
        for one in (listed if isinstance(listed, list) else [])[-_MOST_TURNS:]:
            role, content = (one.get("role"), one.get("content")) if isinstance(one, dict) else (None, None)
            if role in ("user", "assistant") and isinstance(content, str):
                turns.append(Message(role, safe_text(content)[:_LONGEST]))
        return turns

    def save(self, turns: Sequence[Message]) -> None:
        """Keep the turns."""
        kept = [{"role": one.role, "content": one.content} for one in turns[-_MOST_TURNS:]]
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(Disk(), self.path, json.dumps({"turns": kept}).encode())

    def forget(self) -> None:
        """Delete what is kept."""
        with suppress(OSError):
            self.path.unlink()
