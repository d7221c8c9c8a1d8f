"""The event log of a run: newest at the bottom, filtered by severity and words."""

from __future__ import annotations

import textwrap

from rich.text import Text
from textual.content import Content
from textual.events import Resize
from textual.widgets import RichLog

from trm_engine.text import safe_text
from trm_tui.tui.common.colours import style_of
from trm_tui.workbench.snapshot import LogLine, Severity, Snapshot

_COLOURS: dict[Severity, str] = {"info": "foreground", "warning": "warning", "error": "error"}
_SIGNS: dict[Severity, str] = {"info": " ", "warning": "!", "error": "✗"}
_SEVERITIES: dict[str, frozenset[Severity]] = {
    "warnings:": frozenset({"warning", "error"}),
    "errors:": frozenset({"error"}),
}
"""Words of a search that stand for severities, and which lines they leave."""
_MAX_LINES = 1000
_NARROWEST = 10
"""Columns that a message has at least."""


def fits(line: LogLine, sought: str) -> bool:
    """Whether a line has all words that are searched for; `warnings:` and `errors:` are severities."""
    text = f"{line.time} {line.message}".casefold()
    return all(
        line.severity in _SEVERITIES[word] if word in _SEVERITIES else word in text
        for word in sought.casefold().split()
    )


class EventLog(RichLog):
    """Appends what is new; writes everything anew when the run or the filter changes."""

    BORDER_TITLE = "Log"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name for it
        super().__init__(id=id, max_lines=_MAX_LINES, wrap=True, markup=False, highlight=False, min_width=10)
        self._slot = 0
        self._count = 0
        self.sought = ""
        """What lines are searched for: all words in capital or small letters, and words for severities."""
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

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Say when new lines come below what is seen."""
        super().watch_scroll_y(old_value, new_value)
        if self.is_mounted:
            self._entitle()

    def _entitle(self) -> None:
        parts = [f"only “{self.sought}” · / searches" if self.sought else ""]
        parts += ["newer lines below · end follows" if not self.is_vertical_scroll_end else ""]
        words = " · ".join(filter(None, parts))
        self.border_subtitle = Content(words)

    def search(self, words: str) -> None:
        """Show only the lines with all of these words; without any, all lines."""
        self.sought = " ".join(safe_text(words).split())
        self._entitle()
        if self._snapshot is not None:
            self._rewrite(self._snapshot)

    def _rewrite(self, snapshot: Snapshot) -> None:
        self.clear()
        for line in snapshot.log:
            self._put(line)

    def _put(self, line: LogLine) -> None:
        if not fits(line, self.sought):
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
