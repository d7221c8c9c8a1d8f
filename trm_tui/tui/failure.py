"""Why the app has ended, where it failed: Textual draws that on a console that nobody may see."""

from __future__ import annotations

import io
import re
from typing import Any

from rich.console import Console
from textual.app import App

from trm_engine.text import safe_text

_WIDE = 1000
_OURS = re.compile(r"(trm_(?:tui|engine)/[\w/]+\.py):(\d+) in ")
_END_OF_FRAMES = "╰"


class Failure:
    """Takes what an app prints when an exception has ended it."""

    def __init__(self, app: App[Any]) -> None:
        self._printed = io.StringIO()
        app.error_console = Console(file=self._printed, markup=False, highlight=False, width=_WIDE)

    @property
    def cause(self) -> str:
        """The exception in a line, and where in the program it was raised; empty where the app ended well."""
        printed = self._printed.getvalue()
        lines = printed.splitlines()
        ends = [number for number, line in enumerate(lines) if line.startswith(_END_OF_FRAMES)]
        told = " ".join(" ".join(lines[ends[-1] + 1 if ends else 0 :]).split())
        where = _OURS.findall(printed)
        return safe_text(told) + (f" ({where[-1][0]}, line {where[-1][1]})" if told and where else "")
