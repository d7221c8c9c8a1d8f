"""The session browser: find, inspect, go on with, compare and keep order among all runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, TypeVar

from textual import on, work

from trm_engine.config import Config, loads
from trm_engine.errors import TrmError
from trm_engine.paths import in_home
from trm_tui.tui.common.dialogs import Answer, Ask, Choice
from trm_tui.tui.common.multiline_input import Write
from trm_tui.tui.keys import Key, Where
from trm_tui.tui.sessions.panes import CheckpointList, Pane
from trm_tui.tui.sessions.table import SessionTable
from trm_tui.tui.sessions.view import SessionsView
from trm_tui.workbench.browser import exporting, session_actions
from trm_tui.workbench.browser.session_row import ACTIVE_STATUSES, SessionRow
from trm_tui.workbench.extension import extension, extension_words, steps_problem, suggested_steps
from trm_tui.workbench.possible import Possible
from trm_tui.workbench.snapshot import Snapshot

T = TypeVar("T")

_MOST_OVERLAYS = 5
_IN_TRASH = "In the trash: enter restores it, shift+z shows the other sessions."
_OF_SESSIONS = frozenset(
    (
        *("details", "resume", "fork", "replay", "compare", "overlay", "watch"),
        *("verify", "edit", "rename", "tag", "note", "copy", "export"),
    )
)
"""What can be done to a session that is not in the trash."""
_EXPORTS = {
    "metrics": ("m", "metrics of every step, as CSV", "-metrics", ".csv"),
    "svg": ("s", "curves of loss and accuracy, as SVG", "-curves", ".svg"),
    "png": ("p", "curves of loss and accuracy, as PNG", "-curves", ".png"),
    "archive": ("a", "the whole session, as an archive that ctrl+o reads", "", ".zip"),
}


class SessionsScreen(SessionsView):
    """What can be done to sessions; deeds that touch the disk happen beside the app's own thread."""

    where: ClassVar[Where] = "sessions"

    def __init__(self) -> None:
        super().__init__()
        self._deleted: list[Sequence[str]] = []

    @property
    def _targets(self) -> tuple[SessionRow, ...]:
        """The marked sessions, or else the one under the cursor."""
        rows = self.listing.rows
        marked = tuple(rows[found] for found in self.listing.marked)
        return marked or ((self.row,) if self.row is not None else ())

    def _ids(self) -> list[str]:
        return [row.id for row in self._targets]

    # --- runs ---------------------------------------------------------------------------------------------

    @on(SessionTable.Opened)
    @on(CheckpointList.Chosen)
    def _clicked(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        """Show the session on the dashboard; on a checkpoint, fork or rewind; in the trash, restore."""
        row, focused = self.row, self.focused
        if self.declines("open") or row is None:
            return
        if self.in_trash:
            self._restore([row.id])
        elif isinstance(focused, CheckpointList) and focused.chosen is not None:
            self._go_on_from(row, focused.chosen.step, newest=focused.highlighted == 0)
        else:
            self.trm.view_session(row.id)

    def action_details(self) -> None:
        """Go to the details, and on from one to the next."""
        if isinstance(self.focused, (CheckpointList, Pane)):
            self.focus_next()
        elif not self.declines("details"):
            self.add_class("-opened")
            self.panes.checkpoints.focus()

    def action_fork(self) -> None:
        """Train on as a new session, from the checkpoint under the cursor or the newest."""
        if self.row is not None and not self.declines("fork"):
            focused = self.focused
            chosen = focused.chosen if isinstance(focused, CheckpointList) else None
            self.trm.fork_run(self.row.id, checkpoint=chosen.step if chosen else None)

    def offer(self, key: Key, snapshot: Snapshot) -> Possible:
        """Say what a key does to the session under the cursor, or why it does nothing."""
        if key.where != self.where:
            return super().offer(key, snapshot)
        verb = key.id.partition(".")[2]
        if verb in _OF_SESSIONS and self.in_trash:
            return Possible(key.label, _IN_TRASH)
        if verb in {*_OF_SESSIONS, "open", "delete"} and self.row is None:
            return Possible(key.label, "No session here. n trains a preset.")
        if verb == "open" and self.in_trash:
            return Possible("restore")
        if verb == "delete" and self.in_trash:
            return Possible("delete for good")
        if verb == "resume" and self.row is not None:
            if self.row.status in ACTIVE_STATUSES and not self._held(self.row.id):
                return Possible(key.label, "Another process trains it. enter shows it.")
            return Possible("more steps" if self.row.status == "completed" else key.label)
        return Possible(key.label)

    def _held(self, session: str) -> bool:
        return any(slot.session == session for slot in self.trm.workbench.slots())

    def action_resume(self) -> None:
        """Resume the session from its newest checkpoint."""
        row = self.row
        if self.declines("resume") or row is None:
            return
        if row.status == "completed":
            self._extend(row)
        else:
            self.trm.resume_run(row.id)

    def action_replay(self) -> None:
        """Ask, then train the session again from its start and compare."""
        row = self.row
        if self.declines("replay") or row is None:
            return
        question = Choice(
            f"Replay {row.title}?",
            f"Trains its {row.steps or 0:,.0f} steps again, as a new session, and compares every loss.",
            [Answer("r", "Replay it", True), Answer("k", "Leave it", False)],
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.trm.replay_run(row.id)

        self.app.push_screen(question, answered)

    def _go_on_from(self, row: SessionRow, step: int, *, newest: bool) -> None:
        later = [f"{one:,}" for one in self.panes.checkpoints.steps if one > step]
        lost = (
            f" and deletes checkpoint{'s' if len(later) > 1 else ''} {' and '.join(later)}" if later else ""
        )
        text = "A fork is a new session that trains on from here; this one stays as it is."
        if not newest:
            text += f" A rewind discards the metrics after step {step:,}{lost}."
        rewind = f"Rewind this session to step {step:,}"
        again = Answer("r", "Resume this session" if newest else rewind, "resume")
        question = Choice(
            f"Checkpoint {step:,} of {row.title}",
            text,
            [Answer("f", f"Fork from step {step:,}", "fork"), again],
        )

        def answered(what: str | None) -> None:
            if what == "fork":
                self.trm.fork_run(row.id, checkpoint=step)
            elif what == "resume" and newest:
                self.action_resume()
            elif what == "resume":
                self.trm.resume_run(row.id, checkpoint=step)

        self.app.push_screen(question, answered)

    def _extend(self, row: SessionRow) -> None:
        done = int(row.steps or 0)
        question = Ask(
            "Train more steps",
            f"Finished at step {done:,}. Train how many more steps?",
            value=str(suggested_steps(done)),
            check=steps_problem,
            hint=lambda text: extension_words(text, done, done, completed=True),
        )

        def answered(more: str | None) -> None:
            if more:
                # Its row does not say whether its steps or its target ended it.
                self.trm.resume_run(row.id, overrides=extension(done + int(more), reached_target=True))

        self.app.push_screen(question, answered)

    # --- other screens ------------------------------------------------------------------------------------

    def action_compare(self) -> None:
        """Hold the marked sessions side by side."""
        from trm_tui.tui.sessions.compare import CompareScreen

        if self.declines("compare"):
            return
        ids = self._ids()
        if len(ids) == 1 and self.row is not None and self.row.id not in ids:
            ids.append(self.row.id)  # one marked, another under the cursor: these two are meant
        if ids:
            self.app.push_screen(CompareScreen(ids))

    def action_overlay(self) -> None:
        """Draw the marked sessions' curves on the dashboard."""
        ids = self._ids()
        if ids and not self.declines("overlay"):
            self.trm.overlay(ids[:_MOST_OVERLAYS])
            self.app.switch_mode("dashboard")  # also where no run is open: the curves are what is looked at

    def action_watch(self) -> None:
        """Watch the session's model, or that of the chosen checkpoint."""
        if self.row is not None and not self.declines("watch"):
            focused = self.focused
            chosen = focused.chosen if isinstance(focused, CheckpointList) else None
            self.trm.watch_session(self.row.id, checkpoint=chosen.step if chosen else None)

    def action_edit(self) -> None:
        """Open the session's configuration in the editor."""
        if self.row is not None and not self.declines("edit"):
            row = self.row
            self._do(
                lambda: self._config(row.id), lambda config: self.trm.edit_config(config, origin=row.title)
            )

    def _config(self, session_id: str) -> Config:
        return loads(self.trm.store.config_text(session_id), f"session {session_id}")

    # --- words about a session ----------------------------------------------------------------------------

    def action_rename(self) -> None:
        """Give the session another name."""
        if (row := self.row) is not None and not self.declines("rename"):
            question = Ask(
                "Rename", f"A name for {row.id}", value=row.name, check=session_actions.name_problem
            )

            def rename(name: str) -> str:
                done = session_actions.rename(self.trm.store, row.id, name)
                self.trm.workbench.retitle(row.id, name or row.preset or row.id)
                return done

            self._ask(question, rename)

    def action_tag(self) -> None:
        """Change tags."""
        rows, store = self._targets, self.trm.store
        if self.declines("tag") or not rows:
            return
        if len(rows) == 1:
            row = rows[0]
            text = f"Tags of {row.title}, separated by spaces"
            question = Ask("Tags", text, value=" ".join(row.tags), check=session_actions.tags_problem)
            self._ask(question, lambda words: session_actions.retag(store, row.id, words))
            return
        ids = [row.id for row in rows]
        text = f"Tags to add to {len(rows)} sessions; -tag takes one away"
        question = Ask("Tags", text, check=lambda words: session_actions.tags_problem(words, changing=True))
        self._ask(question, lambda words: session_actions.change_tags(store, ids, words))

    def action_copy(self) -> None:
        """Copy something of the session to the clipboard, through the terminal."""
        if (row := self.row) is None or self.declines("copy"):
            return
        texts = session_actions.copies(self.trm.store, row.id, row.measured)
        answers = [Answer(letter, f"{what}: {text}", text) for letter, what, text in texts]

        def answered(text: str | None) -> None:
            if text:
                self.app.copy_to_clipboard(text)
                self.trm.say(f"copied {text}")

        self.app.push_screen(Choice("Copy", f"What of {row.title}?", answers), answered)

    def action_note(self) -> None:
        """Write a note."""
        if (row := self.row) is not None and not self.declines("note"):
            question = Write("Note", f"A note on {row.title}", value=row.note)
            self._ask(question, lambda text: session_actions.note(self.trm.store, row.id, text.strip()))

    # --- trash --------------------------------------------------------------------------------------------

    def action_delete(self) -> None:
        """Move the marked sessions, or this one, to the trash; there, ask and delete them for good."""
        ids, store = self._ids(), self.trm.store
        if self.declines("delete") or not ids:
            return
        if self.in_trash:
            answers = [Answer("d", "Delete for good", True), Answer("k", "Keep", False)]

            def answered(answer: bool | None) -> None:
                if answer:
                    self._do(lambda: session_actions.purge(store, ids), self._told)

            text = session_actions.purge_question(store, ids)
            self.app.push_screen(Choice("Empty the trash", text, answers), answered)
            return

        def then(outcome: tuple[str, Sequence[str]]) -> None:
            message, done = outcome
            self._deleted.append(done)
            self._told(message)

        self._do(lambda: session_actions.delete(store, ids), then)

    def action_undo(self) -> None:
        """Restore the sessions deleted last."""
        if self.in_trash:
            self._restore(self._ids())
        elif self._deleted:
            self._restore(self._deleted.pop())
        else:
            self.trm.say("nothing was deleted here: shift+z shows the trash")

    def _restore(self, ids: Sequence[str]) -> None:
        if ids:
            self.wanted = ids[0]
            self._do(lambda: session_actions.restore(self.trm.store, ids), self._told)

    # --- files --------------------------------------------------------------------------------------------

    def action_export(self) -> None:
        """Ask what to write into which file."""
        rows = self._targets
        if self.declines("export") or not rows:
            return
        of = rows[0].title if len(rows) == 1 else f"{len(rows)} sessions"
        answers = [
            Answer(letter, f"{words}", kind)
            for kind, (letter, words, _, _) in _EXPORTS.items()
            if kind != "archive" or len(rows) == 1
        ]

        def answered(kind: str | None) -> None:
            if kind:
                self._export(kind, rows)

        self.app.push_screen(Choice("Export", f"What of {of}?", answers), answered)

    def _export(self, kind: str, rows: Sequence[SessionRow]) -> None:
        _, words, what, ending = _EXPORTS[kind]
        store, ids = self.trm.store, [row.id for row in rows]
        name = exporting.suggested(rows[0].title if len(rows) == 1 else "sessions", what, ending)

        def write(text: str) -> str:
            file = in_home(Path(text.strip()))
            if kind == "metrics":
                exporting.export_metrics(store, ids, file)
            elif kind == "archive":
                store.export(ids[0], file)
            else:
                exporting.export_curves(store, ids, file)
            return f"wrote {file}"

        question = Ask(
            "Export",
            f"Write {words}, into",
            value=name,
            check=lambda text: exporting.file_problem(text, endings=[ending]),
            hint=exporting.place_of,
        )
        self._ask(question, write)

    def action_import(self) -> None:
        """Add a session from an archive."""
        question = Ask(
            "Import", "Which archive?", check=lambda text: exporting.file_problem(text, must_exist=True)
        )
        self._ask(
            question,
            lambda text: session_actions.import_archive(self.trm.store, in_home(Path(text.strip()))),
        )

    # --- how deeds are done -------------------------------------------------------------------------------

    def _ask(self, question: Ask | Write, act: Callable[[str], str]) -> None:
        """Ask, then act on the answer and tell what came of it."""

        def answered(text: str | None) -> None:
            if text is not None:
                self._do(lambda: act(text), self._told)

        self.app.push_screen(question, answered)

    @work(group="deeds")
    async def _do(self, act: Callable[[], T], then: Callable[[T], object]) -> None:
        """Act beside the app's own thread; an error for people becomes a toast."""
        try:
            result = await self.beside(act)
        except TrmError as error:
            self.trm.say(str(error), "error")
        else:
            then(result)

    def _told(self, message: str) -> None:
        self.trm.say(message)
        self.read_again()
