"""All keys, from the one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from trm_tui.tui.bindings import signs
from trm_tui.tui.common.dialogs import Reading, boxed
from trm_tui.tui.keymap import Keymap
from trm_tui.tui.keys import WHERE_TITLES, Where, keys_of

_KEYS = 16
_SLOTS = "slot."


class HelpScreen(Reading):
    """The keys of one screen, then those that work everywhere."""

    DEFAULT_CSS = """
    HelpScreen > .box { height: 96%; }
    HelpScreen VerticalScroll { height: 1fr; }
    HelpScreen Input { height: 1; margin: 0; border: none; &:focus { border: none; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,q", "close", show=False),
        Binding("slash", "search", show=False),
    ]

    def __init__(self, where: Where) -> None:
        super().__init__("Keys", Content(""))
        self._where = where

    def compose(self) -> ComposeResult:
        """Show the keys as they are now, keymap included."""
        self._keymap = getattr(self.app, "keymap", Keymap({}))
        with boxed(self._title, "/ search · ↑ ↓ scroll · esc back"):
            yield Input(placeholder="/ searches keys and what they do", compact=True)
            with VerticalScroll():
                yield Static(keys_text(self._where, self._keymap))

    def on_mount(self) -> None:
        """Let the arrows scroll from the beginning."""
        self.query_one(VerticalScroll).focus()

    def action_search(self) -> None:
        """Go to the field."""
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self.query_one(Static).update(keys_text(self._where, self._keymap, event.value))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.query_one(VerticalScroll).focus()


def keys_text(where: Where, keymap: Keymap, sought: str = "") -> Content:
    """Return the keys of a screen and of the app, one a line: those with all words that are searched for."""
    lines: list[Content] = []
    words = sought.casefold().split()
    parts: list[Where] = [where, "app"]
    for part in dict.fromkeys(parts):
        rows = [(shown, text) for shown, text in _rows(part, keymap) if _has(f"{shown} {text}", words)]
        if not rows:
            continue
        lines += [Content.styled(WHERE_TITLES[part], "bold $accent")]
        for shown, text in rows:
            column = f"  {shown.ljust(_KEYS)}" if len(shown) < _KEYS else f"  {shown} "
            lines.append(Content.assemble((column, "bold"), (text, "$foreground")))
        lines.append(Content(""))
    if not lines:
        lines += [Content("No key does that."), Content("")]
    lines.append(
        Content.styled("keymap.toml in the configuration folder changes any of them.", "$text-muted")
    )
    return Content("\n").join(lines)


def _rows(part: Where, keymap: Keymap) -> Iterator[tuple[str, str]]:
    for key in keys_of(part):
        if not (key.id.startswith(_SLOTS) and key.id[len(_SLOTS) :].isdecimal()):
            yield signs(keymap.shown(key)), key.help
    if part == "app":
        yield "1 … 9", "Show that run; nothing starts or stops (space does)"


def _has(text: str, words: Sequence[str]) -> bool:
    return all(word in text.casefold() for word in words)
