"""The studies screen: suites and their studies, the matrix of trials as they come, and what the tests say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.coordinate import Coordinate
from textual.widgets import DataTable, OptionList, Static
from textual.widgets.option_list import Option

from trm_engine.errors import TrmError
from trm_engine.paths import in_home
from trm_engine.text import safe_text
from trm_tui.tui.common.dialogs import Ask
from trm_tui.tui.common.screen import ModeScreen
from trm_tui.tui.keys import Where
from trm_tui.tui.studies.words import cell_words, found_words, state_words
from trm_tui.workbench.processes.study_desk import Cell, StudyDesk, StudyRow, StudyView

_SECONDS_BETWEEN_LOOKS = 2.0
_CELL = 10
"""Columns of a trial."""


class StudiesScreen(ModeScreen):
    """Studies at the left; of the chosen one its matrix, state and findings at the right."""

    where: ClassVar[Where] = "studies"
    CSS_PATH = "studies.tcss"
    AUTO_FOCUS = "#studies"

    def __init__(self) -> None:
        super().__init__()
        self._desk: StudyDesk | None = None
        self._view: StudyView | None = None
        self._shown: tuple[object, ...] = ()

    def body(self) -> ComposeResult:
        """Yield the list, and what belongs to the chosen study."""
        with Horizontal(id="columns"):
            studies = OptionList(id="studies", markup=False)
            studies.border_title = "Studies"
            yield studies
            with Vertical(id="study"):
                yield Static(id="about", markup=False)
                matrix: DataTable[Content] = DataTable(id="matrix", cursor_type="cell")
                matrix.border_title = "Trials"
                yield matrix
                with VerticalScroll(id="findings") as findings:
                    findings.border_title = "What the tests say"
                    yield Static(id="found", markup=False)

    def on_mount(self) -> None:
        """List the studies, then look again and again while this screen is seen."""
        self._desk = StudyDesk(self.trm.store)
        self._list()
        self.set_interval(_SECONDS_BETWEEN_LOOKS, self._look_again)

    @property
    def desk(self) -> StudyDesk:
        """What reads and runs studies."""
        assert self._desk is not None
        return self._desk

    @property
    def chosen(self) -> str:
        """The study under the cursor; empty before they are listed."""
        studies = self.query_one("#studies", OptionList)
        if studies.highlighted is None:
            return ""
        return studies.get_option_at_index(studies.highlighted).id or ""

    @property
    def cell(self) -> Cell | None:
        """The trial under the cursor of the matrix."""
        if self._view is None:
            return None
        row, column = self.query_one("#matrix", DataTable).cursor_coordinate
        if not 0 <= row < len(self._view.rows) or column < 1:
            return None
        cells = self._view.rows[row][2]
        return cells[column - 1] if column - 1 < len(cells) else None

    # --- reading ------------------------------------------------------------------------------------------

    @work(exclusive=True, group="list")
    async def _list(self) -> None:
        rows = await self.beside(self.desk.studies)
        self.query_one("#studies", OptionList).add_options([_option(row) for row in rows])
        self.query_one("#studies", OptionList).highlighted = 0

    @on(OptionList.OptionHighlighted, "#studies")
    def _choose(self) -> None:
        self._look()

    @on(OptionList.OptionSelected, "#studies")
    def _enter(self) -> None:
        self.query_one("#matrix").focus()

    @on(DataTable.CellSelected, "#matrix")
    def _selected(self) -> None:
        self.action_open()

    def _look_again(self) -> None:
        if self.is_current and not self.trm.frozen and self.chosen:
            self._look()

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        if not (study := self.chosen):
            return
        try:
            view = await self.beside(self.desk.read, study)
        except TrmError as error:
            self.trm.say(str(error), "error")
            return
        if view.problem:
            self.trm.say(f"{study}: {view.problem}", "error")
        if view.id == self.chosen:
            self._draw(view)

    def _draw(self, view: StudyView) -> None:
        before, self._view = self._view, view
        words = Content.assemble(
            (safe_text(view.title), "bold"), "  ", safe_text(view.question), "\n", state_words(view)
        )
        self.query_one("#about", Static).update(words)
        self.query_one("#found", Static).update(found_words(view))
        matrix: DataTable[Content] = self.query_one("#matrix", DataTable)
        if before is None or before.id != view.id:
            matrix.clear(columns=True)
            heads = [_head(name, title) for name, title, _ in view.rows]
            room = max(self.query_one("#study").size.width - _CELL - 6, _CELL)
            matrix.add_column("experiment", width=min(max(head.cell_length for head in heads), room))
            for seed in view.seeds:
                matrix.add_column(f"seed {seed}", width=_CELL)
            for head, (_, _, cells) in zip(heads, view.rows, strict=True):
                matrix.add_row(head, *map(cell_words, cells))
            return
        for row, (_, _, cells) in enumerate(view.rows):
            for column, cell in enumerate(cells, 1):
                if before.rows[row][2][column - 1] != cell:
                    matrix.update_cell_at(Coordinate(row, column), cell_words(cell))

    # --- deeds --------------------------------------------------------------------------------------------

    def action_start(self) -> None:
        """Run what is left of the study."""
        if study := self.chosen:
            self._do(lambda: self.desk.start(study))

    def action_pause(self) -> None:
        """Save and stop all of the study."""
        if study := self.chosen:
            self._do(lambda: self.desk.pause(study))

    def action_stop_trial(self) -> None:
        """Save and stop the trial under the cursor."""
        study, cell = self.chosen, self.cell
        if cell is None:
            self.trm.say("choose a trial in the matrix first: enter goes there")
            return
        self._do(lambda: self.desk.stop(study, cell.trial))

    def action_retry(self) -> None:
        """Run the experiment under the cursor again where it failed or diverged."""
        study, cell = self.chosen, self.cell
        if cell is None:
            self.trm.say("choose a trial in the matrix first: enter goes there")
            return
        if cell.stage in ("done", "running"):
            self.trm.say(f"{cell.trial} is {cell.stage}: there is nothing to retry")
            return
        name = cell.trial.rpartition("-s")[0]
        self._do(lambda: self.desk.start(study, pattern=name, retry=True))

    def action_open(self) -> None:
        """Show the curves of the trial under the cursor; in the list, go to the matrix."""
        if self.focused is self.query_one("#studies"):
            self.query_one("#matrix").focus()
            return
        cell = self.cell
        if cell is None or not cell.session:
            self.trm.say("nothing of this trial has been run yet")
            return
        from trm_tui.tui.sessions.compare import CompareScreen

        self.app.push_screen(CompareScreen([cell.session]))

    def action_report(self) -> None:
        """Ask for a folder and write the report into it."""
        study = self.chosen
        if not study:
            return
        question = Ask(
            "Report", f"Write the report of {study} into the folder", value=study.replace("/", "-")
        )

        def answered(text: str | None) -> None:
            if text and text.strip():
                self._do(lambda: self.desk.report(study, in_home(Path(text.strip()))))

        self.app.push_screen(question, answered)

    def action_back(self) -> None:
        """Leave the matrix, then the screen."""
        if self.focused is not self.query_one("#studies"):
            self.query_one("#studies").focus()
        else:
            self.trm.action_mode("dashboard")

    @work(group="deeds")
    async def _do(self, act: Callable[[], str]) -> None:
        """Act beside the app's own thread; an error for people becomes a toast."""
        try:
            said = await self.beside(act)
        except TrmError as error:
            self.trm.say(str(error), "error")
        else:
            self.trm.say(said)
        self._look()


def _head(name: str, title: str) -> Content:
    return Content.assemble((safe_text(name), "bold"), "  ", (safe_text(title)[:24], "$text-muted"))


def _option(row: StudyRow) -> Option:
    words = Content.assemble(
        (safe_text(row.id), "bold"), "\n  ", (f"{safe_text(row.title)} · {row.experiments}", "$text-muted")
    )
    return Option(words, id=row.id)
