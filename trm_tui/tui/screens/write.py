"""A dialog for text of several lines: a note, a puzzle pasted as it was drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static, TextArea

from engine.text import safe_text
from trm_tui.tui.screens.dialogs import Dialog


class Write(Dialog[str]):
    """A question answered with lines of text; `check` returns what is wrong with them, or nothing."""

    DEFAULT_CSS = """
    Write TextArea { height: 11; max-height: 50vh; margin-top: 1; border: tall $border-blurred; }
    Write TextArea:focus { border: tall $border; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "accept", "accept", show=False, priority=True)]

    def __init__(
        self, title: str, text: str, *, value: str = "", check: Callable[[str], str] = lambda _: ""
    ) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._value = value
        self._check = check

    def compose(self) -> ComposeResult:
        """Show text and field."""
        with Vertical(classes="box") as box:
            box.border_title = Content(f" {safe_text(self._title)} ")
            box.border_subtitle = Content(" ctrl+s accept · esc back ")
            yield Static(Content(safe_text(self._text)), classes="text")
            yield TextArea(safe_text(self._value), tab_behavior="focus")
            yield Static("", classes="problem", markup=False)

    @on(TextArea.Changed)
    def _changed(self) -> None:
        self.query_one(".problem", Static).update(Content(""))

    def action_accept(self) -> None:
        """Answer with the text, unless something is wrong with it."""
        text = self.query_one(TextArea).text
        problem = self._check(text)
        if problem:
            self.query_one(".problem", Static).update(Content(safe_text(problem)))
        else:
            self.dismiss(text)
