"""The configuration editor as it is seen: the draft in its form, and the fit beside it."""

from __future__ import annotations

import asyncio

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from trm_engine.hardware import Hardware
from trm_tui.tui.bindings import first_sign
from trm_tui.tui.common.screen import ModeScreen
from trm_tui.tui.editor.fit_panel import FitLine, FitPanel
from trm_tui.tui.editor.form import ConfigForm
from trm_tui.tui.editor.panels import EditorTitle, FieldHelp, SectionList
from trm_tui.tui.keys import keys_of
from trm_tui.workbench.editor.document import Document
from trm_tui.workbench.editor.draft import Draft
from trm_tui.workbench.editor.machine import (
    Machine,
    Observed,
    profile_machine,
    rate_of_sessions,
    this_machine,
)
from trm_tui.workbench.editor.remedies import Advice, advise
from trm_tui.workbench.snapshot import Snapshot

_DEBOUNCE_SECONDS = 0.1
_NOTICEABLE = 0.02
_UNKNOWN = Hardware()


class ConfigView(ModeScreen):
    """Shows a `Document` and works out its fit. What keys do is in the subclasses."""

    AUTO_FOCUS = ""  # nothing has the focus but a field that is open: keys come to the screen itself
    document: Document | None = None
    """What is edited; None until there is something."""
    _profile: Hardware | None = None
    _advice: Advice | None = None

    def __init__(self) -> None:
        super().__init__()
        self._observed = Observed()

    def body(self) -> ComposeResult:
        """Yield title, search, sections, form, help and fit."""
        yield EditorTitle(id="title")
        with Horizontal(id="search-line"):
            yield Static("/")
            yield Input(id="search", compact=True, placeholder="words in a field's name or help")
        with Horizontal(id="main"):
            yield SectionList(id="sections")
            with Vertical(id="left"):
                yield ConfigForm()
                yield FieldHelp(id="help")
            yield FitPanel(id="fit")
        yield FitLine(id="fit-line")

    def on_mount(self) -> None:
        """Find out how fast this machine was in earlier sessions."""
        self.form.border_title = "Settings"
        machine = next(key for key in keys_of("config") if key.id == "config.machine")
        hint = f"{first_sign(self.trm.keymap.shown(machine))} {machine.label}"
        self.query_one(FitPanel).border_subtitle = Content(hint)
        self._recall_speed()

    def on_screen_resume(self) -> None:
        """Learn what runs have told since the screen was last seen."""
        if self.is_mounted:
            self._recall_speed()

    @property
    def form(self) -> ConfigForm:
        """The form."""
        return self.query_one(ConfigForm)

    @property
    def draft(self) -> Draft | None:
        """The draft as it is now."""
        return self.document.draft if self.document else None

    # --- showing ------------------------------------------------------------------------------------------

    def edit_document(self, document: Document) -> None:
        """Show another document."""
        self.document = document
        self._advice = None
        self.refresh_all()

    def refresh_all(self) -> None:
        """Show the draft as it is now, everywhere, and work out its fit."""
        if self.document is None or not self.query(ConfigForm):
            return
        draft = self.document.draft
        with self.app.batch_update():
            self.form.show(draft)
            title = self.query_one(EditorTitle)
            title.draft, title.unsaved, title.machine = draft, self.document.unsaved, self.machine().name
            self.query_one(SectionList).draft = draft
            self.query_one(FieldHelp).draft = draft
        self._work_out()

    def show(self, snapshot: Snapshot) -> None:
        """Follow the machine: its memory and speed are part of the fit."""
        faster = self._observed.see(snapshot)
        if self.document is not None and (faster or self._memory_has_changed()):
            self.refresh_all()

    def machine(self) -> Machine:
        """Return the machine that is planned for, as it is now."""
        if self._profile is not None:
            return profile_machine(self._profile)
        workbench = self.trm.workbench
        return this_machine(workbench.hardware() or _UNKNOWN, workbench.machine(), self._observed.rate)

    def plan_for(self, profile: Hardware | None) -> None:
        """Plan for a machine known by a profile, or for this one."""
        self._profile = profile
        self.refresh_all()

    @work(exclusive=True, group="fit")
    async def _work_out(self) -> None:
        await asyncio.sleep(_DEBOUNCE_SECONDS)
        await self.advice()

    async def advice(self) -> Advice | None:
        """Return what is known of the draft as it is now, worked out beside the app's own thread."""
        if self.draft is None:
            return None
        known, machine = self._advice, self.machine()
        if known is not None and known.draft == self.draft and known.machine == machine:
            return known
        advice = await self.beside(advise, self.draft, machine)
        if advice.draft is self.draft:
            self._show_advice(advice)
        return advice

    def _show_advice(self, advice: Advice) -> None:
        self._advice = advice
        keymap = self.trm.keymap
        keys = tuple(first_sign(keymap.shown(k)) for k in keys_of("config") if k.action.startswith("apply("))
        for panel in (*self.query(FitPanel), *self.query(FitLine)):  # gone where the app has just been left
            panel.apply_keys, panel.advice = keys, advice

    def _memory_has_changed(self) -> bool:
        fit = self._advice.fit if self._advice else None
        if fit is None:
            return False
        now = self.machine().hardware.memory.effective_available_bytes
        known = self._advice.machine.hardware.memory.effective_available_bytes if self._advice else None
        return now != known and (not now or not known or abs(now / known - 1) > _NOTICEABLE)

    @work(exit_on_error=False)
    async def _recall_speed(self) -> None:
        workbench = self.trm.workbench
        self._observed.remember(await self.beside(rate_of_sessions, workbench.store, workbench.hardware()))
        self.refresh_all()
