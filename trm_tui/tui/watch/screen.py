"""The watch screen: step through a model's refinement of a puzzle, on a checkpoint or on live weights."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, TypeVar

from textual import on, work
from textual.message import Message

from trm_engine.errors import CancelledError, TrmError
from trm_engine.tasks.kit.symmetry import VIEWS
from trm_tui.tui.common.multiline_input import Write
from trm_tui.tui.keys import Where
from trm_tui.tui.watch.session_dialog import LIVE, PickModel
from trm_tui.tui.watch.text import WatchText
from trm_tui.workbench.browser.details import read_checkpoints
from trm_tui.workbench.possible import possible
from trm_tui.workbench.snapshot import Snapshot
from trm_tui.workbench.watch.model_host import Studio, Subject
from trm_tui.workbench.watch.trace import Film
from trm_tui.workbench.workbench import Look

T = TypeVar("T")

_NO_MODEL = "No model to watch yet. n trains one, p picks one."
_PROGRESS_SECONDS = 0.1
_VIEWS = (1, VIEWS, 4 * VIEWS)
"""Looks at a puzzle that a key goes through."""


class WatchScreen(WatchText):
    """Picks models and puzzles, and has films and texts made of them in a thread of its own."""

    where: ClassVar[Where] = "watch"
    host_of_models: ClassVar[Callable[..., Studio]] = Studio
    """Where films and texts are made."""
    again_after_seconds: ClassVar[float] = 1.5
    """A live run is looked at again so long after its film has played to the end."""

    class Progressed(Message):
        """How far something that takes time has come; posted from the screen's own thread."""

        def __init__(self, what: str, done: int, total: int) -> None:
            super().__init__()
            self.what, self.done, self.total = what, done, total

    class Looked(Message):
        """A run's weights have come; posted from the run's thread."""

        def __init__(self, look: Look) -> None:
            super().__init__()
            self.look = look

    def __init__(self) -> None:
        super().__init__()
        self._studio: Studio | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="watch")
        self._told_at = 0.0
        self._typed: str | None = None
        self._tried: tuple[str, bool] | None = None
        """The run, and whether it had weights, that a model was last looked for of without being asked."""
        self._loading = False
        """Whether a model is being read."""
        self._awaited: str | None = None
        """The session whose run has been asked for its weights and has not given them yet."""

    def on_unmount(self) -> None:
        """Give up whatever is computed."""
        self._closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)

    def show(self, snapshot: Snapshot) -> None:
        """At first, look at the run on screen, or else at the newest session.

        Look anew where nothing is shown because the run that was asked for its weights has ended since, or
        another has taken its place.
        """
        given_up = self._awaited is not None and not (snapshot.active and snapshot.session == self._awaited)
        run = snapshot.session, possible("scale_lr", snapshot).refusal == ""
        if self.shows_something or self._loading:
            return
        if given_up or run != self._tried:
            self._tried = run
            if not self._look():
                self._watch(snapshot.session or "latest", None, asked=False)

    def watch_session(self, ref: str, checkpoint: int | None) -> None:
        """Watch a session's newest checkpoint, or the one of a step."""
        snapshot = self.trm.workbench.snapshot()
        self._tried = snapshot.session, possible("scale_lr", snapshot).refusal == ""
        self._watch(ref, None if checkpoint is None else str(checkpoint))

    # --- models -------------------------------------------------------------------------------------------

    def _look(self) -> bool:
        """Ask the run on screen for its weights; return whether it has any."""
        asked = self.trm.workbench.look(self._receive)
        self._awaited = self.trm.workbench.snapshot().session if asked else None
        if asked and not self.shows_something:
            self.say("waiting for the run's weights…")
        return asked

    def _receive(self, look: Look) -> None:
        """Pass on a run's weights; called in the run's thread."""
        self.post_message(self.Looked(look))

    @on(Looked)
    def _looked(self, event: Looked) -> None:
        look = event.look
        self._awaited = None
        self._load(lambda studio: studio.load_look(look), replay=True)

    def _watch(self, ref: str, checkpoint: str | None, *, asked: bool = True) -> None:
        """Read a session's model; where nobody `asked` for it, there need not be one."""
        if not self.shows_something:
            self.say("reading the model…")
        self._load(lambda studio: studio.load_session(ref, checkpoint), asked=asked)

    @work(exclusive=True, group="watch")
    async def _load(
        self, load: Callable[[Studio], Subject], *, replay: bool = False, asked: bool = True
    ) -> None:
        """Take another model, and show how it solves the puzzle on screen, or its first."""
        before = self.shown
        self.give_up_writing()
        self._loading = True
        try:
            loaded = await self._made(lambda studio: (load(studio), studio.count()), told=asked)
        finally:
            self._loading = False
        if loaded is None:
            if not self.shows_something:
                self.say(_NO_MODEL)
            return
        subject, count = loaded
        for warning in subject.warnings:
            self.trm.say(warning, "warning")
        if subject.writes:
            await self.show_text(subject)
            return
        number = before.number if before.number < count else 0
        again = before.subject is not None and before.subject.session == subject.session
        if not again:
            self._typed, number = None, 0
        self.change(subject=subject, count=count, passage=None, typed=self._typed is not None)
        if before.only_failures and self._typed is None:
            await self._show_failure(number, 1)
            return
        # A checkpoint of the same session is looked at where the last was held: that is what compares them.
        held = again and before.film is not None and not before.playback.playing and not replay
        await self._show(number, at=before.playback.at, play=not held)

    # --- puzzles ------------------------------------------------------------------------------------------

    @work(exclusive=True, group="watch")
    async def _go(self, number: int, places: int) -> None:
        """Show another held-out puzzle; with only failures wanted, the next that the model gets wrong."""
        shown = self.shown
        if not shown.count:
            return
        self._typed = None
        if shown.only_failures:
            await self._show_failure(number, places)
        else:
            await self._show(number % shown.count, at=0, play=True)

    async def _show_failure(self, number: int, places: int) -> None:
        """Show the first puzzle from a number on that the model gets wrong; without any, say so."""
        self._asked += 1
        mine = self._asked
        found = await self._made(
            lambda studio: (studio.next_failure(number, places, lambda: self._asked != mine or self._closed),)
        )
        self.progress("")
        if found is None or self._asked != mine:
            return
        if found[0] is None:
            self.trm.say(f"The model solves all {self.shown.count:,} puzzles.")
            self.change(only_failures=False)
            number = number % self.shown.count
        else:
            number = found[0]
        await self._show(number, at=0, play=True)

    async def _show(self, number: int, *, at: int, play: bool) -> None:
        typed, views = self._typed, self.shown.views
        film = await self._made(
            lambda studio: studio.film(number, views) if typed is None else studio.film_of(typed, views)
        )
        if film is not None:
            self.begin(film, number, typed=typed is not None, at=at, play=play)

    def _ask_for_puzzle(self, text: str) -> None:
        question = Write(
            "A puzzle of your own",
            "Type or paste it, on one line or as it was drawn; . or 0 is a cell to be filled in.",
            value=text,
        )

        def answered(answer: str | None) -> None:
            if answer is not None and answer.strip():
                self._take_typed(answer)

        self.app.push_screen(question, answered)

    @work(exclusive=True, group="watch")
    async def _take_typed(self, text: str) -> None:
        if await self._made(lambda studio: studio.parse(text)) is None:
            self._ask_for_puzzle(text)
            return
        self._typed = text
        await self._show(self.shown.number, at=0, play=True)

    # --- the thread ---------------------------------------------------------------------------------------

    async def _made(self, make: Callable[[Studio], T], *, told: bool = True) -> T | None:
        """Have the studio make something in the screen's own thread; an error for people becomes a toast."""
        studio = self._studio or self.host_of_models(self.trm.store, self._progress)
        self._studio = studio
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, make, studio)
        except CancelledError:  # the screen is gone
            pass
        except TrmError as error:
            if told:  # what nobody asked for need not be there
                self.trm.say(str(error), "error")
        finally:
            self.progress("")
        return None

    def _progress(self, what: str, done: int, total: int) -> None:
        if self._closed:
            raise CancelledError
        if time.monotonic() - self._told_at >= _PROGRESS_SECONDS:
            self._told_at = time.monotonic()
            self.post_message(self.Progressed(what, done, total))

    @on(Progressed)
    def _progressed(self, event: Progressed) -> None:
        self.progress(f"{event.what}: {event.done:,} of {event.total:,}")

    # --- actions of the key table -------------------------------------------------------------------------

    def played(self) -> None:
        """At the end of a film of live weights, look at the run again."""
        subject = self.shown.subject
        if subject is not None and subject.live:
            self.set_timer(self.again_after_seconds, self._look_again)

    def written(self) -> None:
        """At the end of a text of live weights, look at the run again."""
        self.played()

    def _look_again(self) -> None:
        if self.is_current and self.writes:
            if self.shown.passage is not None and self.shown.passage.done:
                self._look()
        elif self.is_current and self.shown.playback.at_end and not self.shown.playback.playing:
            self._look()

    def action_pick(self) -> None:
        """Pick another model."""
        snapshot = self.trm.workbench.snapshot()
        live = snapshot.title if snapshot.active and snapshot.session else ""

        def picked(session: str | None) -> None:
            if session == LIVE:
                self.action_live()
            elif session is not None:
                self._watch(session, None)

        self.app.push_screen(PickModel(live=live), picked)

    def action_live(self) -> None:
        """Watch the run on screen with the weights it has now."""
        if not self._look():
            self.trm.say("No run has weights to watch. n starts one, p picks a session.", "warning")

    def action_best(self) -> None:
        """Watch the session's best checkpoint."""
        subject = self.shown.subject
        if not self.declines("best") and subject is not None:
            self._watch(subject.session, "best")

    @work(exclusive=True, group="steps")
    async def action_checkpoint_step(self, places: int) -> None:
        """Watch an earlier, or a later, checkpoint of the same session."""
        subject = self.shown.subject
        if self.declines("later") or subject is None:
            return
        try:
            saved = await self.beside(read_checkpoints, self.trm.store, subject.session)
        except TrmError as error:
            self.trm.say(str(error), "error")
            return
        steps = sorted(one.step for one in saved if not one.problem)
        beyond = [s for s in steps if (s < subject.step if places < 0 else s > subject.step)]
        if beyond:
            self._watch(subject.session, str(beyond[-1] if places < 0 else beyond[0]))
        elif places < 0 or subject.live or not self._look():
            self.trm.say(f"there is no {'earlier' if places < 0 else 'later'} checkpoint")

    def action_puzzle(self, places: int) -> None:
        """Show the next held-out puzzle, or the one before; of a text model, another sample."""
        if self.declines("next"):
            return
        if self.writes:
            self.write_another(places)
            return
        start = self.shown.number if self._typed is not None else self.shown.number + places
        self._go(start, 1 if places > 0 else -1)

    def action_only_failures(self) -> None:
        """Show only puzzles that the model gets wrong, or all again."""
        if self.declines("only_failures"):
            return
        wanted = not self.shown.only_failures
        self.change(only_failures=wanted)
        if wanted:
            self._go(self.shown.number, 1)

    @work(exclusive=True, group="watch")
    async def action_views(self) -> None:
        """Look at puzzles once, or again and again until the rules accept; show this one so."""
        if self.declines("views"):
            return
        places = [*_VIEWS, _VIEWS[0]]
        views = places[places.index(self.shown.views) + 1]
        self.change(views=views)
        self.trm.say("one view of each puzzle" if views == 1 else f"up to {views} views of each puzzle")
        if self.shown.film is not None:
            await self._show(self.shown.number, at=0, play=True)

    def action_type(self) -> None:
        """Type or paste a puzzle, or what a text begins with."""
        if self.declines("type"):
            return
        if self.writes:
            self.ask_for_start(self.start_text)
            return
        film: Film | None = self.shown.film
        self._ask_for_puzzle(film.text if film is not None else "")

    def action_back(self) -> None:
        """Hold the film, then leave the typed puzzle or start, then go to the dashboard."""
        if self.writes and self.start_text:
            self.begin_with("")
        elif self.shown.playback.playing:
            self.action_play()
        elif self._typed is not None:
            self._go(self.shown.number, 1)
        else:
            self.trm.action_mode("dashboard")
