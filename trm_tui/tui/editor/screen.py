"""The configuration editor: what it opens, compares, saves and runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import work

from trm_engine.config import Config, as_variant
from trm_engine.errors import TrmError
from trm_engine.hardware import Hardware
from trm_engine.paths import presets_folder
from trm_engine.text import safe_text
from trm_tui.tui.common.dialogs import Answer, Ask, Choice
from trm_tui.tui.editor.dialogs import Differences, PickMachine, PickSource
from trm_tui.tui.editor.editing import ConfigEditing
from trm_tui.tui.keys import Where
from trm_tui.workbench.editor.document import Document
from trm_tui.workbench.editor.draft import Draft, Origin
from trm_tui.workbench.editor.machine import this_machine
from trm_tui.workbench.editor.remedies import advise
from trm_tui.workbench.editor.saving import destination, path_of, problem_with, run_words, save, suggestion
from trm_tui.workbench.editor.sources import Source, open_source
from trm_tui.workbench.editor.sweep import run_name, sweep_problem, sweep_suggestion, sweep_words, variants
from trm_tui.workbench.snapshot import Snapshot


class ConfigScreen(ConfigEditing):
    """Edits one configuration at a time. Other modes may be visited meanwhile: it stays as it is."""

    where: ClassVar[Where] = "config"
    CSS_PATH = "editor.tcss"

    _wanted = ""
    """A setting for the cursor to go to."""

    def on_mount(self) -> None:
        """Begin at once, also while the display is frozen."""
        self.show(self.trm.workbench.snapshot())

    def edit(self, config: Config, origin: str) -> None:
        """Edit a configuration that another screen names; asks first where edits would make way for it.

        Where it is being edited already, its edits stay.
        """
        asked = Origin(safe_text(origin), config)
        if self.draft is None or self.draft.origin != asked:
            self._take(asked)

    def go_to_setting(self, key: str) -> None:
        """Put the cursor on a setting, as soon as there is a configuration."""
        self._wanted = key
        self._reveal_wanted()

    def _reveal_wanted(self) -> None:
        if self._wanted and self.draft is not None:
            key, self._wanted = self._wanted, ""
            if key in self.draft.fields:
                self.reveal(key)
            else:
                self.trm.say(f"This configuration has no setting {key}.", "warning")

    def show(self, snapshot: Snapshot) -> None:
        """Begin with the run on screen, or the first preset; then follow the machine."""
        if self.document is None:
            if snapshot.config is not None:
                self._open(Origin(snapshot.title, snapshot.config))
            elif self.trm.presets:
                preset = self.trm.presets[0]
                self._open(Origin(preset.name, preset.config))
            self.call_after_refresh(self._reveal_wanted)
        super().show(snapshot)

    def unsaved(self) -> str:
        """Return what would be lost if the app ended now."""
        if self.document is None or not self.document.unsaved:
            return ""
        return f"edits of {safe_text(self.document.draft.origin.name)}"

    # --- opening ------------------------------------------------------------------------------------------

    def action_open(self) -> None:
        """Edit another preset, session or file."""
        self.app.push_screen(PickSource("Edit"), self._picked)

    def _picked(self, source: Source | None) -> None:
        if source is not None:
            self._read(source)

    @work(exclusive=True, group="read")
    async def _read(self, source: Source) -> None:
        if (origin := await self._origin_of(source)) is not None:
            self._take(origin)

    async def _origin_of(self, source: Source) -> Origin | None:
        try:
            return await self.beside(open_source, source, self.trm.store)
        except TrmError as error:
            self.trm.say(str(error), "error")
            return None

    def _take(self, origin: Origin) -> None:
        if not (lost := self.unsaved()):
            self._open(origin)
            return
        question = Choice(
            "Open another",
            f"The {lost} are not saved.",
            [
                Answer("o", f"Open {origin.name}; u brings the edits back", "open"),
                Answer("s", "Save the edits as a file first", "save"),
                Answer("k", "Keep editing", "keep"),
            ],
        )

        def answered(answer: str | None) -> None:
            if answer == "open":
                self._open(origin)
            elif answer == "save":
                self.action_save()

        self.app.push_screen(question, answered)

    def _open(self, origin: Origin) -> None:
        if self.document is None or not (self.document.can_undo or self.document.can_redo):
            self.edit_document(Document(origin))  # nothing was done that undo should lead back to
        else:
            self.cancel()
            self.document.load(origin)
            self.refresh_all()

    # --- comparing ----------------------------------------------------------------------------------------

    def action_compare(self) -> None:
        """Show where the draft differs from what it came from, or from any preset, session or file."""
        if self.draft is None:
            return
        origin = self.draft.origin
        first = Source("preset", "", origin.name, "what this began as")

        def picked(source: Source | None) -> None:
            if source is first:
                self._show_differences(origin)
            elif source is not None:
                self._compare(source)

        self.app.push_screen(PickSource("Compare with", [first]), picked)

    @work(exclusive=True, group="read")
    async def _compare(self, source: Source) -> None:
        if (origin := await self._origin_of(source)) is not None:
            self._show_differences(origin)

    def _show_differences(self, other: Origin) -> None:
        if self.draft is not None:
            changes = self.draft.compare(other.config)
            self.app.push_screen(Differences(other.name, changes), self._difference_picked)

    def _difference_picked(self, key: str | None) -> None:
        if key is not None:
            self.reveal(key)

    # --- the machine --------------------------------------------------------------------------------------

    def action_machine(self) -> None:
        """Plan for this machine, or for one known by a profile."""
        self.app.push_screen(PickMachine(), self._machine_picked)

    def _machine_picked(self, picked: tuple[Hardware | None] | None) -> None:
        if picked is not None:
            self.plan_for(picked[0])

    # --- saving -------------------------------------------------------------------------------------------

    def action_save(self) -> None:
        """Save the configuration as a preset of one's own, or as a file."""
        if self._sound() is None or self.draft is None:
            return
        name = suggestion(self.draft.origin.name, presets_folder())
        text = "A name makes it a preset of yours, which n offers. A path, as ./mine.toml, makes a file."
        question = Ask("Save", text, value=name, check=problem_with, hint=destination)
        self.app.push_screen(question, self._named)

    def _named(self, name: str | None) -> None:
        if name is None:
            return
        path = path_of(name)
        if not path.exists():
            self._save(name, replace=False)
            return
        answers = [Answer("o", "Choose another name", "other"), Answer("r", "Replace it", "replace")]

        def answered(answer: str | None) -> None:
            if answer == "replace":
                self._save(name, replace=True)
            elif answer == "other":
                self.action_save()

        self.app.push_screen(Choice("Save", f"{path} exists already.", answers), answered)

    @work
    async def _save(self, name: str, *, replace: bool) -> None:
        path, config = path_of(name), self._sound()
        if self.draft is None or config is None or self.document is None:
            return
        saved = as_variant(config, self.draft.origin.config)
        if saved != config:  # the form shows what the file says
            self.document.change_values({"title": saved.title, "expect": saved.expect})
        draft = self.draft
        try:
            await self.beside(save, saved, path, replace=replace)
        except TrmError as error:
            self.trm.say(str(error), "error")
            return
        if self.draft is draft:
            self.document.saved_as(Origin(path.stem, saved))
            self.refresh_all()
        self.trm.read_presets()
        offered = " as a preset that n offers" if path.parent == presets_folder() else ""
        self.trm.say(f"saved{offered}: {run_words(name)}")

    # --- running ------------------------------------------------------------------------------------------

    @work(exclusive=True, group="run")
    async def action_run(self) -> None:
        """Train the configuration in a new slot, where it fits this machine."""
        draft, config = self.draft, self._sound()
        if draft is None or config is None or self.document is None:
            return
        here = this_machine(Hardware(), self.trm.workbench.machine(), None)  # whatever is planned for
        fit = (await self.beside(advise, draft, here)).fit
        if fit is not None and not fit.fits:
            self.plan_for(None)
            self.trm.say(f"{fit.problems[0]}. The panel names what would fit.", "error")
            return
        variant = as_variant(config, draft.origin.config)
        self.trm.with_data(config, lambda: self._start(draft, variant))

    def _start(self, draft: Draft, config: Config) -> None:
        start = self.trm.workbench.start
        if self.trm.guard(start, config, preset=draft.origin.name, name=run_name(draft)):
            if self.document is not None:
                self.document.keep()
            self.refresh_all()
            self.app.switch_mode("dashboard")

    # --- queueing -----------------------------------------------------------------------------------------

    def action_queue_this(self) -> None:
        """Run the configuration after what is queued already."""
        draft, config = self.draft, self._sound()
        if draft is not None and config is not None:
            run = as_variant(config, draft.origin.config), draft.origin.name, run_name(draft)
            self.trm.with_data(config, lambda: self._enqueue([run]))

    def action_sweep(self) -> None:
        """Queue a run for each of several values of the field under the cursor."""
        draft, key = self.draft, self.form.key
        if draft is None or self._sound() is None or not key:
            return
        question = Ask(
            f"Sweep {key}",
            "Values, separated by spaces; each becomes a run in the queue.",
            value=sweep_suggestion(draft, key),
            check=lambda text: sweep_problem(draft, key, text),
            hint=lambda text: sweep_words(draft, key, text),
        )

        def answered(text: str | None) -> None:
            if text is not None:
                runs = [(v.config, draft.origin.name, v.name) for v in variants(draft, key, text)]
                self.trm.with_data(runs[0][0], lambda: self._enqueue(runs))

        self.app.push_screen(question, answered)

    def _enqueue(self, runs: Sequence[tuple[Config, str, str]]) -> None:
        self.trm.enqueue(runs)
        if self.document is not None:
            self.document.keep()
            self.refresh_all()

    def _sound(self) -> Config | None:
        """Return the configuration; where it has problems, say so and go to the first."""
        self._finish_typing()
        if self.draft is None:
            return None
        checked = self.draft.checked
        if checked.config is None:
            self.trm.say(f"Fix first: {checked.messages[0]}", "error")
            if checked.problems:
                self.reveal(next(iter(checked.problems)))
        return checked.config

    # --- leaving ------------------------------------------------------------------------------------------

    def action_back(self) -> None:
        """Close the open field or the search; else leave, after a question where edits are unsaved."""
        if self.cancel():
            return
        if not (lost := self.unsaved()):
            self.trm.action_mode("dashboard")
            return
        answers = [
            Answer("l", "Leave; the edits wait here until the app is closed", "leave"),
            Answer("s", "Save them as a file", "save"),
            Answer("d", "Discard them; u brings them back", "discard"),
            Answer("k", "Keep editing", "keep"),
        ]
        self.app.push_screen(Choice("Leave", f"The {lost} are not saved.", answers), self._leave)

    def _leave(self, answer: str | None) -> None:
        if answer == "save":
            self.action_save()
        elif answer in ("leave", "discard"):
            if answer == "discard":
                self.action_reset_all()
            self.trm.action_mode("dashboard")
