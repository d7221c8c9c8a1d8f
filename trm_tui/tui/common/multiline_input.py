"""A dialog for text of several lines: a note, a puzzle pasted as it was drawn."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static, TextArea

from trm_engine.text import safe_text
from trm_tui.tui.common.dialogs import Question, boxed


class Write(Question):
    """A question answered with lines of text, which are checked when they are accepted."""

    DEFAULT_CSS = """
    Write TextArea { height: 11; max-height: 50vh; margin-top: 1; border: tall $border-blurred; }
    Write TextArea:focus { border: tall $border; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "accept", "accept", show=False, priority=True)]

    def compose(self) -> ComposeResult:
        """Show text and field."""
        with boxed(f" {self._title} ", " ctrl+s accept · esc back "):
            yield Static(Content(safe_text(self._text)), classes="text")
            yield TextArea(safe_text(self._value), tab_behavior="focus")
            yield Static("", classes="problem", markup=False)

    @on(TextArea.Changed)
    def _changed(self) -> None:
        self.say_problem("")

    def action_accept(self) -> None:
        """Answer with the text, unless something is wrong with it."""
        text = self.query_one(TextArea).text
        problem = self._check(text)
        if problem:
            self.say_problem(problem)
        else:
            self.dismiss(text)
