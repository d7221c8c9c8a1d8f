"""The configuration editor as it is worked with: moving, typing, undoing, ways out, searching."""

from __future__ import annotations

from textual import on
from textual.content import Content
from textual.widgets import Input

from trm_tui.tui.editor.form import ConfigForm
from trm_tui.tui.editor.panels import FieldHelp, SectionList
from trm_tui.tui.editor.row import FieldRow
from trm_tui.tui.editor.view import ConfigView
from trm_tui.workbench.editor.values import show, stepped


class ConfigEditing(ConfigView):
    """What the keys do within the form."""

    _only_noted = False

    # --- the cursor ---------------------------------------------------------------------------------------

    @on(ConfigForm.Moved)
    def _moved(self, event: ConfigForm.Moved) -> None:
        self.query_one(FieldHelp).key = event.key
        self.query_one(SectionList).current = self.form.section

    def action_move(self, lines: int) -> None:
        """Go to the next or previous field."""
        self._finish_typing()
        self.form.move(lines)

    def action_page(self, pages: int) -> None:
        """Go up or down by what is visible."""
        self._finish_typing()
        self.form.move_page(pages)

    def action_section(self, step: int) -> None:
        """Go to the next or previous section."""
        self._finish_typing()
        self.form.move_section(step)

    def action_go_section(self, section: str) -> None:
        """Go to a section by name: a click."""
        self._finish_typing()
        self.form.go_to_section(section)

    def action_problem(self) -> None:
        """Go to the next field with a problem."""
        if self.draft is None:
            return
        wrong = list(self.draft.checked.problems)
        if not wrong:
            self.trm.say("no problems")
            return
        keys = list(self.draft.fields)
        here = keys.index(self.form.key) if self.form.key in keys else -1
        self._finish_typing()
        self.reveal(next((key for key in wrong if keys.index(key) > here), wrong[0]))

    def reveal(self, key: str) -> None:
        """Put the cursor on a field, whatever the search has hidden."""
        self._clear_search()
        self.form.go_to(key)

    # --- editing ------------------------------------------------------------------------------------------

    def action_edit(self) -> None:
        """Switch a switch, or open the field."""
        row = self.form.row
        if row is None:
            return
        if row.info.type_name == "bool" and row.shown.text in ("true", "false"):
            self.action_step(1)
        else:
            self.form.begin_edit()

    def action_step(self, direction: int) -> None:
        """Go to the next or previous value of the field."""
        row = self.form.row
        if row is None or self.document is None or row.editing:
            return
        value = self.document.draft.values[row.key]
        if row.info.type_name != "bool" and isinstance(value, str) and not row.info.choices:
            return
        self.document.type(row.key, show(stepped(row.info, value, up=direction > 0)))
        self.refresh_all()

    @on(FieldRow.Typed)
    def _typed(self, event: FieldRow.Typed) -> None:
        if self.document is not None:
            self.document.type(event.key, event.text)
            self.refresh_all()

    @on(FieldRow.Done)
    def _done(self, event: FieldRow.Done) -> None:
        if event.editor is event.row.editor is not None:
            self._finish_typing()

    @on(FieldRow.Clicked)
    def _clicked(self, event: FieldRow.Clicked) -> None:
        if event.on_value:
            self.action_edit()

    def _finish_typing(self) -> None:
        if self.document is not None:
            self.document.seal()
        self.form.end_edit()

    def action_undo(self) -> None:
        """Undo the last change."""
        self._finish_typing()
        if self.document is not None and not self.document.undo():
            self.trm.say("nothing to undo")
        self.refresh_all()

    def action_redo(self) -> None:
        """Redo the change that was undone."""
        self._finish_typing()
        if self.document is not None and not self.document.redo():
            self.trm.say("nothing to redo")
        self.refresh_all()

    def action_reset(self) -> None:
        """Reset the field."""
        self._finish_typing()
        if self.document is not None and self.form.key:
            self.document.reset(self.form.key)
            self.refresh_all()

    def action_default(self) -> None:
        """Give the field its default."""
        self._finish_typing()
        if self.document is not None and self.form.key:
            self.document.default(self.form.key)
            self.refresh_all()

    def action_reset_all(self) -> None:
        """Reset every field."""
        self._finish_typing()
        if self.document is not None:
            self.document.reset_all()
            self.refresh_all()

    async def action_apply(self, number: int) -> None:
        """Make the change that a way out names."""
        advice = await self.advice()
        if advice is None or self.document is None:
            return
        if number >= len(advice.remedies):
            self.trm.say("no such suggestion" if advice.remedies else "no problems")
            return
        self._finish_typing()
        texts = advice.remedies[number].texts
        self.document.change(texts)
        self.refresh_all()
        self.reveal(next(iter(texts)))

    # --- search -------------------------------------------------------------------------------------------

    def search(self) -> None:
        """Put the cursor into the search field."""
        self._finish_typing()
        self.add_class("-searching")
        self.query_one("#search", Input).focus()

    def action_search(self) -> None:
        """Search, by the key table."""
        self.search()

    def action_only_noted(self) -> None:
        """List only what has changed or is wrong, or everything again."""
        self._only_noted = not self._only_noted
        self._filter()

    @on(Input.Changed, "#search")
    def _filter(self) -> None:
        listed = self.form.filter(self.query_one("#search", Input).value, only_noted=self._only_noted)
        filtered = self._only_noted or bool(self.query_one("#search", Input).value)
        what = "changed or wrong" if self._only_noted else "found"
        self.form.border_subtitle = Content(f"{listed} {what} · esc shows all" if filtered else "")

    @on(Input.Submitted, "#search")
    def _searched(self) -> None:
        self.set_focus(None)

    def _clear_search(self) -> bool:
        """Show every field again; return whether some were hidden."""
        search: Input = self.query_one("#search", Input)
        had = self._only_noted or self.has_class("-searching")
        self._only_noted = False
        self.remove_class("-searching")
        search.value = ""
        self._filter()
        if had:
            self.set_focus(None)
        return had

    def cancel(self) -> bool:
        """Close the open field without its change, else end the search; return whether there was either."""
        if self.form.editing and self.document is not None:
            self.document.cancel()
            self.form.end_edit()
            self.refresh_all()
            return True
        return self._clear_search()
