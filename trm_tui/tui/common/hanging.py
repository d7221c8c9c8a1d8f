"""Facts in two columns: what does not fit a line goes on below its beginning, not at the margin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

_NARROWEST = 12
"""Cells that the second column has at least; with less room both share the width."""


class Line(NamedTuple):
    """A beginning, and text that is wrapped beside it."""

    head: Content
    text: Content = Content("")


def wrapped(lines: Sequence[Line], width: int) -> list[Content]:
    """Return lines of at most `width` cells."""
    rows: list[Content] = []
    for head, text in lines:
        room = width - head.cell_length
        if room < _NARROWEST:
            rows += Content.assemble(head, text).wrap(max(width, 1))
            continue
        first, *more = text.wrap(room) or [text]
        rows.append(Content.assemble(head, first))
        rows += [Content.assemble(" " * head.cell_length, part) for part in more]
    return rows


class Hanging(Widget):
    """Shows such lines, as high as they are."""

    DEFAULT_CSS = """
    Hanging { width: 1fr; height: auto; }
    """

    lines: reactive[Sequence[Line]] = reactive((), layout=True)

    def __init__(self, lines: Sequence[Line] = ()) -> None:
        super().__init__()
        self.set_reactive(Hanging.lines, lines)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Have room for every line."""
        return max(len(wrapped(self.lines, width)), 1)

    def render(self) -> Content:
        """Wrap the lines at the width that there is."""
        return Content("\n").join(wrapped(self.lines, self.content_size.width))
