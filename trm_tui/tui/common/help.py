"""All keys, from the one table."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from trm_tui.tui.bindings import signs
from trm_tui.tui.common.dialogs import Reading
from trm_tui.tui.keymap import Keymap
from trm_tui.tui.keys import WHERE_TITLES, Where, keys_of

_KEYS = 16
_SLOTS = "slot."


class HelpScreen(Reading):
    """The keys of one screen, then those that work everywhere."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark,q", "close", show=False)]

    def __init__(self, where: Where) -> None:
        super().__init__("Keys", Content(""))
        self._where = where

    def compose(self) -> ComposeResult:
        """Show the keys as they are now, keymap included."""
        self._content = keys_text(self._where, getattr(self.app, "keymap", Keymap({})))
        yield from super().compose()


def keys_text(where: Where, keymap: Keymap) -> Content:
    """Return the keys of a screen and of the app, one a line."""
    lines: list[Content] = []
    parts: list[Where] = [where, "app"]
    for part in dict.fromkeys(parts):
        lines += [Content.styled(WHERE_TITLES[part], "bold $accent")]
        for key in keys_of(part):
            if key.id.startswith(_SLOTS) and key.id[len(_SLOTS) :].isdecimal():
                continue
            shown = signs(keymap.shown(key))
            column = f"  {shown.ljust(_KEYS)}" if len(shown) < _KEYS else f"  {shown} "
            lines.append(Content.assemble((column, "bold"), (key.help, "$foreground")))
        if part == "app":
            text = ("  1 … 9".ljust(_KEYS + 2), "bold")
            lines.append(Content.assemble(text, "Show that run; nothing starts or stops (space does)"))
        lines.append(Content(""))
    lines.append(
        Content.styled("keymap.toml in the configuration folder changes any of them.", "$text-muted")
    )
    return Content("\n").join(lines)
