"""Widgets that draw only the rows that changed.

While a run trains, the app shares the cores and the interpreter's lock with it, and a frame costs what the
lines in it cost: about a third of a millisecond each. Most lines of a frame are those of the frame before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget

if TYPE_CHECKING:
    from typing_extensions import Self


class Rows(Widget):
    """A framed widget whose content is rows; `draw_rows` and `entitle` refresh no more than has changed."""

    _entitling = False

    def draw_rows(self, before: Sequence[object], after: Sequence[object]) -> None:
        """Refresh the rows of the content that differ; all of it where their number does."""
        if len(before) != len(after):
            self.refresh()
            return
        width = self.content_size.width
        changed = [row for row, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
        if changed:
            self.refresh(*(Region(0, row, width, 1) for row in changed))

    def entitle(self, title: Content, subtitle: Content) -> None:
        """Set the words in the frame, above and below."""
        self._entitling = True  # Textual would refresh all of the widget for either
        try:
            self.border_title, self.border_subtitle = title, subtitle
        finally:
            self._entitling = False
        width, height = self.content_size
        self.refresh(*(Region(-1, row, width + 2, 1) for row in (-1, height)))

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Ask for a redrawing; see Textual."""
        if self._entitling:
            return self
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
