"""What the watch screen shows, and how a film is played: everything but where films come from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from trm_engine.tasks.kit.symmetry import VIEWS
from trm_tui.tui.common.screen import ModeScreen
from trm_tui.tui.sessions.panes import Pane
from trm_tui.tui.watch.views import BoardView, StripView, TextView, facts_content, passage_facts
from trm_tui.workbench.watch.generated_text import Passage
from trm_tui.workbench.watch.model_host import Subject
from trm_tui.workbench.watch.playback import Playback
from trm_tui.workbench.watch.trace import Film


@dataclass(frozen=True)
class Shown:
    """All that decides what the screen looks like."""

    subject: Subject | None = None
    film: Film | None = None
    passage: Passage | None = None
    """What a text model writes, instead of a film."""
    playback: Playback = field(default_factory=Playback)
    number: int = 0
    """Of the held-out puzzle, from 0."""
    count: int = 0
    """Held-out puzzles."""
    typed: bool = False
    """Is a puzzle of one's own shown instead?"""
    only_failures: bool = False
    views: int = VIEWS
    """Looks at a puzzle, at most."""
    confidence: bool = False
    progress: str = ""
    """What is being computed."""


class WatchView(ModeScreen):
    """Grid, words and strip of a film, and the keys that play it."""

    CSS_PATH = "watch.tcss"
    AUTO_FOCUS = ""

    def __init__(self) -> None:
        super().__init__()
        self.shown = Shown()
        self._timer: Timer | None = None

    def body(self) -> ComposeResult:
        """Yield headline, grid, words and strip."""
        yield Static(id="headline", markup=False)
        with Horizontal(id="scene"):
            yield BoardView()
            yield TextView()
            yield Pane(id="words")
        yield StripView()

    def on_resize(self) -> None:
        """Fit the headline into its new width."""
        if self.is_mounted:
            self._paint()

    def say(self, words: str) -> None:
        """Show words where the grid would be."""
        self.set_class(self.shown.passage is None and self.shown.film is None, "-empty")
        self.query_one(BoardView).say(words)

    def progress(self, words: str) -> None:
        """Say what is being computed, in the headline."""
        if words != self.shown.progress:
            self.change(progress=words)

    def change(self, **changes: object) -> None:
        """Show something else."""
        self.shown = replace(self.shown, **changes)  # type: ignore[arg-type]  # callers name Shown's fields
        if self.is_mounted:
            self._paint()

    def begin(self, film: Film, number: int, *, typed: bool, at: int, play: bool) -> None:
        """Show another film."""
        playback = self.shown.playback.of(film.last, play=play, at=0 if play else at)
        self.change(film=film, number=number, typed=typed, playback=playback)
        self._wind()

    def played(self) -> None:
        """Take note that a film has played to its end."""

    # --- playing ------------------------------------------------------------------------------------------

    def action_play(self) -> None:
        """Play the film, or hold it."""
        self._run(self.shown.playback.toggled())

    def action_step(self, frames: int) -> None:
        """Go on by so many frames, or back, and hold."""
        self._run(self.shown.playback.moved(frames))

    def action_pace(self, places: int) -> None:
        """Play faster, or slower."""
        self._run(self.shown.playback.paced(places))

    def action_confidence(self) -> None:
        """Show how sure the model is of each cell, or the cells again."""
        self.change(confidence=not self.shown.confidence)

    def action_scroll(self, lines: int) -> None:
        """Move a grid that is larger than its room."""
        view = self.query_one(TextView if self.shown.passage is not None else BoardView)
        view.scroll_relative(y=lines, animate=False)

    def _run(self, playback: Playback) -> None:
        self.change(playback=playback)
        self._wind()

    def _wind(self) -> None:
        """Have the next frame shown when its time has come."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self.shown.playback.playing:
            self._timer = self.set_timer(1 / self.shown.playback.speed, self._tick)

    def _tick(self) -> None:
        if self.is_current:  # a film that nobody sees waits
            self.change(playback=self.shown.playback.ticked())
            if self.shown.playback.at_end:
                self.played()
        self._wind()

    # --- painting -----------------------------------------------------------------------------------------

    def _paint(self) -> None:
        shown = self.shown
        self.query_one("#headline", Static).update(_headline(shown, self.size.width - 2))
        self.set_class(shown.passage is not None, "-text")
        self.set_class(shown.passage is None and shown.film is None, "-empty")
        if shown.passage is not None:
            self.query_one(TextView).show(shown.passage)
            self.query_one("#words", Pane).show(passage_facts(shown.passage))
            return
        film, at = shown.film, shown.playback.at
        self.query_one(StripView).show(film, at)
        if film is not None:
            self.query_one(BoardView).show(film, at, confidence=shown.confidence)
            self.query_one("#words", Pane).show(facts_content(film, film.frames[at]))


def _headline(shown: Shown, width: int) -> Content:
    """Return the line at the top: what plays, and how far it is."""
    if shown.progress:
        return Content.styled(shown.progress, "$text-warning")
    if shown.passage is not None:
        sign, what = ("✓", "written") if shown.passage.done else ("▶", "writing…")
        left = Content.assemble((f"{sign}  ", "bold $text-accent"), (what, "bold"))
        return _between(left, f"{_model(shown)} · sample {shown.passage.number + 1:,}", width)
    if shown.film is None:
        return Content("")
    play = shown.playback
    sign = f"▶ {play.speed:g}/s" if play.playing else "‖"
    place = f"step {play.at} of {play.last}" if play.at else "the puzzle"
    if play.at and shown.film.looks > 1:
        place += f" · view {shown.film.frames[play.at].look} of {shown.film.looks}"
    left = Content.assemble((f"{sign}  ", "bold $text-accent"), (place, "bold"))
    return _between(left, f"{_model(shown)} · {_puzzle(shown)}", width)


def _between(left: Content, words: str, width: int) -> Content:
    """Return a line with words at both ends."""
    right = Content.styled(words, "$text-muted")
    gap = width - left.cell_length - right.cell_length
    return Content.assemble(left, " " * max(gap, 2), right)


def _model(shown: Shown) -> str:
    subject = shown.subject
    if subject is None:
        return ""
    return f"{subject.title}, step {subject.step:,}{' (live)' if subject.live else ''}"


def _puzzle(shown: Shown) -> str:
    if shown.typed:
        return "a puzzle of your own"
    return (
        f"puzzle {shown.number + 1:,} of {shown.count:,}{' · failures only' if shown.only_failures else ''}"
    )
