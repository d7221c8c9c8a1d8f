"""All keys, from the one table."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content

from trm_tui.tui.bindings import signs
from trm_tui.tui.common.dialogs import Reading
from trm_tui.tui.keymap import Keymap
from trm_tui.tui.keys import WHERE_TITLES, Where, keys_of

_KEYS = 16
_SLOTS = "slot."


class HelpScreen(Reading):
    """The keys of one screen, then those that work everywhere."""

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
            lines.append(Content.assemble((f"  {shown.ljust(_KEYS)}", "bold"), (key.help, "$foreground")))
        if part == "app":
            text = ("  1 … 9".ljust(_KEYS + 2), "bold")
            lines.append(
                Content.assemble(text, "Switch to that run; the one that trains is saved and paused")
            )
        lines.append(Content(""))
    lines.append(
        Content.styled("keymap.toml in the configuration folder changes any of them.", "$text-muted")
    )
    return Content("\n").join(lines)
