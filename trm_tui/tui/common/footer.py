"""The line at the bottom: the keys that matter most here, from the key table; each can be clicked."""

from __future__ import annotations

from textual.content import Content
from textual.events import Click
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from trm_tui.tui.bindings import first_sign
from trm_tui.tui.host import host_of
from trm_tui.tui.keys import Key, Where, keys_of


class KeyFooter(Widget):
    """Shows as many keys as there is room for; help is always there."""

    DEFAULT_CSS = """
    KeyFooter { dock: bottom; height: 1; width: 1fr; background: $footer-background; }
    """

    has_run: reactive[bool] = reactive(False)
    """Is a run open? Without one, its keys are not shown."""

    def __init__(self, where: Where) -> None:
        super().__init__()
        self._where = where

    def render(self) -> Content:
        """Fit the keys into the line: the last two always, the others as far as there is room."""
        always = [self._part(key) for key in keys_of("app") if key.id in _ALWAYS]
        room = self.size.width - sum(part.cell_length for part in always)
        if room < 0:
            return always[-1].truncate(self.size.width)
        parts: list[Content] = []
        for part in self._parts():
            if part.cell_length <= room:
                room -= part.cell_length
                parts.append(part)
        return Content("").join([*parts, *always])

    async def on_click(self, event: Click) -> None:
        """Do what the key under the mouse does."""
        if (binding := event.style.meta.get("binding")) is not None:
            await host_of(self.app).action_press_binding(binding)

    def _parts(self) -> list[Content]:
        """Return what is shown while there is room, the most useful first."""
        of_app = [key for key in keys_of("app") if key.footer and key.id not in _ALWAYS]
        of_run = [self._part(key) for key in of_app if key.id.startswith("run.") and self.has_run]
        rest = [self._part(key) for key in of_app if not key.id.startswith("run.")]
        of_screen = [self._part(key) for key in keys_of(self._where) if key.footer]
        if self._where == "dashboard":
            return [*of_run[:3], self._screens(), *of_run[3:], *rest, *of_screen]
        return [*of_screen, self._screens(), *of_run, *rest]

    def _part(self, key: Key) -> Content:
        shown = host_of(self.app).keymap.shown(key)
        return _hint(first_sign(shown), key.label).stylize(Style.from_meta({"binding": key.id}))

    def _screens(self) -> Content:
        """Return one hint for the keys of all screens."""
        keymap = host_of(self.app).keymap
        keys = [first_sign(keymap.shown(key)) for key in keys_of("app") if key.id.startswith("go.")]
        return _hint(" ".join(keys), "screens")


def _hint(keys: str, label: str) -> Content:
    return Content.assemble(
        (f" {keys}", "bold $footer-key-foreground"), (f" {label} ", "$footer-description-foreground")
    )


_ALWAYS = ("app.help", "app.commands")
