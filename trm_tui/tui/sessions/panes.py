"""The panes beside the table: the facts of a session, its checkpoints, and what happened to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from trm_engine.text import one_line
from trm_tui.tui.common.hanging import Hanging, Line
from trm_tui.workbench.browser import clock
from trm_tui.workbench.browser.columns import when
from trm_tui.workbench.browser.details import Details, SavedStep
from trm_tui.workbench.browser.timeline import Moment

_LABEL = 12
_EMPTY = Line(Content(""))
_KINDS = {
    "config": ("●", "$primary"),
    "info": ("│", "$text-muted"),
    "warning": ("!", "$warning"),
    "error": ("✗", "$error"),
}


class Pane(VerticalScroll, can_focus=True, inherit_bindings=False):
    """Text that the screen's keys scroll."""

    def compose(self) -> ComposeResult:
        """Show the text."""
        yield Hanging()

    def show(self, content: Content | Sequence[Line]) -> None:
        """Show another text, or lines in two columns."""
        lines = (Line(Content(""), content),) if isinstance(content, Content) else content
        self.query_one(Hanging).lines = lines

    def move(self, lines: int) -> None:
        """Scroll."""
        self.scroll_relative(y=lines, animate=False)


class CheckpointList(OptionList, inherit_bindings=False):
    """A session's checkpoints, the newest first; one of them is under the cursor."""

    class Chosen(Message):
        """A checkpoint was clicked twice."""

    def __init__(self) -> None:
        super().__init__()
        self._saved: Sequence[SavedStep] = ()

    @property
    def chosen(self) -> SavedStep | None:
        """The checkpoint under the cursor."""
        place = self.highlighted
        return self._saved[place] if place is not None and place < len(self._saved) else None

    @property
    def steps(self) -> list[int]:
        """The steps of all checkpoints that are listed."""
        return [one.step for one in self._saved]

    def show(self, saved: Sequence[SavedStep], *, empty: str = "") -> None:
        """List checkpoints; without any, say so. The cursor stays on the step it is on."""
        before = self.chosen
        self._saved = saved
        now = clock.local_now()
        self.clear_options()
        if not saved:
            self.add_option(Option(Content.styled(empty, "$text-muted"), disabled=True))
            return
        self.add_options(Option(checkpoint_content(one, now)) for one in saved)
        steps = [one.step for one in saved]
        self.highlighted = steps.index(before.step) if before and before.step in steps else 0

    def move(self, lines: int) -> None:
        """Move the cursor."""
        if self._saved:
            self.highlighted = min(max((self.highlighted or 0) + lines, 0), len(self._saved) - 1)

    def on_click(self, event: events.Click) -> None:
        """Choose a checkpoint at the second click."""
        if event.chain == 2 and self.chosen:
            self.post_message(self.Chosen())


class DetailsPanes(Horizontal):
    """Facts, checkpoints and timeline, side by side or one below the other."""

    def compose(self) -> ComposeResult:
        """Show the three."""
        facts, story = Pane(id="facts"), Pane(id="timeline")
        checkpoints = CheckpointList()
        facts.border_title, story.border_title = "Session", "History"
        checkpoints.border_title = "Checkpoints"
        yield facts
        yield checkpoints
        yield story

    @property
    def checkpoints(self) -> CheckpointList:
        """The list of checkpoints."""
        return self.query_one(CheckpointList)

    def show(self, details: Details) -> None:
        """Show another session, or the same as it is now."""
        facts = self.query_one("#facts", Pane)
        facts.show(facts_lines(details))
        facts.border_subtitle = details.session
        self.query_one("#timeline", Pane).show(timeline_lines(details.moments, clock.local_now()))

    def clear(self) -> None:
        """Show nothing, until something is read."""
        for pane in self.query(Pane):
            pane.show(())
            pane.scroll_home(animate=False)
            pane.border_subtitle = ""
        self.checkpoints.show(())


def facts_lines(details: Details) -> list[Line]:
    """Return the facts under their headings."""
    lines: list[Line] = []
    if details.problem:
        lines += [Line(Content(""), Content.styled(details.problem, "$text-error")), _EMPTY]
    for number, (title, facts) in enumerate(details.groups):
        if number:
            lines += [_EMPTY, Line(Content.styled(title, "bold $accent"))]
        for name, text in facts:
            head = Content.styled(f"{name} ".ljust(_LABEL), "$text-muted")
            if "\n" in text:
                lines += [Line(head), Line(Content(""), Content(text))]
            else:
                lines.append(Line(head, Content(one_line(text, None))))
    return lines


def timeline_lines(moments: Sequence[Moment], now: datetime) -> list[Line]:
    """Return what happened, one line a moment, the changes of a configuration below it."""
    return [*_timeline_lines(moments, now)] or [Line(Content.styled("nothing yet", "$text-muted"))]


def checkpoint_content(saved: SavedStep, now: datetime) -> Content:
    """Return one line of the list of checkpoints."""
    state = Content.styled("✓ verified" if saved.verified else "", "$text-muted")
    if saved.problem:
        state = Content.styled(f"✗ {saved.problem}", "$text-error")
    return Content.assemble(
        (f"{saved.step:>9,} ", "bold"),
        ("★ best " if saved.best else "       ", "$text-warning"),
        (f"{saved.size:>8}  ", "$text-muted"),
        (f"{when(saved.time, now) if saved.time else '':<10}", "$text-muted"),
        state,
    )


def _timeline_lines(moments: Iterable[Moment], now: datetime) -> Iterator[Line]:
    for moment in moments:
        sign, colour = _KINDS.get(moment.kind, _KINDS["info"])
        time = when(moment.time, now) if moment.time else ""
        step = f"step {moment.step:,} " if moment.step is not None else ""
        style = "" if moment.kind == "config" else "$text-muted" if moment.kind == "info" else colour
        head = Content.assemble((f"{sign} ", colour), (f"{time} ", "$text-muted"), (step, "bold"))
        yield Line(head, Content.styled(moment.title, style))
        for change in moment.changes:
            yield Line(Content.styled("│   ", "$text-muted"), Content(change))
