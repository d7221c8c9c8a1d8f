"""The line above the table: the filter, what is wrong with it, and how much of everything is shown."""

from __future__ import annotations

from rich.highlighter import Highlighter
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from trm_engine.text import safe_text
from trm_tui.workbench.browser import clock
from trm_tui.workbench.browser.filter import FIELDS, Filter, FilterError, parse_filter


class FilterBar(Horizontal):
    """Posts `Changed` for every filter; of one that cannot be understood, for its other terms."""

    DEFAULT_CSS = """
    FilterBar {
        height: 1; background: $surface;
        & > .sign { width: 3; color: $accent; text-style: bold; }
        & > Input { width: 1fr; min-width: 12; background: $surface; }
        & > .count { width: auto; max-width: 75%; padding: 0 1; color: $text-muted; }
        &.-wrong > .count { color: $text-error; }
    }
    """

    class Changed(Message):
        """Another filter is wanted."""

        def __init__(self, wanted: Filter) -> None:
            super().__init__()
            self.wanted = wanted

    class Left(Message):
        """Enter was pressed in the field."""

    def __init__(self) -> None:
        super().__init__()
        self._wrong: FilterError | None = None
        self._count = ""

    def compose(self) -> ComposeResult:
        """Show sign, field and count."""
        yield Static(" / ", classes="sign", markup=False)
        field = Input(placeholder="filter: task:sudoku exact>0.9 tag:best age<7d …", compact=True)
        field.highlighter = _Wrong(self)
        yield field
        yield Static("", classes="count", markup=False)

    @property
    def field(self) -> Input:
        """Where the filter is typed."""
        return self.query_one(Input)

    @property
    def wrong(self) -> FilterError | None:
        """What is wrong with the filter as it is typed now."""
        return self._wrong

    def show_count(self, text: str) -> None:
        """Say how much is shown, where nothing is wrong."""
        self._count = text
        self._say()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._wrong = None
        try:
            wanted = parse_filter(event.value, clock.local_now())
        except FilterError as error:
            self._wrong, wanted = error, error.rest
        self.post_message(self.Changed(wanted))
        self.set_class(self._wrong is not None, "-wrong")
        self._say()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Left())

    def _say(self) -> None:
        text = str(self._wrong) if self._wrong is not None else self._count
        self.query_one(".count", Static).update(Content(safe_text(text)))


class _Wrong(Highlighter):
    """Underlines the part of the filter that cannot be understood."""

    def __init__(self, bar: FilterBar) -> None:
        self._bar = bar

    def highlight(self, text: Text) -> None:
        """Style the text in place."""
        wrong = self._bar.wrong
        if wrong is not None:
            text.stylize("underline bold red", wrong.start, wrong.end)


FILTER_HELP = (
    ("sudoku wide", "both words, in name, id, preset, task, status, tags, note"),
    ("task:sudoku tag:best", "a part of a field; every term must hold"),
    ("status:completed,stopped", "one or the other"),
    ('name="long run"', "the whole field; quotes keep blanks together"),
    ("-tag:sweep", "not"),
    ("exact>0.9", "or exact>90%"),
    ("steps>=1k params<2M", "k, M and G"),
    ("time<5m rate>800", "training time as 90s, 5m, 2h or 1:30:00; samples a second"),
    ("age<7d", "started within a week; also h, d and w"),
    ("train.lr>1e-3", "a setting by its dotted name; also model.mixer=mlp, -runtime.compile=true"),
    ("started:2026-03", "in that month; also 2026-03-20, 2026, today, yesterday; >, <"),
)
"""Examples, and what they find."""


def filter_help_content() -> Content:
    """Return the examples one below the other, then the names of all fields."""
    width = max(len(example) for example, _ in FILTER_HELP) + 2
    lines = [
        Content.assemble((example.ljust(width), "bold $accent"), words) for example, words in FILTER_HELP
    ]
    fields = Content.assemble(("Fields  ", "$text-muted"), ", ".join(FIELDS))
    return Content("\n").join([*lines, Content(""), fields])
