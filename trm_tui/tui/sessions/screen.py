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
from trm_tui.tui.keys import Where
from trm_tui.tui.sessions.panes import CheckpointList, Pane
from trm_tui.tui.sessions.table import SessionTable
from trm_tui.tui.sessions.view import SessionsView
from trm_tui.workbench.browser import exporting, session_actions
from trm_tui.workbench.browser.session_row import SessionRow
from trm_tui.workbench.extension import extension, steps_problem, suggested_steps

T = TypeVar("T")

_MOST_OVERLAYS = 5
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
        """Show all of the session; on a checkpoint, resume from it."""
        row, focused = self.row, self.focused
        if row is None:
            return
        if self.in_trash:
            self._restore([row.id])
        elif isinstance(focused, CheckpointList):
            if focused.chosen is not None:
                self._go_on_from(row, focused.chosen.step, newest=focused.highlighted == 0)
        elif isinstance(focused, Pane):
            self.panes.checkpoints.focus()
        else:
            self.add_class("-opened")
            self.panes.checkpoints.focus()

    def action_resume(self) -> None:
        """Go on with the session from its newest checkpoint."""
        row = self.row
        if row is None or self._only_outside_trash():
            return
        if row.status == "completed":
            self._extend(row)
        else:
            self.trm.resume_run(row.id)

    def action_replay(self) -> None:
        """Train the session again from its start, and compare."""
        if self.row is not None and not self._only_outside_trash():
            self.trm.replay_run(self.row.id)

    def _go_on_from(self, row: SessionRow, step: int, *, newest: bool) -> None:
        if newest:
            self.action_resume()
            return
        question = Choice(
            f"Resume from step {step:,}?",
            "The figures recorded after it no longer count, and its later checkpoints give way to new ones.",
            [Answer("y", f"Resume from step {step:,}", True), Answer("k", "Keep everything as it is", False)],
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self.trm.resume_run(row.id, checkpoint=step)

        self.app.push_screen(question, answered)

    def _extend(self, row: SessionRow) -> None:
        done = int(row.steps or 0)
        question = Ask(
            "Extend a completed session",
            f"Finished at step {done:,}. Train how many more steps?",
            value=str(suggested_steps(done)),
            check=steps_problem,
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

        if self._only_outside_trash():
            return
        ids = self._ids()
        if len(ids) == 1 and self.row is not None and self.row.id not in ids:
            ids.append(self.row.id)  # one marked, another under the cursor: these two are meant
        if ids:
            self.app.push_screen(CompareScreen(ids))

    def action_overlay(self) -> None:
        """Draw the marked sessions' curves on the dashboard."""
        ids = self._ids()
        if ids and not self._only_outside_trash():
            self.trm.overlay(ids[:_MOST_OVERLAYS])
            self.trm.action_mode("dashboard")

    def action_watch(self) -> None:
        """Watch the session's model, or that of the chosen checkpoint."""
        if self.row is not None and not self._only_outside_trash():
            focused = self.focused
            chosen = focused.chosen if isinstance(focused, CheckpointList) else None
            self.trm.watch_session(self.row.id, checkpoint=chosen.step if chosen else None)

    def action_edit(self) -> None:
        """Open the session's configuration in the editor."""
        if self.row is not None and not self._only_outside_trash():
            row = self.row
            self._do(
                lambda: self._config(row.id), lambda config: self.trm.edit_config(config, origin=row.title)
            )

    def _config(self, session_id: str) -> Config:
        return loads(self.trm.store.config_text(session_id), f"session {session_id}")

    # --- words about a session ----------------------------------------------------------------------------

    def action_rename(self) -> None:
        """Give the session another name."""
        if (row := self.row) is not None and not self._only_outside_trash():
            question = Ask(
                "Rename", f"A name for {row.id}", value=row.name, check=session_actions.name_problem
            )
            self._ask(question, lambda name: session_actions.rename(self.trm.store, row.id, name))

    def action_tag(self) -> None:
        """Change tags."""
        rows, store = self._targets, self.trm.store
        if not rows or self._only_outside_trash():
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

    def action_note(self) -> None:
        """Write a note."""
        if (row := self.row) is not None and not self._only_outside_trash():
            question = Write("Note", f"A note on {row.title}", value=row.note)
            self._ask(question, lambda text: session_actions.note(self.trm.store, row.id, text.strip()))

    # --- trash --------------------------------------------------------------------------------------------

    def action_delete(self) -> None:
        """Move the marked sessions, or this one, to the trash."""
        ids = self._ids()
        if not ids or self._only_outside_trash():
            return

        def then(outcome: tuple[str, Sequence[str]]) -> None:
            message, done = outcome
            self._deleted.append(done)
            self._told(message)

        self._do(lambda: session_actions.delete(self.trm.store, ids), then)

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
        if not rows or self._only_outside_trash():
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

        self._ask(Ask("Export", f"Write {words}, into", value=name, check=exporting.file_problem), write)

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

    def _only_outside_trash(self) -> bool:
        """Say, in the trash, that sessions there can only be taken back; return whether it is one."""
        if self.in_trash:
            self.trm.say("in the trash: enter restores a session, shift+z shows the others", "warning")
        return self.in_trash
