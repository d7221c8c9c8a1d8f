"""Small questions in the middle of the screen. Text from elsewhere is shown as it is, never as markup."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from trm_engine.text import safe_text
from trm_tui.tui.bindings import bindings_of
from trm_tui.tui.common.hanging import Hanging, Line

T = TypeVar("T")


class Dialog(ModalScreen[T | None]):
    """A box with a title; esc leaves it without an answer."""

    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog > .box {
        width: 64; max-width: 96%; height: auto; max-height: 96%; background: $surface;
        border: round $primary; border-title-color: $primary; border-title-style: bold;
        border-subtitle-color: $text-muted; padding: 1 2;
    }
    Dialog .text { height: auto; }
    Dialog OptionList, Dialog SelectionList {
        height: auto; max-height: 16; margin-top: 1; border: none; padding: 0; background: $surface;
        &:focus { border: none; background: $surface; }
    }
    Dialog Input { margin-top: 1; border: tall $border-blurred; &:focus { border: tall $border; } }
    Dialog .problem { height: auto; min-height: 1; }
    Dialog.-low > .box { padding: 0 1; border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("dialog")
    VERTICAL_BREAKPOINTS = [(0, "-low"), (12, "-enough")]  # noqa: RUF012  # Textual's declaration

    def action_close(self) -> None:
        """Cancel."""
        self.dismiss(None)


def boxed(title: str, hint: str = "") -> Vertical:
    """Return the box of a dialog, to be filled: a title above, and below what its keys do."""
    box = Vertical(classes="box")
    box.border_title = Content(safe_text(title))
    if hint:
        box.border_subtitle = Content(hint)
    return box


@dataclass(frozen=True)
class Answer(Generic[T]):
    """One way to answer: its letter, what it says, and what it means."""

    letter: str
    label: str
    value: T


class Choice(Dialog[T]):
    """A question with a few answers: pick one by its letter, or with the arrows and enter."""

    def __init__(self, title: str, text: str, answers: Sequence[Answer[T]]) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._answers = answers
        for number, answer in enumerate(answers):
            self._bindings.bind(answer.letter, f"answer({number})", answer.label, show=False)

    def compose(self) -> ComposeResult:
        """Show text and answers."""
        with boxed(self._title, "enter choose · esc back"):
            yield Static(Content(safe_text(self._text)), classes="text")
            yield OptionList(
                *(
                    Option(Content.assemble((f" {a.letter} ", "bold $accent"), f" {safe_text(a.label)}"))
                    for a in self._answers
                )
            )

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.action_answer(event.option_index)

    def action_answer(self, number: int) -> None:
        """Give the answer of that number."""
        self.dismiss(self._answers[number].value)


class Question(Dialog[str]):
    """A question answered with text; `check` returns what is wrong with it, or nothing."""

    def __init__(
        self,
        title: str,
        text: str,
        *,
        value: str = "",
        check: Callable[[str], str] = lambda _: "",
        hint: Callable[[str], str] = lambda _: "",
    ) -> None:
        """`hint` returns what a valid answer comes to, to be read before it is given."""
        super().__init__()
        self._title = title
        self._text = text
        self._value = value
        self._check = check
        self._hint = hint

    def say_problem(self, problem: str) -> None:
        """Show what is wrong with the text, or nothing."""
        self.query_one(".problem", Static).update(Content.styled(safe_text(problem), "$text-error"))

    def judge(self, text: str) -> None:
        """Show what is wrong with a text, or else what it comes to."""
        if problem := self._check(text):
            self.say_problem(problem)
        else:
            hint = Content.styled(safe_text(self._hint(text)), "$text-muted")
            self.query_one(".problem", Static).update(hint)


class Ask(Question):
    """A question answered with a line of text, which is checked as it is typed."""

    def compose(self) -> ComposeResult:
        """Show text and field."""
        with boxed(self._title, "enter accept · esc back"):
            yield Static(Content(safe_text(self._text)), classes="text")
            yield Input(safe_text(self._value))
            yield Static("", classes="problem", markup=False)

    def on_mount(self) -> None:
        """Judge what is suggested, before anything is typed."""
        self.judge(self._value)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self.judge(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if not self._check(event.value):
            self.dismiss(event.value)


class Reading(Dialog[None]):
    """Text to read and scroll."""

    DEFAULT_CSS = """
    Reading > .box { width: 92; }
    Reading VerticalScroll { height: auto; max-height: 100%; }
    """

    def __init__(self, title: str, content: Content | Sequence[Line]) -> None:
        """`content` may be lines in two columns."""
        super().__init__()
        self._title = title
        self._content = content

    def compose(self) -> ComposeResult:
        """Show the text."""
        with boxed(self._title, "↑ ↓ scroll · esc back"), VerticalScroll():
            yield Static(self._content) if isinstance(self._content, Content) else Hanging(self._content)


class Waiting(Dialog[None]):
    """Says what is being waited for; only its end, or the app's, takes it away."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "nothing", show=False)]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """Show the text."""
        with boxed(self._title):
            yield Static(Content(safe_text(self._text)), classes="text")

    def action_nothing(self) -> None:
        """Stay."""
