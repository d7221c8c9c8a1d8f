"""The table of sessions: only the lines on screen are made, so that ten thousand cost no more than ten."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from trm_tui.tui.sessions.signs import STATUS_SIGNS, fitted
from trm_tui.workbench.browser import clock
from trm_tui.workbench.browser.columns import GAP, Column, fitting
from trm_tui.workbench.browser.listing import Listing
from trm_tui.workbench.browser.session_row import SessionRow

_MARK = "▌"
_GUTTER = 2


class SessionTable(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows a `Listing`, with a cursor. The screen's keys call `move` and `go`; a click moves it too."""

    DEFAULT_CSS = """
    SessionTable {
        height: 1fr; background: $background; color: $foreground;
        overflow-x: hidden; scrollbar-size-vertical: 1;
        & > .head { background: $panel; color: $text-muted; }
        & > .sorted { color: $text-primary; text-style: bold; }
        & > .cursor {
            background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold;
        }
        & > .resting { background: $panel; }
        & > .marked { background: $surface; }
        & > .mark { color: $accent; }
        & > .named { text-style: bold; }
        & > .muted { color: $text-muted; }
        & > .good { color: $text-success; }
        & > .watch { color: $text-warning; }
        & > .bad { color: $text-error; }
        & > .tag { color: $text-secondary; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "head", "sorted", "cursor", "resting", "marked", "mark", "named", "muted", "good", "watch", "bad",
        "tag",
    }  # fmt: skip

    class Moved(Message):
        """The cursor is on another session, or on none."""

        def __init__(self, row: SessionRow | None) -> None:
            super().__init__()
            self.row = row

    class Opened(Message):
        """A session was clicked twice."""

    class SortedBy(Message):
        """The head of a column was clicked."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, listing: Listing) -> None:
        super().__init__()
        self.listing = listing
        self.cursor = 0
        self.empty = ""
        """What is said where there are no rows."""
        self._now = clock.local_now()
        self._told: SessionRow | None = None

    @property
    def row(self) -> SessionRow | None:
        """The session under the cursor."""
        shown = self.listing.shown
        return shown[self.cursor] if self.cursor < len(shown) else None

    def renew(self, keep: str | None = None) -> None:
        """Show the listing as it is now, with the cursor on the session `keep` or where it was."""
        place = self.listing.place(keep) if keep else None
        last = max(len(self.listing.shown) - 1, 0)
        self.cursor = min(self.cursor if place is None else place, last)
        self._now = clock.local_now()
        self.virtual_size = Size(self.size.width, len(self.listing.shown) + 1)
        self._reveal()
        self.refresh()
        self._tell()

    def move(self, lines: int) -> None:
        """Move the cursor by so many lines."""
        self.go(self.cursor + lines)

    def go(self, line: int) -> None:
        """Move the cursor to a line, or the one nearest to it."""
        target = min(max(line, 0), max(len(self.listing.shown) - 1, 0))
        if target != self.cursor:
            self.cursor = target
            self._reveal()
            self.refresh()
            self._tell()

    @property
    def page(self) -> int:
        """Lines of a page."""
        return max(self.size.height - 2, 1)

    # --- drawing ------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Return the head, a session's line, or what there is to say without any."""
        width = self.size.width
        base = self.rich_style
        if y == 0:
            return self._head(width)
        line = self.scroll_offset.y + y - 1
        if line < len(self.listing.shown):
            return self._line(line, base, width)
        if y == 1 and not self.listing.shown:
            return Strip([Segment("  " + fitted(self.empty, width - 2), base + self._style("muted"))], width)
        return Strip.blank(width, base)

    def _head(self, width: int) -> Strip:
        order = self.listing.order
        plain = self._style("head")
        segments = [Segment(" " * _GUTTER, plain)]
        for column, size in self._spread():
            title, style = column.title, plain
            if column.key == order.key:
                arrow = "↓" if order.falls else "↑"
                title = f"{arrow}{title}" if column.right else f"{title}{arrow}"
                style = plain + self._style("sorted")
            segments.append(Segment(fitted(title, size, right=column.right), style))
            segments.append(Segment(" " * GAP, plain))
        return Strip(segments).adjust_cell_length(width, plain)

    def _line(self, line: int, base: Style, width: int) -> Strip:
        row = self.listing.shown[line]
        marked = self.listing.is_marked(row.id)
        lit = line == self.cursor and self.has_focus
        if line == self.cursor:
            base += self._style("cursor" if lit else "resting")
        elif marked:
            base += self._style("marked")
        segments = [Segment(_MARK if marked else " ", base + self._style("mark")), Segment(" ", base)]
        for column, size in self._spread():
            text = fitted(_text(column, row, self._now), size, right=column.right)
            look = "" if lit else _look(column, row)
            segments.append(Segment(text, base + self._style(look) if look else base))
            segments.append(Segment(" " * GAP, base))
        return Strip(segments).adjust_cell_length(width, base)

    def _spread(self) -> list[tuple[Column, int]]:
        return fitting(self.size.width - _GUTTER, self.listing.columns)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(name, partial=True)

    # --- mouse and focus ----------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        """Sort by the column whose head was clicked, move to the line, open it at the second click."""
        event.stop()
        if event.y == 0:
            if (key := self._column_at(event.x)) is not None:
                self.post_message(self.SortedBy(key))
            return
        line = self.scroll_offset.y + event.y - 1
        if line < len(self.listing.shown):
            self.go(line)
            if event.chain == 2:
                self.post_message(self.Opened())

    def on_focus(self) -> None:
        """Light the cursor up."""
        self.refresh()

    def on_blur(self) -> None:
        """Dim the cursor."""
        self.refresh()

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self.virtual_size = Size(self.size.width, len(self.listing.shown) + 1)
        self._reveal()

    def _column_at(self, x: int) -> str | None:
        end = _GUTTER
        for column, size in self._spread():
            end += size + GAP
            if x < end:
                return column.key
        return None

    def _reveal(self) -> None:
        """Scroll so that the cursor's line is below the head and above the lower edge."""
        top, lines = self.scroll_offset.y, max(self.size.height - 1, 1)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + lines:
            self.scroll_to(y=self.cursor - lines + 1, animate=False, force=True)

    def _tell(self) -> None:
        if self.row is not self._told:
            self._told = self.row
            self.post_message(self.Moved(self.row))


def _text(column: Column, row: SessionRow, now: datetime) -> str:
    text = column.text(row, now)
    return f"{STATUS_SIGNS[row.status][0]} {text}" if column.key == "status" else text


def _look(column: Column, row: SessionRow) -> str:
    """Return the component class that a cell is shown in; none for plain text."""
    if column.key == "status":
        return STATUS_SIGNS[row.status][1]
    if column.key in ("exact", "steps"):
        return ""
    if column.key == "name":
        return "named" if row.name else "muted"
    return "tag" if column.key == "tags" else "muted"
