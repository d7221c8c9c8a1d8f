"""Presets as a list to choose from: what each would cost here, and more of the one that is highlighted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Resize
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from trm_engine.config import Preset
from trm_engine.paths import presets_folder
from trm_engine.text import duration, format_bytes, one_line, safe_text
from trm_tui.workbench.browser.columns import short_count
from trm_tui.workbench.presets import Place, Prospect, about, place

_TITLES = {"recent": "Recent", "shipped": "Shipped"}
_MOST_OF_NAME = 0.4
_ROOM_FOR_PARAMETERS, _ROOM_FOR_MEMORY = 84, 60
_PARAMETERS, _MEMORY, _TIME, _DATA = 8, 9, 12, 17
_LEAST_ABOUT = 12


class PresetChooser(Vertical):
    """One preset a line; below, the words of the highlighted one."""

    DEFAULT_CSS = """
    PresetChooser {
        height: auto;
        OptionList {
            height: auto; max-height: 1fr; border: none; padding: 0; background: transparent;
            text-wrap: nowrap; text-overflow: ellipsis;
        }
        OptionList:focus { border: none; background: transparent; background-tint: transparent 0%; }
        .columns { height: 1; color: $text-muted; text-wrap: nowrap; }
        .expect { height: auto; min-height: 4; margin-top: 1; color: $text-muted; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._presets: list[Preset] = []
        self._prospects: Mapping[Place, Prospect] = {}
        self._rows: list[Preset | None] = []
        self._wide = 0

    def compose(self) -> ComposeResult:
        """Yield the names of the columns, list and words."""
        yield Static(classes="columns")
        yield OptionList(disabled=True)  # without presets it would swallow the keys that it cannot answer
        yield Static(Content("reading the presets…"), classes="expect")

    def show(self, presets: Sequence[Preset], prospects: Mapping[Place, Prospect]) -> None:
        """List these presets with what each would take here; the choice stays where it was."""
        same = [place(preset) for preset in presets] == [place(preset) for preset in self._presets]
        if same and prospects is self._prospects:
            return
        self._presets, self._prospects = list(presets), prospects
        self._fill()

    def on_resize(self, event: Resize) -> None:
        """Give the columns the room that there is."""
        if event.size.width != self._wide:
            self._fill()

    @property
    def chosen(self) -> Preset | None:
        """The highlighted preset."""
        highlighted = self.query_one(OptionList).highlighted
        return self._rows[highlighted] if highlighted is not None and self._rows else None

    @property
    def prospect(self) -> Prospect | None:
        """What the highlighted preset would take here, where that is known."""
        return self._prospects.get(place(self.chosen)) if self.chosen else None

    def _fill(self) -> None:
        self._wide = self.size.width
        chosen, listed = self.chosen, self.query_one(OptionList)
        columns = _Columns(self._wide - 2, self._presets)
        options: list[Option] = []
        self._rows = []
        several = len({preset.group for preset in self._presets}) > 1
        group = ""
        for preset in self._presets:
            if several and preset.group != group:
                options.append(Option(_heading(preset.group), disabled=True))
                self._rows.append(None)
            group = preset.group
            options.append(Option(columns.line(preset, self._prospects.get(place(preset)))))
            self._rows.append(preset)
        listed.clear_options()
        listed.add_options(options)
        self.query_one(".columns", Static).update(columns.names() if self._presets else Content(""))
        listed.highlighted = self._row_of(chosen)
        listed.disabled = not self._presets
        if self._presets and self.screen.focused is None:
            listed.focus()

    def _row_of(self, chosen: Preset | None) -> int | None:
        """Return the row to highlight: that of the choice, else the first."""
        places = [preset and place(preset) for preset in self._rows]
        if chosen is not None and place(chosen) in places:
            return places.index(place(chosen))
        return next((row for row, preset in enumerate(self._rows) if preset), None)

    @on(OptionList.OptionHighlighted)
    def _highlighted(self) -> None:
        if self.chosen is not None:
            self.query_one(".expect", Static).update(_words(self.chosen, self.prospect))


class _Columns:
    """How wide each column is where there is so much room; the least needed go first."""

    def __init__(self, room: int, presets: Sequence[Preset]) -> None:
        longest = max((len(safe_text(preset.name)) for preset in presets), default=0)
        self.name = min(longest, max(int(_MOST_OF_NAME * room), 10))
        self.parameters = _PARAMETERS if room >= _ROOM_FOR_PARAMETERS else 0
        self.memory = _MEMORY if room >= _ROOM_FOR_MEMORY else 0
        self.data = min(_DATA, max(room - self.name - _TIME - self.memory - 4, 0))
        left = room - self.name - self.parameters - self.memory - _TIME - self.data - 4
        self.about = left if left >= _LEAST_ABOUT else 0

    def names(self) -> Content:
        """Return what stands above the columns."""
        texts = ["", "", "params", "memory", "time here", "data"]
        return Content(self._line(texts)).truncate(self._room + 2)

    def line(self, preset: Preset, found: Prospect | None) -> Content:
        """Return one preset."""
        if found is None:
            figures = ["", "", "", ""]
        else:
            parameters = f"{'≤ ' if found.at_most else ''}{short_count(found.parameters)}"
            time = duration(found.seconds) if found.seconds else "…"
            figures = [parameters, format_bytes(found.memory_bytes), time, str(found.data)]
        line = Content(self._line([safe_text(preset.name), about(preset), *figures]))
        line = line.stylize("bold $primary", 1, 1 + self.name)
        if found is not None and not found.fits:
            end = 3 + self.name + self.about + self.parameters + self.memory
            line = line.stylize("$text-error", end - self.memory, end)
        if found is not None and not found.data.ready:
            line = line.stylize("$text-warning", self._room - self.data)
        return line

    @property
    def _room(self) -> int:
        return 4 + self.name + self.about + self.parameters + self.memory + _TIME + self.data

    def _line(self, texts: Sequence[str]) -> str:
        name, about, parameters, memory, time, data = texts
        parts = [f" {_cut(name, self.name).ljust(self.name)} "]
        parts.append(f"{_cut(about, self.about - 1).ljust(self.about)}" if self.about else "")
        parts.append(parameters.rjust(self.parameters) if self.parameters else "")
        parts.append(memory.rjust(self.memory) if self.memory else "")
        parts.append(f"{time:>{_TIME}}  {_cut(data, self.data)}")
        return "".join(parts)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(room - 1, 0)]}…"


def _heading(group: str) -> Content:
    words = _TITLES.get(group) or f"Yours, in {_in_home(presets_folder())}"
    return Content.styled(safe_text(words), "$text-muted")


def _in_home(path: Path) -> str:
    """Return a path as a person writes it."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)


def _words(preset: Preset, found: Prospect | None) -> Content:
    """Return what is to be known before it is trained."""
    parts = [Content(one_line(preset.config.expect, None))] if preset.group != "recent" else []
    if preset.origin:
        parts.append(Content(f"As a session of {safe_text(preset.origin)} ran."))
    if found is not None and not found.data.ready:
        hint = " d downloads it." if found.data.state == "download" else ""
        parts.append(Content.styled(f"{found.data.sentence}{hint}", "$text-warning"))
    if found is not None and not found.fits:
        needs = f"Needs {format_bytes(found.memory_bytes)}, more than is free here; e shows what would fit."
        parts.append(Content.styled(needs, "$text-error"))
    if found is not None and found.basis:
        parts.append(Content(f"Time predicted {safe_text(found.basis)}."))
    shown = [part for part in parts if part.plain]
    return Content(" ").join(shown) if shown else Content(about(preset))
