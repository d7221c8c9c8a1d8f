"""What stands around the form: the title, the sections, the help of the field at the cursor."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from trm_engine.config import FieldInfo
from trm_engine.text import one_line, safe_text
from trm_tui.tui.common.panel import Panel
from trm_tui.tui.editor.form import section_of
from trm_tui.workbench.editor.draft import Draft
from trm_tui.workbench.editor.values import show

_LONGEST_VALUE = 40


class EditorTitle(Widget):
    """What is edited, how much of it is changed or wrong, and the machine it is planned for."""

    DEFAULT_CSS = """
    EditorTitle { height: 1; width: 1fr; padding: 0 1; background: $surface; }
    """

    draft: reactive[Draft | None] = reactive(None)
    unsaved: reactive[bool] = reactive(False)
    machine: reactive[str] = reactive("")

    def render(self) -> Content:
        """Fit it into the line; the machine is left out first."""
        if self.draft is None:
            return Content.styled("Configuration", "bold")
        width = self.content_size.width
        left = Content.assemble(*_title(self.draft, self.unsaved))
        right = Content.assemble(("for ", "$text-muted"), (safe_text(self.machine), "bold"))
        gap = width - left.cell_length - right.cell_length
        if gap < 2:
            return left.truncate(width, ellipsis=True)
        return Content.assemble(left, " " * gap, right)


def _title(draft: Draft, unsaved: bool) -> Iterator[tuple[str, str]]:
    yield one_line(draft.origin.name, None), "bold"
    changed, wrong = len(draft.changes), draft.checked.count
    if changed:
        yield f" · {changed} changed", "$text-accent"
    if unsaved:
        yield " · unsaved", "$text-muted"
    if wrong:
        yield f" · ✗ {wrong} problem{'s' if wrong > 1 else ''}", "bold $text-error"


class SectionList(Panel, can_focus=False):
    """The sections, how many of their fields are changed or wrong, and where the cursor is. Click to go."""

    BORDER_TITLE = "Sections"
    auto_links: reactive[bool] = reactive(False)  # the colour of links would cover what the colours say

    draft: reactive[Draft | None] = reactive(None)
    current: reactive[str] = reactive("")

    def lines(self, width: int) -> list[Content]:
        """Return one line a section."""
        if self.draft is None:
            return []
        changed, wrong = dict[str, int](), dict[str, int]()
        for key, info in self.draft.fields.items():
            section = section_of(info)
            changed[section] = changed.get(section, 0) + self.draft.has_changed(key)
            wrong[section] = wrong.get(section, 0) + (key in self.draft.checked.problems)
        return [self._section(section, changed[section], wrong[section], width) for section in changed]

    def _section(self, section: str, changed: int, wrong: int, width: int) -> Content:
        here = section == self.current
        notes = Content.assemble(
            (f"✗{wrong}" if wrong else "", "bold $text-error"),
            (f" •{changed}" if changed else "", "$accent"),
        )
        name = Content.styled(f"{'▸' if here else ' '} {section}", "bold" if here else "$text-muted")
        gap = " " * max(width - name.cell_length - notes.cell_length, 1)
        click = Style.from_meta({"@click": f"screen.go_section('{section}')"})
        return Content.assemble(name, gap, notes).stylize(click)


class FieldHelp(Panel, can_focus=False):
    """The field at the cursor: what it means, what it may be, what it is elsewhere, what is wrong."""

    draft: reactive[Draft | None] = reactive(None)
    key: reactive[str] = reactive("")

    def watch_key(self, key: str) -> None:
        """Name the field in the frame."""
        self.border_title = Content(key)

    def lines(self, width: int) -> list[Content]:
        """Return the problems, the help, and the values to compare with."""
        if self.draft is None or self.key not in self.draft.fields:
            return []
        info = self.draft.fields[self.key]
        problems = self.draft.checked.problems.get(self.key, ())
        texts = [Content.styled(f"✗ {safe_text(problem)}", "$text-error") for problem in problems]
        texts += [Content(info.help), Content.styled(" · ".join(_limits(info, self.draft)), "$text-muted")]
        return [line for text in texts for line in text.wrap(max(width, 8))]


def _limits(info: FieldInfo, draft: Draft) -> Iterator[str]:
    yield info.allowed
    if info.default is not None:
        yield f"default {_brief(show(info.default))}"
    came = draft.origin.values.get(info.key)
    if came is not None and came != info.default:
        yield f"{one_line(draft.origin.name, None)} {_brief(show(came))}"


def _brief(text: str) -> str:
    return one_line(text, _LONGEST_VALUE) or "empty"
