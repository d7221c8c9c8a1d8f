"""The line at the bottom: the keys that matter most here, from the key table; each can be clicked."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.events import Click
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from trm_tui.tui.bindings import first_sign
from trm_tui.tui.host import host_of
from trm_tui.tui.keys import Key, Where, keys_of

_ALWAYS = ("app.help", "app.commands")
_SCREENS = "go."


class KeyFooter(Widget):
    """Shows as many of the keys that can be used now as there is room for; help is always there."""

    DEFAULT_CSS = """
    KeyFooter { dock: bottom; height: 1; width: 1fr; background: $footer-background; }
    """

    offered: reactive[Sequence[tuple[Key, str]]] = reactive(())
    """The rows that can be used now, and what each does now."""

    def __init__(self, where: Where) -> None:
        super().__init__()
        self._where = where

    def render(self) -> Content:
        """Fit the keys into the line: the last two always, the others as far as there is room."""
        always = [self._part(key, key.label) for key in keys_of("app") if key.id in _ALWAYS]
        room = self.size.width - sum(part.cell_length for part in always)
        if room < 0:
            return always[-1].truncate(self.size.width)
        of_run, rest, of_screen = self._groups()
        short, long = self._screens(named=False), self._screens(named=True)
        first = [*of_run[:3], *of_screen] if self._where == "dashboard" else of_screen
        then = [*of_run[3:], *rest] if self._where == "dashboard" else [*of_run, *rest]
        wanted = sum(part.cell_length for part in (*first, *then, long))
        screens = long if wanted <= room else short
        order = [*first[:3], screens, *first[3:], *then]
        kept: list[Content] = []
        for part in order:
            if part.cell_length <= room:
                room -= part.cell_length
                kept.append(part)
        return Content("").join([*kept, *always])

    async def on_click(self, event: Click) -> None:
        """Do what the key under the mouse does."""
        if (binding := event.style.meta.get("binding")) is not None:
            await host_of(self.app).action_press_binding(binding)

    def _groups(self) -> tuple[list[Content], list[Content], list[Content]]:
        """Return what drives the run, what else works everywhere, and what belongs to this screen."""
        shown = [(key, label) for key, label in self.offered if key.footer and key.id not in _ALWAYS]
        of_run = [self._part(key, label) for key, label in shown if key.id.startswith("run.")]
        of_screen = [self._part(key, label) for key, label in shown if key.where == self._where]
        rest = [
            self._part(key, label)
            for key, label in shown
            if key.where != self._where and not key.id.startswith(("run.", _SCREENS))
        ]
        return of_run, rest, of_screen

    def _part(self, key: Key, label: str) -> Content:
        shown = host_of(self.app).keymap.shown(key)
        return _hint(first_sign(shown), label).stylize(Style.from_meta({"binding": key.id}))

    def _screens(self, *, named: bool) -> Content:
        """Return the keys of the other screens; with room, of all with their names, this one marked."""
        keymap = host_of(self.app).keymap
        offered = dict(self.offered)
        parts = []
        for key in keys_of("app"):
            if not key.id.startswith(_SCREENS):
                continue
            here = key.id == f"{_SCREENS}{self._where}"
            if not here and key not in offered:
                continue
            if here and not named:
                continue  # two cells that another key needs more
            letter = _one_letter(first_sign(keymap.shown(key)))
            look = "bold $foreground on $panel" if here else "bold $footer-key-foreground"
            name = (f" {key.label} ", "$foreground on $panel" if here else "$footer-description-foreground")
            part = Content.assemble((f" {letter}", look), *([name] if named else []))
            parts.append(part.stylize(Style.from_meta({"binding": key.id})))
        if not named:
            parts.append(Content.styled(" screens ", "$footer-description-foreground"))
        return Content("").join(parts)


def _one_letter(sign: str) -> str:
    """Return shift+s as S: among single letters that is read rightly, and leaves room for other keys."""
    before, shift, letter = sign.partition("shift+")
    return letter.upper() if shift and not before and len(letter) == 1 else sign


def _hint(keys: str, label: str) -> Content:
    return Content.assemble(
        (f" {keys}", "bold $footer-key-foreground"), (f" {label} ", "$footer-description-foreground")
    )
