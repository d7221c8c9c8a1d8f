"""The configuration editor's form: every field under its section, a cursor, a filter, editing in place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from trm_engine.config import FieldInfo, TaskConfig
from trm_engine.config.describe import section_types
from trm_engine.text import safe_text
from trm_tui.tui.editor.row import FieldRow, Shown
from trm_tui.workbench.editor.draft import KIND, Draft
from trm_tui.workbench.editor.values import show

ABOUT = "about"
"""What the section without a name, with the title and what to expect, is called on screen."""


def section_of(info: FieldInfo) -> str:
    """Return the name under which a field's section is shown."""
    return info.section or ABOUT


class SectionHeading(Static):
    """A section's name and what it is about."""

    DEFAULT_CSS = """
    SectionHeading {
        height: 1; width: 1fr; padding: 0 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis;
    }
    """

    def __init__(self, section: str, about: str) -> None:
        heading = Content.assemble((section, "bold $primary"), f"  {safe_text(about)}")
        super().__init__(heading)
        self.section = section


class ConfigForm(VerticalScroll, can_focus=False, inherit_bindings=False):
    """Shows a draft; the screen's keys move the cursor and open fields. Scrolls with the cursor."""

    DEFAULT_CSS = """
    ConfigForm { scrollbar-size-vertical: 1; }
    ConfigForm > #nothing { display: none; padding: 0 1; color: $text-muted; }
    """

    class Moved(Message):
        """The cursor is on another field."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self) -> None:
        super().__init__(id="form")
        self._rows: dict[str, FieldRow] = {}
        self._headings: dict[str, SectionHeading] = {}
        self._key = ""
        self._words: list[str] = []
        self._only_noted = False

    def compose(self) -> ComposeResult:
        """Yield what stands here when nothing is listed; the lines come with a draft."""
        yield Static("no field has that; esc shows all", id="nothing")

    # --- showing ------------------------------------------------------------------------------------------

    def show(self, draft: Draft) -> None:
        """Show the draft; lines are made anew only when its fields are others."""
        if [row.info for row in self._rows.values()] != list(draft.fields.values()):
            self._build(draft)
        problems = draft.checked.problems
        for key, row in self._rows.items():
            came = draft.origin.values.get(key)
            was = None if came is None or not draft.has_changed(key) else show(came)
            if came is None and draft.values[key] != draft.fields[key].default:
                was = show(draft.fields[key].default or "")
            row.shown = Shown(draft.texts[key], was, problems.get(key, ()))
        if self._only_noted:
            self._apply_filter()

    @property
    def row(self) -> FieldRow | None:
        """The line at the cursor."""
        return self._rows.get(self._key)

    @property
    def key(self) -> str:
        """The field at the cursor; empty when nothing is listed."""
        return self._key

    @property
    def section(self) -> str:
        """The section of the field at the cursor."""
        return section_of(self.row.info) if self.row else ""

    @property
    def editing(self) -> bool:
        """Whether a field is open."""
        return self.row is not None and self.row.editing

    def filter(self, words: str, *, only_noted: bool) -> int:
        """List only fields that have all the words, or only changed and wrong ones; return how many."""
        self._words = words.lower().split()
        self._only_noted = only_noted
        return self._apply_filter()

    # --- the cursor ---------------------------------------------------------------------------------------

    def move(self, lines: int) -> None:
        """Move the cursor by that many listed fields."""
        keys = self._listed()
        if not keys:
            return
        at = keys.index(self._key) + lines if self._key in keys else 0
        self.go_to(keys[min(max(at, 0), len(keys) - 1)])

    def move_section(self, step: int) -> None:
        """Move the cursor to the first field of the next or previous section; the ends meet."""
        keys = self._listed()
        first: dict[str, str] = {}
        for key in keys:
            first.setdefault(section_of(self._rows[key].info), key)
        if not first:
            return
        sections = list(first)
        at = sections.index(self.section) if self.section in sections else 0
        self.go_to(first[sections[(at + step) % len(sections)]], top=True)

    def go_to_section(self, section: str) -> None:
        """Move the cursor to the first listed field of a section, if there is one."""
        keys = [key for key in self._listed() if section_of(self._rows[key].info) == section]
        if keys:
            self.go_to(keys[0], top=True)

    def move_page(self, pages: int) -> None:
        """Move the cursor by what is visible at once."""
        self.move(pages * max(self.scrollable_content_region.height - 2, 1))

    def go_to(self, key: str, *, top: bool = False) -> None:
        """Put the cursor on a field; `top` scrolls its section's heading to the top."""
        if key not in self._rows:
            return
        self.end_edit()
        for row in filter(None, (self.row, self._rows[key])):
            row.at_cursor = row.key == key
        self._key = key
        self.call_after_refresh(self._bring_into_view, top)
        self.post_message(self.Moved(key))

    def _bring_into_view(self, top: bool) -> None:
        row = self.row
        if row is None or not row.display:
            return
        heading = self._headings[section_of(row.info)]
        first = next(r for r in self._rows.values() if r.display and section_of(r.info) == heading.section)
        target = heading if first is row else row
        self.scroll_to_widget(target, animate=False, top=top, force=True)
        if target is heading and not top:
            self.scroll_to_widget(row, animate=False, force=True)

    # --- editing ------------------------------------------------------------------------------------------

    def begin_edit(self) -> None:
        """Open the field at the cursor."""
        if self.row is not None:
            self.row.begin()

    def end_edit(self) -> None:
        """Close the open field; keys come to the screen again."""
        if self.editing and self.row is not None:
            self.row.end()
            self.screen.set_focus(None)

    # --- lines --------------------------------------------------------------------------------------------

    def _build(self, draft: Draft) -> None:
        for widget in (*self._rows.values(), *self._headings.values()):
            widget.remove()
        self._rows = {key: FieldRow(info) for key, info in draft.fields.items()}
        abouts = _abouts(TaskConfig.kinds.get(draft.texts[KIND], TaskConfig))
        self._headings = {}
        lines: list[Widget] = []
        for row in self._rows.values():
            section = section_of(row.info)
            if section not in self._headings:
                self._headings[section] = SectionHeading(section, abouts.get(section, ""))
                lines.append(self._headings[section])
            lines.append(row)
        self.mount(*lines)
        key = self._key if self._key in self._rows else _first(self._rows.values())
        self._key = key
        self._rows[key].at_cursor = True
        self._apply_filter()
        self.post_message(self.Moved(key))

    def _apply_filter(self) -> int:
        for row in self._rows.values():
            row.display = self._is_listed(row)
        listed = self._listed()
        sections = {section_of(self._rows[key].info) for key in listed}
        for section, heading in self._headings.items():
            heading.display = section in sections
        for nothing in self.query("#nothing"):
            nothing.display = not listed
        if listed and self._key not in listed:
            self.go_to(listed[0])
        else:
            self.call_after_refresh(self._bring_into_view, False)
        return len(listed)

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self.call_after_refresh(self._bring_into_view, False)

    def _is_listed(self, row: FieldRow) -> bool:
        if row.editing:
            return True
        if self._only_noted and row.shown.was is None and not row.shown.problems:
            return False
        text = f"{row.key} {row.info.help}".lower()
        return all(word in text for word in self._words)

    def _listed(self) -> Sequence[str]:
        return [key for key, row in self._rows.items() if row.display]

    @on(FieldRow.Clicked)
    def _clicked(self, event: FieldRow.Clicked) -> None:
        if event.row.key != self._key:
            self.go_to(event.row.key)


def _abouts(task: type[TaskConfig]) -> dict[str, str]:
    about = {name: " ".join((cls.__doc__ or "").split()) for name, cls in section_types(task).items()}
    return {ABOUT: "Title and description.", **about}


def _first(rows: Iterable[FieldRow]) -> str:
    """Return where the cursor begins: the first field that decides something."""
    rows = list(rows)
    return next((row.key for row in rows if row.info.section and row.key != KIND), rows[0].key)
