"""Lists to pick from: a preset to train, sessions to compare with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.strip import Strip
from textual.widgets import Input, OptionList, SelectionList, Static
from textual.widgets.selection_list import Selection

from trm_engine.config import Preset
from trm_engine.errors import TrmError
from trm_engine.sessions import SessionRecord
from trm_engine.text import safe_text
from trm_tui.shared.results import last_measured
from trm_tui.tui.common.dialogs import Dialog, boxed
from trm_tui.tui.host import host_of
from trm_tui.tui.presets.download import download_for
from trm_tui.tui.presets.preset_list import PresetChooser

_MOST_LISTED = 200


class PickPreset(Dialog[tuple[str, Preset]]):
    """Answers with `run`, `edit` or `queue`, and a preset."""

    DEFAULT_CSS = """
    PickPreset > .box { width: 124; max-width: 100%; padding: 0 2; }
    PickPreset OptionList { margin-top: 0; }
    /* Lower than the list is long: the list scrolls, its words stay whole. */
    PickPreset.-short {
        .box { height: 96%; }
        PresetChooser, PresetChooser OptionList { height: 1fr; max-height: 1fr; }
        .expect { margin-top: 0; }
    }
    PickPreset.-low {
        PresetChooser, PresetChooser OptionList { height: 1fr; max-height: 1fr; }
        .expect { display: none; }
    }
    """
    VERTICAL_BREAKPOINTS = [(0, "-low"), (14, "-short"), (30, "-enough")]  # noqa: RUF012  # Textual's

    def compose(self) -> ComposeResult:
        """Show the presets."""
        with boxed("Train a preset in a new slot", "enter train · e edit · a queue · d download · esc back"):
            yield PresetChooser()

    def on_mount(self) -> None:
        """List what is known, and what comes to be known."""
        for key, action in (("e", "edit"), ("a", "queue"), ("d", "download")):
            self._bindings.bind(key, action, show=False)
        self.set_interval(0.1, self._list)
        self._list()

    def _list(self) -> None:
        for chooser in self.query(PresetChooser):
            app = host_of(self.app)
            chooser.show(app.presets, app.prospects)

    @on(OptionList.OptionSelected)
    def _selected(self) -> None:
        self._answer("run")

    def action_edit(self) -> None:
        """Open it in the editor instead."""
        self._answer("edit")

    def action_queue(self) -> None:
        """Have it run after what is queued already."""
        self._answer("queue")

    def action_download(self) -> None:
        """Download its data."""
        chooser = self.query_one(PresetChooser)
        if chooser.chosen is not None:
            download_for(self.app, chooser.chosen.config)

    def _answer(self, what: str) -> None:
        preset = self.query_one(PresetChooser).chosen
        if preset is not None:
            self.dismiss((what, preset))


class MarkList(SelectionList[str]):
    """A list whose marks are seen without colours: ✓ or nothing."""

    def render_line(self, y: int) -> Strip:
        """Draw ✓ in the box of what is marked; Textual draws an X in every box."""
        segments = [*super().render_line(y)]
        place = self.scroll_offset.y + y
        if place < self.option_count and len(segments) > 1:
            is_marked = self.get_option_at_index(place).value in self.selected
            segments[1] = Segment("✓" if is_marked else " ", segments[1].style)
        return Strip(segments)


class PickSessions(Dialog[list[str]]):
    """Answers with the sessions whose curves are to be drawn."""

    DEFAULT_CSS = """
    PickSessions > .box { width: 90; }
    """

    # Before the list, which would mark with enter, and before the filter's field.
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "draw", "draw", priority=True)]

    def __init__(self, chosen: Sequence[str], without: str) -> None:
        super().__init__()
        self._chosen = set(chosen)
        self._without = without
        self._records: list[SessionRecord] = []

    def compose(self) -> ComposeResult:
        """Show filter and sessions."""
        with boxed("Compare with", "space mark · tab filter · enter draw · esc back"):
            yield Static("reading the sessions…", id="none", markup=False)
            yield MarkList()
            yield Input(placeholder="filter by name, preset or id")

    async def on_mount(self) -> None:
        """Read the sessions, beside the app's own thread."""
        app = host_of(self.app)
        try:
            records = await asyncio.to_thread(app.store.list)
        except TrmError as error:
            app.say(str(error), "error")
            return
        self._records = [record for record in reversed(records) if record.id != self._without]
        self._fill("")

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        self._fill(event.value)

    @on(SelectionList.SelectedChanged)
    def _marked(self, event: SelectionList.SelectedChanged[str]) -> None:
        listed = event.selection_list
        shown = {listed.get_option_at_index(i).value for i in range(listed.option_count)}
        self._chosen = (self._chosen - shown) | set(listed.selected)

    def action_draw(self) -> None:
        """Answer with what is marked."""
        self.dismiss([record.id for record in self._records if record.id in self._chosen])

    def _fill(self, words: str) -> None:
        listed = self.query_one(SelectionList)
        listed.clear_options()
        matching = [r for r in self._records if words.lower() in f"{r.name} {r.preset} {r.id}".lower()]
        listed.add_options(
            Selection(_label(record), record.id, record.id in self._chosen)
            for record in matching[:_MOST_LISTED]
        )
        listed.highlighted = 0 if matching else None
        listed.display = bool(matching)
        none = self.query_one("#none", Static)
        none.display = not matching
        none.update("no session matches" if self._records else "there is no other session yet")


def _label(record: SessionRecord) -> Content:
    _, reached = last_measured(record.summary)
    words = f" {reached}" if reached else ""
    name = safe_text(record.name or record.preset)
    return Content.assemble((name, "bold"), words, (f"  {record.status}  {record.id}", "$text-muted"))
