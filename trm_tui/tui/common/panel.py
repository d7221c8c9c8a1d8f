"""A frame with lines of figures in it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive

from trm_tui.tui.common.rows import Rows
from trm_tui.workbench.snapshot import EMPTY, Snapshot

_LABEL = 8


class Panel(Rows, can_focus=True):
    """Lines of figures in a frame."""

    DEFAULT_CSS = """
    Panel {
        border: round $border-blurred; border-title-color: $text; background: $background; padding: 0 1;
        height: auto;
        &:focus { border: round $border; border-title-style: bold; }
    }
    """

    snapshot: reactive[Snapshot] = reactive(EMPTY, repaint=False)

    _shown: Sequence[Content] = ()

    def watch_snapshot(self) -> None:
        """Draw the lines that have changed; take more or less room when there are more or fewer."""
        before, self._shown = self._shown, self.lines(self.content_size.width or 30)
        if len(before) != len(self._shown):
            self.refresh(layout=True)
        else:
            self.draw_rows([_identity(line) for line in before], [_identity(line) for line in self._shown])

    def lines(self, width: int) -> list[Content]:  # noqa: ARG002  # subclasses fit their lines into it
        """Return what to show, line by line."""
        return []

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Have room for every line where the height is automatic."""
        return len(self.lines(width))

    def render(self) -> Content:
        """Show as many lines as there is room for."""
        width, height = self.content_size
        return Content("\n").join(line.truncate(width, ellipsis=True) for line in self.lines(width)[:height])


def _identity(line: Content) -> object:
    return line.plain, line.spans  # lines compare by their text alone


def labelled(label: str, value: Content) -> Content:
    """Return a line of a figure's name and its value."""
    return Content.assemble((label.ljust(_LABEL), "$text-muted"), value)
