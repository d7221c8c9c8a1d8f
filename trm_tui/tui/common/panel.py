"""Framed widgets that draw only the rows that changed, and those that show figures of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.widget import Widget

from trm_tui.workbench.snapshot import EMPTY, Snapshot

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


_LABEL = 9


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


class DecisionsPanel(Panel):
    """What the engine chose by itself, and why."""

    BORDER_TITLE = "Decisions"

    def __init__(self, *, more: str = "", id: str | None = None) -> None:  # noqa: A002  # Textual's name
        """`more` says where those are that there is no room for."""
        super().__init__(id=id)
        self._more = more

    def render(self) -> Content:
        """Show as many lines as there is room for, and say where the others are."""
        width, height = self.content_size
        lines = self.lines(width)
        if len(lines) <= height or height < 2 or not self._more:
            return super().render()
        last = Content.styled(self._more, "$text-muted")
        return Content("\n").join(
            line.truncate(width, ellipsis=True) for line in [*lines[: height - 1], last]
        )

    def lines(self, width: int) -> list[Content]:
        """Return what to show, line by line."""
        lines = []
        for decision in self.snapshot.decisions:
            chosen = Content.assemble((f"{decision.subject} ", "$text-muted"), (decision.choice, "bold"))
            first, *rest = [chosen] if chosen.cell_length <= width else chosen.wrap(max(width - 2, 1))
            reason = Content.styled(decision.reason, "$text-muted").wrap(max(width - 2, 1))
            lines += [first, *(Content.assemble("  ", line) for line in (*rest, *reason))]
        return lines or [Content.styled("none yet", "$text-muted")]
