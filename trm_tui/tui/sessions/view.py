"""The session browser as it reads and shows: table, filter, details. It changes nothing."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from textual import on, work
from textual.app import ComposeResult

from trm_engine.errors import TrmError, UsageError
from trm_engine.sessions.layout import TRASH
from trm_tui.tui.common.dialogs import Ask, Reading
from trm_tui.tui.common.screen import ModeScreen
from trm_tui.tui.sessions.filter_bar import FilterBar, filter_help_content
from trm_tui.tui.sessions.panes import CheckpointList, DetailsPanes, Pane
from trm_tui.tui.sessions.table import SessionTable
from trm_tui.workbench.browser.catalogue import Catalogue, Rows
from trm_tui.workbench.browser.columns import COLUMNS, chosen_columns, columns_problem
from trm_tui.workbench.browser.details import read_checkpoints, read_details, verification
from trm_tui.workbench.browser.listing import Listing
from trm_tui.workbench.browser.session_row import SessionRow

_REFRESH_SECONDS = 2.0
_REST_SECONDS = 0.15
"""The cursor rests so long on a session before its details are read."""


class SessionsView(ModeScreen):
    """The table, its filter and the details of the session under the cursor."""

    CSS_PATH = "sessions.tcss"
    AUTO_FOCUS = "SessionTable"

    def __init__(self) -> None:
        super().__init__()
        self.listing = Listing()
        self.in_trash = False
        self._catalogues: dict[bool, Catalogue] = {}
        self._reading: Catalogue | None = None
        self._detailed: SessionRow | None = None
        self.wanted: str | None = None
        """A session for the cursor to go to as soon as it is listed."""

    def body(self) -> ComposeResult:
        """Yield filter, table and details."""
        yield FilterBar()
        yield SessionTable(self.listing)
        yield DetailsPanes()

    def on_mount(self) -> None:
        """Read the sessions, and again while the screen is seen."""
        with suppress(UsageError):  # a setting of another version's configuration
            self.listing.columns = chosen_columns(self.trm.settings.columns)
        self.table.empty = "reading the sessions…"
        self.set_interval(_REFRESH_SECONDS, self.read_again)
        self.read_again()

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another screen was seen."""
        if self.is_mounted:
            self.read_again()

    @property
    def table(self) -> SessionTable:
        """The table."""
        return self.query_one(SessionTable)

    @property
    def has_widgets(self) -> bool:
        """Whether its widgets are there: at the very end the panes may go before the rest."""
        return super().has_widgets and bool(self.query(DetailsPanes))

    @property
    def panes(self) -> DetailsPanes:
        """Facts, checkpoints and history."""
        return self.query_one(DetailsPanes)

    @property
    def row(self) -> SessionRow | None:
        """The session under the cursor."""
        return self.table.row

    def search(self) -> None:
        """Put the cursor into the filter."""
        self.remove_class("-opened")
        self.query_one(FilterBar).field.focus()

    def action_filter_help(self) -> None:
        """Explain the filter language."""
        self.app.push_screen(Reading("Filter", filter_help_content()))

    # --- reading ------------------------------------------------------------------------------------------

    def read_again(self) -> None:
        """Read what has changed, unless that is under way already or nobody looks."""
        catalogue = self._catalogue()
        catalogue.with_settings |= self.listing.needs_settings
        catalogue.with_curves |= self.listing.needs_curves
        if self._reading is None and self.is_current:
            self._reading = self._catalogue()
            self._read(self._reading)

    @work(group="catalogue")
    async def _read(self, catalogue: Catalogue) -> None:
        changes = catalogue.refresh(stopping=lambda: self._reading is not catalogue)
        try:
            while (rows := await self.beside(next, changes, None)) is not None:
                if self._reading is catalogue:
                    self._take_rows(rows)
        except OSError as error:
            self.table.empty = f"cannot read {catalogue.root}: {error.strerror or error}"
            self.table.refresh()
        finally:
            if self._reading is catalogue:
                self._reading = None

    def _read_settings_if_needed(self) -> None:
        """Have the sessions read with their settings and curves once something is asked of them."""
        catalogue = self._catalogue()
        if (self.listing.needs_settings and not catalogue.with_settings) or (
            self.listing.needs_curves and not catalogue.with_curves
        ):
            self._reading = None
            self.read_again()

    def _take_rows(self, rows: Rows) -> None:
        keep = self.wanted or (self.row.id if self.row else None)
        if self.wanted in rows:
            self.wanted = None
        self.listing.replace(rows)
        self.renew(keep)

    def renew(self, keep: str | None = None) -> None:
        """Show the listing as it is now, with the cursor on the session `keep`."""
        self.table.empty = self._empty()
        self.table.renew(keep)
        shown, total, marks = len(self.listing.shown), len(self.listing.rows), len(self.listing.marked)
        parts = [f"{total:,}" if shown == total else f"{shown:,} of {total:,}"]
        parts += [f"{marks:,} marked"] if marks else []
        parts += ["trash"] if self.in_trash else []
        self.query_one(FilterBar).show_count(" · ".join(parts))

    def _empty(self) -> str:
        if self.listing.filter.needs_settings and any(r.settings is None for r in self.listing.rows.values()):
            return "reading the settings of the sessions…"
        if self.listing.rows:
            return "no session fits the filter: esc clears it"
        return "the trash is empty" if self.in_trash else "no sessions yet: n trains a preset"

    def _catalogue(self) -> Catalogue:
        root = self.trm.store.root
        folder = root / TRASH if self.in_trash else root
        return self._catalogues.setdefault(self.in_trash, Catalogue(folder))

    # --- details ------------------------------------------------------------------------------------------

    @on(SessionTable.Moved)
    def _moved(self, event: SessionTable.Moved) -> None:
        before, self._detailed = self._detailed, event.row
        if event.row is None or before is None or event.row.id != before.id:
            self.panes.clear()
        if event.row is not None:
            self._read_details(event.row.id)

    @work(exclusive=True, group="details")
    async def _read_details(self, session_id: str) -> None:
        await asyncio.sleep(_REST_SECONDS)
        if self.in_trash:
            return
        store = self.trm.store
        try:
            details = await self.beside(read_details, store, session_id)
            self.panes.show(details)  # only now: the panes may have gone while that was read
            saved = await self.beside(read_checkpoints, store, session_id)
        except TrmError as error:
            self.panes.checkpoints.show((), empty=str(error))
        else:
            self.panes.checkpoints.show(saved, empty="no checkpoint yet")

    @work(exclusive=True, group="verify")
    async def action_verify(self) -> None:
        """Compare every byte of the session's checkpoints with its checksum."""
        row, store = self.row, self.trm.store
        if self.declines("verify") or row is None:
            return
        self.panes.checkpoints.border_subtitle = "verifying…"
        try:
            saved = await self.beside(read_checkpoints, store, row.id, verify=True)
        except TrmError as error:
            self.trm.say(str(error), "error")
        else:
            if self.row is not None and self.row.id == row.id:
                self.panes.checkpoints.show(saved, empty="no checkpoint yet")
            self.trm.say(verification(saved), "error" if any(one.problem for one in saved) else "information")
        finally:
            for panes in self.query(DetailsPanes):  # none where the app has ended meanwhile
                panes.checkpoints.border_subtitle = ""

    # --- moving, sorting, filtering -----------------------------------------------------------------------

    @on(FilterBar.Changed)
    def _filtered(self, event: FilterBar.Changed) -> None:
        keep = self.row.id if self.row else None
        self.listing.narrow(event.wanted)
        self._read_settings_if_needed()
        self.renew(keep)

    @on(FilterBar.Left)
    def _to_table(self) -> None:
        self.table.focus()

    @on(SessionTable.SortedBy)
    def _sorted_by(self, event: SessionTable.SortedBy) -> None:
        keep = self.row.id if self.row else None
        self.listing.sort(self.listing.order.by(event.key))
        self.renew(keep)

    def action_sort(self, places: int) -> None:
        """Sort by another column."""
        keep = self.row.id if self.row else None
        self.listing.sort(self.listing.order.moved(places, self.listing.columns))
        self.renew(keep)

    def action_columns(self) -> None:
        """Choose the columns of the table."""
        usual = " ".join(column.key for column in COLUMNS)
        question = Ask(
            "Columns",
            f"Which, in which order? {usual} curve; settings by their dotted names, such as train.lr. "
            "Without any, the usual ones.",
            value=self.trm.settings.columns or usual,
            check=columns_problem,
        )

        def answered(words: str | None) -> None:
            if words is not None:
                self.trm.remember(columns="" if words.split() == usual.split() else words.strip())
                self.listing.columns = chosen_columns(words)
                self._read_settings_if_needed()
                self.table.renew()

        self.app.push_screen(question, answered)

    def action_reverse(self) -> None:
        """Reverse the sort order."""
        keep = self.row.id if self.row else None
        self.listing.sort(self.listing.order.turned())
        self.renew(keep)

    def action_move(self, lines: int) -> None:
        """Move in what has the focus: the table, the checkpoints, or a text."""
        focused = self.focused
        if isinstance(focused, (CheckpointList, Pane)):
            focused.move(lines)
        else:
            self.table.move(lines)

    def action_page(self, pages: int) -> None:
        """Move by what is visible."""
        focused = self.focused
        if isinstance(focused, (CheckpointList, Pane)):
            focused.move(pages * max(focused.size.height - 1, 1))
        else:
            self.table.move(pages * self.table.page)

    def action_end(self, which: int) -> None:
        """Move to the first line, or the last."""
        self.action_move(which * 1_000_000)

    def action_mark(self) -> None:
        """Mark the session, or take its mark away, and go on to the next."""
        if self.row is not None:
            self.listing.toggle_mark(self.row.id)
            self.table.move(1)
            self.renew()

    def action_mark_all(self) -> None:
        """Mark all that is shown, or nothing."""
        self.listing.mark_shown()
        self.renew()

    def action_trash(self) -> None:
        """Show the trash, or the sessions again."""
        self.in_trash = not self.in_trash
        self._catalogues.pop(self.in_trash, None)
        self.listing.clear_marks()
        self.listing.replace({})
        self.table.empty = "reading…"
        self.table.renew()
        self.panes.clear()
        self._reading = None
        self.read_again()

    def action_back(self) -> None:
        """Leave the details, then the filter, the marks, the trash."""
        bar = self.query_one(FilterBar)
        if self.has_class("-opened") or isinstance(self.focused, (CheckpointList, Pane)):
            self.remove_class("-opened")
            self.table.focus()
        elif bar.field.value:
            bar.field.value = ""
            self.table.focus()
        elif bar.field.has_focus:
            self.table.focus()
        elif self.listing.marked:
            self.listing.clear_marks()
            self.renew()
        elif self.in_trash:
            self.action_trash()
        else:
            self.trm.action_mode("dashboard")
