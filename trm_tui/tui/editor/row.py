"""One line of the configuration editor's form: a field's name, its value, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from trm_engine.config import FieldInfo
from trm_engine.text import safe_text
from trm_tui.workbench.editor.values import field_text

_NAME_WIDTH = 25
_SHORT_NAME_WIDTH = 14
_GAP = 2  # for the marker before the name, and for the arrow before the value
_VALUE_WIDTH = 20
_LEAST_HELP = 20
_ROOMY = 40
_MAX_TYPED = 4096


@dataclass(frozen=True)
class Shown:
    """What a line shows: the text in the field, what it was where it has changed, and what is wrong."""

    text: str = ""
    was: str | None = None
    problems: tuple[str, ...] = ()


class FieldInput(Input):
    """The text field of a line that is being edited. What it holds is in the draft with every key."""


class ChoiceList(OptionList, inherit_bindings=False):
    """What a field may be set to, as a list that drops down from its line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("enter", "select", ""),
        ("up,k", "cursor_up", ""),
        ("down,j", "cursor_down", ""),
        ("home", "first", ""),
        ("end", "last", ""),
    ]


class FieldRow(Widget):
    """A field. `begin` opens it for editing in place, `end` closes it."""

    DEFAULT_CSS = """
    FieldRow {
        height: auto; width: 1fr; padding: 0 1;
        &.-cursor { background: $panel; }
        FieldInput {
            height: 1; border: none; padding: 0; background: $background; color: $foreground;
            &:focus { border: none; background: $background; }
        }
        ChoiceList {
            overlay: screen; constrain: inside inflect; offset: -2 -1;
            width: auto; min-width: 12; height: auto; max-height: 12;
            border: round $primary; background: $surface; padding: 0 1;
            &:focus { border: round $primary; }
        }
    }
    """

    shown: reactive[Shown] = reactive(Shown())
    at_cursor: reactive[bool] = reactive(False)

    class Typed(Message):
        """The text in the field has changed while it is edited."""

        def __init__(self, key: str, text: str) -> None:
            super().__init__()
            self.key = key
            self.text = text

    class Done(Message):
        """The field was left, or what stands in it was accepted."""

        def __init__(self, row: FieldRow, editor: Widget | None) -> None:
            super().__init__()
            self.row = row
            self.editor = editor

    class Clicked(Message):
        """The line was clicked; `on_value` tells whether on its value."""

        def __init__(self, row: FieldRow, *, on_value: bool) -> None:
            super().__init__()
            self.row = row
            self.on_value = on_value

    def __init__(self, info: FieldInfo) -> None:
        super().__init__()
        self.info = info
        self.editor: FieldInput | ChoiceList | None = None
        """What the field is edited with, while it is open."""

    @property
    def key(self) -> str:
        """The field's dotted name."""
        return self.info.key

    @property
    def editing(self) -> bool:
        """Whether the field is open."""
        return self.editor is not None

    # --- what is seen -------------------------------------------------------------------------------------

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Return one line, and one more for each line of the problems."""
        return 1 + len(self._problem_lines(width))

    def render(self) -> Content:
        """Show the field in one line and its problems below."""
        width = self.content_size.width
        return Content("\n").join([self._line(width), *self._problem_lines(width)])

    def watch_shown(self, before: Shown, now: Shown) -> None:
        """Take more or less room when there is more or less wrong; else only the line changes."""
        if before.problems != now.problems:
            self.refresh(layout=True)

    def watch_at_cursor(self, at_cursor: bool) -> None:
        """Colour the line."""
        self.set_class(at_cursor, "-cursor")

    def _line(self, width: int) -> Content:
        column = self._value_column(width)
        name = Content.styled(self.info.name, "bold" if self.at_cursor else "")
        steps = self.at_cursor and self._can_step and not self.editing
        before, after = ("‹", " ›") if steps else (" ", "  ")
        line = Content.assemble(
            self._mark(),
            name.truncate(column - _GAP - 1, ellipsis=True, pad=True),
            (f" {before}" if width < _ROOMY else f" {before} ", "$accent"),
            self._value(),
            (after, "$accent"),
        )
        if self.shown.was is not None:
            was = Content.styled(f" was {field_text(self.shown.was) or 'empty'}", "$text-muted")
            if line.cell_length + was.cell_length <= width:
                line = Content.assemble(line, was)
        help_column = column + _VALUE_WIDTH
        if width >= help_column + _LEAST_HELP and line.cell_length < help_column:
            gap = " " * (help_column - line.cell_length)
            line = Content.assemble(line, gap, (self.info.help, "$text-muted"))
        return line.truncate(width, ellipsis=True)

    def _mark(self) -> Content:
        if self.shown.problems:
            return Content.styled("✗ ", "bold $text-error")
        return Content.styled("• ", "$accent") if self.shown.was is not None else Content("  ")

    def _value(self) -> Content:
        shown = self.shown
        if self.info.type_name == "bool" and shown.text in ("true", "false"):
            on = shown.text == "true"
            switch = ("━━●", "$success") if on else ("●━━", "$text-muted")
            return Content.assemble(switch, f" {shown.text}")
        style = "$text-error" if shown.problems else "bold" if shown.was is not None else ""
        text = field_text(shown.text)
        if not text:
            return Content.styled("empty", "italic $text-muted")
        return Content.assemble((text, style), (" ▾" if self.info.choices else "", "$text-muted"))

    def _problem_lines(self, width: int) -> list[Content]:
        indent = " " * _GAP
        lines: list[Content] = []
        for problem in self.shown.problems:
            wrapped = Content.styled(safe_text(problem), "$text-error").wrap(max(width - _GAP, 8))
            lines += [Content.assemble(indent, line) for line in wrapped]
        return lines

    def _value_column(self, width: int) -> int:
        name_width = _NAME_WIDTH if width >= 2 * _NAME_WIDTH - 8 else min(_SHORT_NAME_WIDTH, width // 2)
        return _GAP + name_width

    @property
    def _can_step(self) -> bool:
        return bool(self.info.choices) or self.info.type_name != "str"

    # --- editing ------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Open the field: a list of its choices, or a line to type into."""
        if self.editor is not None:
            return
        editor = self._choices() if self.info.choices else self._input()
        self.editor = editor
        width = self.content_size.width
        editor.styles.margin = (0, 0, 0, self._value_column(width) + (1 if width < _ROOMY else 2))
        self.mount(editor)
        self.screen.set_focus(editor, scroll_visible=False)  # at once: the next key is meant for it
        self.refresh()

    def end(self) -> None:
        """Close the field."""
        if self.editor is not None:
            self.editor.remove()
            self.editor = None
            self.refresh()

    def _input(self) -> FieldInput:
        return FieldInput(field_text(self.shown.text), max_length=_MAX_TYPED, compact=True)

    def _choices(self) -> ChoiceList:
        texts = [str(choice) for choice in self.info.choices]
        choices = ChoiceList(*(Option(Content(text)) for text in texts))
        choices.highlighted = texts.index(self.shown.text) if self.shown.text in texts else 0
        return choices

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != field_text(self.shown.text):
            self.post_message(self.Typed(self.key, event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Done(self, self.editor))

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(self.Typed(self.key, str(self.info.choices[event.option_index])))
        self.post_message(self.Done(self, self.editor))

    @on(events.DescendantBlur)
    def _left(self, event: events.DescendantBlur) -> None:
        if self.app.app_focus:  # not when the whole terminal loses the focus
            self.post_message(self.Done(self, event.widget))

    def on_click(self, event: events.Click) -> None:
        """Tell the form."""
        if event.widget is self:
            column = self._value_column(self.content_size.width)
            self.post_message(self.Clicked(self, on_value=event.x > column))
