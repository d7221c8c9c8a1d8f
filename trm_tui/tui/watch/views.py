"""The widgets of the watch screen: the grid, the strip of steps, and the words beside them."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import ScrollableContainer
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from trm_engine.text import safe_text
from trm_tui.tui.watch.board import CHANGED, STYLES, WRONG, draw, fitting
from trm_tui.tui.watch.strip import strip_lines
from trm_tui.workbench.watch.generated_text import LENGTH, TEMPERATURE, Passage
from trm_tui.workbench.watch.trace import Film, Frame

_LABEL = 12
_FAULTS = 3
"""Broken rules that are named at most."""


class BoardView(ScrollableContainer, can_focus=False, inherit_bindings=False):
    """Shows one frame of a film, as large as there is room for; without a film, what there is to say."""

    DEFAULT_CSS = """
    BoardView {
        align: center middle; width: 1fr; height: 1fr; overflow: auto;
        scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1;
        & > Static { width: auto; height: auto; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._film: Film | None = None
        self._at = 0
        self._confidence = False
        self._words = ""

    def compose(self) -> ComposeResult:
        """Hold the drawing."""
        yield Static(markup=False)

    def show(self, film: Film, at: int, *, confidence: bool) -> None:
        """Show a frame; with `confidence`, how sure each cell is."""
        self._film, self._at, self._confidence = film, at, confidence
        self._redraw()

    def say(self, words: str) -> None:
        """Show words instead of a grid."""
        self._film, self._words = None, words
        self._redraw()

    def on_resize(self) -> None:
        """Draw again: there may be room for a larger grid, or for none as large."""
        self._redraw()

    def _redraw(self) -> None:
        drawing = self.query_one(Static)
        film = self._film
        if film is None:
            drawing.update(Content.styled(self._words, "$text-muted"))
            return
        rows = film.frames[self._at].rows
        room = self.outer_size.width, self.outer_size.height
        chosen = fitting(len(rows), max(map(len, rows), default=0), film.box, room)
        lines = draw(film.frames[self._at], film.box, chosen, confidence=self._confidence)
        drawing.update(Content("\n").join(lines))


class TextView(ScrollableContainer, can_focus=False, inherit_bindings=False):
    """Shows a text as far as it is written: what was given brighter than what the model made of it."""

    DEFAULT_CSS = """
    TextView {
        display: none; width: 1fr; height: 1fr; overflow-x: hidden; overflow-y: auto; padding: 1 2;
        scrollbar-size-vertical: 1;
        & > Static { width: 1fr; height: auto; }
    }
    """

    def compose(self) -> ComposeResult:
        """Hold the text."""
        yield Static(markup=False)

    def show(self, passage: Passage | None) -> None:
        """Show another text, or more of it."""
        if passage is None:
            self.query_one(Static).update(Content(""))
            return
        written = safe_text(passage.text).expandtabs(4)
        cursor = "" if passage.done else "▏"
        text = Content.assemble((safe_text(passage.start), "bold $text-accent"), written, (cursor, "$accent"))
        self.query_one(Static).update(text)


class StripView(Widget):
    """Shows the steps of a film in columns, the one on screen marked."""

    DEFAULT_CSS = """
    StripView { height: 7; width: 1fr; padding: 0 1; background: $surface; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._film: Film | None = None
        self._at = 0

    def show(self, film: Film | None, at: int) -> None:
        """Show another film, or another step of it."""
        self._film, self._at = film, at
        self.refresh()

    def render(self) -> Content:
        """Fit steps and lines into the room there is."""
        if self._film is None:
            return Content("")
        return Content("\n").join(strip_lines(self._film, self._at, self.size.width, self.size.height))


def facts_content(film: Film, frame: Frame) -> Content:
    """Return the words beside the grid: what the frame says, then the film, then how to read a cell."""
    lines = _of_step(film, frame) if frame.step else [_fact("to fill in", f"{film.blanks} cells")]
    lines.append(Content(""))
    lines += _of_film(film)
    lines.append(Content(""))
    lines += _legend(film)
    return Content("\n").join(lines)


def passage_facts(passage: Passage) -> Content:
    """Return the words beside a text: how it is drawn, and what can be done."""
    lines = [
        _fact("sample", f"{passage.number + 1}"),
        _fact("written", f"{len(passage.text)} of {LENGTH} characters"),
        _fact("temperature", f"{TEMPERATURE:g}"),
        Content(""),
        Content.styled("The same sample has the same random seed:", "$text-muted"),
        Content.styled("what differs, the model has learned.", "$text-muted"),
    ]
    return Content("\n").join(lines)


def _of_step(film: Film, frame: Frame) -> list[Content]:
    right = "unknown" if frame.right is None else f"{frame.right} of {film.blanks} cells"
    return [
        _fact("right", right),
        _fact("changed", f"{frame.changed} cells" if frame.step > 1 else "—"),
        _fact("confidence", f"{frame.confidence:.1%}, lowest {frame.lowest:.1%}"),
        _fact("halting", f"{frame.halt:.1%}"),
        *_broken(frame),
    ]


def _broken(frame: Frame) -> list[Content]:
    """Return the rules that an answer breaks, as far as there is room."""
    if not frame.faults:
        return []
    more = len(frame.faults) - _FAULTS
    named = [Content.styled(f"✗ {reason}", "$text-error") for reason in frame.faults[:_FAULTS]]
    return [*named, Content.styled(f"✗ and {more} more", "$text-error")] if more > 0 else named


def _of_film(film: Film) -> list[Content]:
    halts = f"at step {film.halts_at}" if film.halts_at else f"does not in {film.last} steps"
    lines = [_fact("halts", halts)]
    if film.known:
        lines.append(_fact("correct", f"from step {film.solved_at} on" if film.solved_at else "never fully"))
    if film.looks > 1:
        what = "none proves it" if film.unproven else "the last solves it"
        lines.append(_fact("looks", f"{film.looks}, {what}"))
    sign, style = ("✓", "$text-success") if film.verdict.solved else ("✗", "$text-error")
    if film.unproven:
        lines.append(Content.styled("unproven: the most confident view", "$text-warning"))
    lines.append(_fact("at the end", ""))
    lines.append(Content.assemble((f"{sign} ", f"bold {style}"), (film.verdict.reason, style)))
    return lines


def _legend(film: Film) -> list[Content]:
    first: list[str | tuple[str, str]] = [(" n ", STYLES["given"]), "given  "]
    if film.known:
        first += [(" n ", STYLES["right"]), "right  ", (f" n{WRONG}", STYLES["wrong"]), " wrong"]
    else:
        first += [(" n ", STYLES["answer"]), "answer"]
    return [
        Content.assemble(*first),
        Content.assemble((f"{CHANGED}n ", "on $accent 22%"), "just changed"),
    ]


def _fact(name: str, text: str) -> Content:
    return Content.assemble((name.ljust(_LABEL), "$text-muted"), text)
