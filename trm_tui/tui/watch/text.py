"""What the watch screen does with a model that writes: samples, starts, and writing again as it trains."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from typing import TypeVar

from textual import on, work
from textual.message import Message

from trm_tui.tui.common.multiline_input import Write
from trm_tui.tui.keys import Key
from trm_tui.tui.watch.view import WatchView
from trm_tui.workbench.possible import Possible
from trm_tui.workbench.snapshot import Snapshot
from trm_tui.workbench.watch.generated_text import Passage
from trm_tui.workbench.watch.model_host import Studio, Subject

T = TypeVar("T")

_TELL_SECONDS = 0.1
_OF_PUZZLES = frozenset(
    ("forward", "back_one", "first", "last", "slower", "faster", "only_failures", "views", "confidence")
)
_OF_A_MODEL = frozenset((*_OF_PUZZLES, "play", "next", "previous", "type", "best", "earlier", "later"))


class WatchText(WatchView):
    """Has texts written; the keys that make no sense for them say so."""

    class Wrote(Message):
        """A text has grown; posted from the screen's own thread."""

        def __init__(self, asked: int, passage: Passage) -> None:
            super().__init__()
            self.asked, self.passage = asked, passage

    def __init__(self) -> None:
        super().__init__()
        self.start_text = ""
        """What texts begin with."""
        self._closed = False
        self._asked = 0
        """Counts what was asked for, so that a search for something else, or a text, can be given up."""
        self._ended = -1
        """What was asked for last that has ended."""
        self._wrote_at = 0.0

    @abstractmethod
    async def _made(self, make: Callable[[Studio], T]) -> T | None:
        """Have the studio make something beside the app's own thread; None where it could not."""

    @abstractmethod
    def written(self) -> None:
        """Take note that a text is written to its end."""

    @property
    def writes(self) -> bool:
        """Whether the model on screen writes text."""
        return self.shown.subject is not None and self.shown.subject.writes

    @property
    def shows_something(self) -> bool:
        """Whether there is a film or a text on screen."""
        return self.shown.film is not None or self.shown.passage is not None

    def offer(self, key: Key, snapshot: Snapshot) -> Possible:
        """Say what a key does to what is shown: a film that plays, one that is paused, or a text."""
        if key.where != self.where:
            return super().offer(key, snapshot)
        verb = key.id.partition(".")[2]
        if verb in _OF_A_MODEL and self.shown.subject is None:
            return Possible(key.label, "No model to watch yet. n trains one, p picks one.")
        if verb in _OF_PUZZLES and self.writes:
            return Possible(key.label, "For puzzles only: this model writes text. ↓ writes another sample.")
        if verb == "play":
            playing = "pause" if self.shown.playback.playing else "play"
            return Possible("write another" if self.writes else playing)
        if verb == "only_failures" and self.shown.only_failures:
            return Possible("all puzzles")
        return Possible(key.label)

    def give_up_writing(self) -> None:
        """Let the text that is being written end where it is."""
        self._asked += 1

    async def show_text(self, subject: Subject) -> None:
        """Have another model, or the same with other weights, write the sample on screen, or its first."""
        before = self.shown
        same = before.subject is not None and before.subject.session == subject.session
        if not same:
            self.start_text = ""
        number = before.passage.number if same and before.passage is not None else 0
        # A text of the same session stays on screen until the next one has begun: that is what compares them.
        kept = before.passage if same else None
        self.change(subject=subject, film=None, passage=kept or Passage(self.start_text, number))
        await self._write_sample(number)

    def write_another(self, places: int) -> None:
        """Write the next sample, or the one before."""
        passage = self.shown.passage
        self._write(max((passage.number if passage else 0) + places, 0))

    def begin_with(self, start: str) -> None:
        """Write the sample on screen with another start."""
        self.start_text = start
        self._write(self.shown.passage.number if self.shown.passage else 0)

    def ask_for_start(self, text: str) -> None:
        """Ask what texts are to begin with."""
        question = Write(
            "How does the text begin?",
            "Type or paste it; the model continues from there. Empty: the model begins by itself.",
            value=text,
        )

        def answered(answer: str | None) -> None:
            if answer is not None:
                self._take_start(answer)

        self.app.push_screen(question, answered)

    @work(exclusive=True, group="watch")
    async def _take_start(self, text: str) -> None:
        self.give_up_writing()
        start = await self._made(lambda studio: studio.check_start(text))
        if start is None:
            self.ask_for_start(text)
        else:
            self.begin_with(start)

    @work(exclusive=True, group="watch")
    async def _write(self, number: int) -> None:
        self.give_up_writing()
        await self._write_sample(number)

    async def _write_sample(self, number: int) -> None:
        mine, start = self._asked, self.start_text

        def tell(passage: Passage) -> None:
            now = time.monotonic()
            if now - self._wrote_at >= _TELL_SECONDS:
                self._wrote_at = now
                self.post_message(self.Wrote(mine, passage))

        passage = await self._made(
            lambda studio: studio.write(start, number, tell, lambda: self._asked != mine or self._closed)
        )
        if passage is not None and self._asked == mine:
            self._ended = mine
            self.change(passage=passage)
            self.written()

    @on(Wrote)
    def _wrote(self, event: Wrote) -> None:
        if event.asked == self._asked != self._ended:  # else it comes after what came of it
            self.change(passage=event.passage)

    # --- keys of puzzles, while a model writes ------------------------------------------------------------

    def action_play(self) -> None:
        """Play the film, or hold it; have another sample written."""
        if self.declines("play"):
            return
        if self.writes:
            self.write_another(1)
        else:
            super().action_play()

    def action_step(self, frames: int) -> None:
        """Go on by so many frames, or back, and hold."""
        if not self.declines("forward"):
            super().action_step(frames)

    def action_pace(self, places: int) -> None:
        """Play slower or faster."""
        if not self.declines("faster"):
            super().action_pace(places)

    def action_confidence(self) -> None:
        """Show how sure the model is of each cell, or the cells again."""
        if not self.declines("confidence"):
            super().action_confidence()
