"""The event log of a run: newest at the bottom, filtered by severity."""

from __future__ import annotations

import textwrap

from rich.text import Text
from textual.content import Content
from textual.events import Resize
from textual.widgets import RichLog

from trm_tui.tui.common.colours import style_of
from trm_tui.workbench.snapshot import LogLine, Severity, Snapshot

_COLOURS: dict[Severity, str] = {"info": "foreground", "warning": "warning", "error": "error"}
_SIGNS: dict[Severity, str] = {"info": " ", "warning": "!", "error": "✗"}
_FILTERS: tuple[tuple[str, frozenset[Severity]], ...] = (
    ("", frozenset({"info", "warning", "error"})),
    ("warnings and errors", frozenset({"warning", "error"})),
    ("errors", frozenset({"error"})),
)
_MAX_LINES = 1000
_NARROWEST = 10
"""Columns that a message has at least."""


class EventLog(RichLog):
    """Appends what is new; writes everything anew when the run or the filter changes."""

    BORDER_TITLE = "Log"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name for it
        super().__init__(id=id, max_lines=_MAX_LINES, wrap=True, markup=False, highlight=False, min_width=10)
        self._slot = 0
        self._count = 0
        self._filter = 0
        self._snapshot: Snapshot | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Take over new lines."""
        if not self.size.width:
            return
        new = snapshot.log_count - self._count
        if snapshot.slot != self._slot or new < 0:
            self._rewrite(snapshot)
        elif new:
            for line in snapshot.log[-new:]:
                self._put(line)
        self._slot, self._count, self._snapshot = snapshot.slot, snapshot.log_count, snapshot

    def next_filter(self) -> None:
        """Show all, then warnings and errors, then errors only."""
        self._filter = (self._filter + 1) % len(_FILTERS)
        name = _FILTERS[self._filter][0]
        self.border_subtitle = Content(f" {name} only · / for more " if name else "")
        if self._snapshot is not None:
            self._rewrite(self._snapshot)

    def _rewrite(self, snapshot: Snapshot) -> None:
        self.clear()
        for line in snapshot.log:
            self._put(line)

    def _put(self, line: LogLine) -> None:
        if line.severity not in _FILTERS[self._filter][1]:
            return
        sign = f"{_SIGNS[line.severity]} "
        indent = len(line.time) + 1 + len(sign)
        width = max(self.scrollable_content_region.width - indent, _NARROWEST)
        first, *more = textwrap.wrap(line.message, width) or [""]
        colour = style_of(self, _COLOURS[line.severity])
        text = Text()
        text.append(f"{line.time} ", style=style_of(self, "text-muted"))
        text.append(f"{sign}{first}", style=colour)
        for part in more:
            text.append(f"\n{' ' * indent}{part}", style=colour)
        self.write(text, expand=True)  # over the whole panel, whatever the console's own width is

    def on_mount(self) -> None:
        """Write everything anew when the colours change: lines keep the ones they were written with."""
        self.watch(self.app, "theme", self._recolour, init=False)

    def _recolour(self) -> None:
        # After the next refresh only: until then the theme's colours are those of the one before.
        self.call_after_refresh(self._again)

    def on_resize(self, event: Resize) -> None:
        """Break lines anew."""
        super().on_resize(event)
        self.call_after_refresh(self._again)

    def _again(self) -> None:
        if self._snapshot is not None:
            self._rewrite(self._snapshot)
