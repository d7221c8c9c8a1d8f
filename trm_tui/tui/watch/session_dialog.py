"""A dialog to pick the model that is watched: the live run, or any session."""

from __future__ import annotations

import asyncio
from datetime import datetime

from textual import events, on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from trm_tui.tui.common.dialogs import Dialog, boxed
from trm_tui.tui.host import host_of
from trm_tui.tui.sessions.signs import STATUS_SIGNS, fitted
from trm_tui.workbench.browser import clock
from trm_tui.workbench.browser.catalogue import Catalogue
from trm_tui.workbench.browser.columns import measured, when
from trm_tui.workbench.browser.filter import FilterError, parse_filter
from trm_tui.workbench.browser.listing import Order, in_order
from trm_tui.workbench.browser.session_row import SessionRow

LIVE = ""
"""The answer that means the run in the active slot."""
_MOST_LISTED = 200


class PickModel(Dialog[str]):
    """Answers with a session's id, or `LIVE`."""

    DEFAULT_CSS = """
    PickModel > .box { width: 90; }
    PickModel OptionList { height: 14; }
    """

    def __init__(self, *, live: str) -> None:
        """`live` names the run whose weights can be watched; empty where none trains."""
        super().__init__()
        self._live = live
        self._rows: list[SessionRow] = []

    def compose(self) -> ComposeResult:
        """Show filter and models."""
        with boxed("Watch which model?", "type to filter · ↑ ↓ choose · enter watch · esc back"):
            yield Input(placeholder="filter: task:sudoku exact>0.9 …")
            listed = OptionList()
            listed.can_focus = False
            yield listed

    async def on_mount(self) -> None:
        """Read the sessions, beside the app's own thread."""
        self._fill("")
        app = host_of(self.app)
        changes = Catalogue(app.store.root).refresh()
        while (rows := await asyncio.to_thread(next, changes, None)) is not None:
            self._rows = in_order(rows.values(), Order())
            self._fill(self.query_one(Input).value)

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        self._fill(event.value)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        listed = self.query_one(OptionList)
        if listed.highlighted is not None:
            self._answer(listed.get_option_at_index(listed.highlighted))

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._answer(event.option)

    def on_key(self, event: events.Key) -> None:
        """Move in the list while the field keeps the focus."""
        listed = self.query_one(OptionList)
        places = {"down": 1, "up": -1, "pagedown": 10, "pageup": -10}.get(event.key)
        if places is not None and listed.option_count:
            event.stop()
            listed.highlighted = min(max((listed.highlighted or 0) + places, 0), listed.option_count - 1)

    def _answer(self, option: Option) -> None:
        if option.id is not None:
            self.dismiss(option.id.removeprefix("session-"))

    def _fill(self, words: str) -> None:
        listed = self.query_one(OptionList)
        listed.clear_options()
        if self._live and not words:
            label = Content.assemble(
                ("● ", "$text-success"), (self._live, "bold"), "  the run's weights as they are now"
            )
            listed.add_option(Option(label, "session-"))
        now = clock.local_now()
        try:
            wanted = parse_filter(words, now)
        except FilterError as error:
            wanted = error.rest
        found = [row for row in wanted.of(self._rows) if row.status != "damaged"]
        listed.add_options(Option(_label(row, now), f"session-{row.id}") for row in found[:_MOST_LISTED])
        if listed.option_count:
            listed.highlighted = 0


def _label(row: SessionRow, now: datetime) -> Content:
    reached = measured(row)
    return Content.assemble(
        (f"{STATUS_SIGNS[row.status][0]} ", "$text-muted"),
        (fitted(row.title, 30), "bold" if row.name else ""),
        (f" {reached:>6}  {when(row.created, now):<10}  {' '.join(row.tags)}", "$text-muted"),
    )
