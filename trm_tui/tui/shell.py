"""What the app is before it shows anything: settings, keys, themes, toasts, and output not its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from textual import events
from textual.app import App

from trm_engine.errors import TrmError
from trm_engine.paths import config_folder
from trm_engine.sessions import Store
from trm_engine.text import safe_text
from trm_tui.tui.gil import Interpreter
from trm_tui.tui.keymap import load_keymap
from trm_tui.tui.terminal import StrayOutput
from trm_tui.tui.theme import DARK, LIGHT, OVERLAYS_ON_DARK, OVERLAYS_ON_LIGHT, THEMES
from trm_tui.workbench.notices import desktop_notification
from trm_tui.workbench.settings import Settings, read_settings, save_settings
from trm_tui.workbench.workbench import Workbench

Said = Literal["information", "warning", "error"]
_LONGEST_TOAST = 500
_IN_16_COLOURS = {DARK.name: "ansi-dark", LIGHT.name: "ansi-light"}


class Shell(App[int], inherit_bindings=False):
    """Remembers settings, speaks to people, and drives a workbench."""

    def __init__(
        self,
        workbench: Workbench,
        config_dir: Path | None,
        stray: StrayOutput | None,
        interpreter: Interpreter | None,
    ) -> None:
        self.workbench = workbench
        self.config_dir = config_dir or config_folder()
        self.settings, self.ignored = read_settings(self.config_dir)
        self.keymap = load_keymap(self.config_dir)
        self.stray = stray
        self.interpreter = interpreter
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)

    @property
    def store(self) -> Store:
        """The sessions on disk."""
        return self.workbench.store

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the colours of other sessions' curves, which no line of a run's own has in any theme."""
        colours = OVERLAYS_ON_DARK if self.current_theme.dark else OVERLAYS_ON_LIGHT
        return {f"overlay-{number}": colour for number, colour in enumerate(colours, 1)}

    def first_theme(self) -> str:
        """Return the theme to begin with: the chosen one, or its like in the terminal's own 16 colours."""
        chosen = self.settings.theme if self.settings.theme in self.available_themes else DARK.name
        if self.console.color_system == "standard" and not self.is_headless:
            return _IN_16_COLOURS.get(chosen, chosen)
        return chosen

    def refresh_now(self) -> None:
        """Show what a command has changed, without waiting for the timer."""

    def say(self, message: str, severity: Said = "information") -> None:
        """Show a toast. The text may come from anywhere."""
        self.notify(safe_text(message)[:_LONGEST_TOAST], severity=severity, markup=False)

    def alert(self, text: str) -> None:
        """Call a person who looks elsewhere: the terminal's bell, and the desktop where it can be reached."""
        if self.settings.bell:
            self.bell()
        if self._driver is not None and (sequence := desktop_notification(safe_text(text))):
            self._driver.write(sequence)

    def guard(self, command: Callable[..., object], *args: object, **kwargs: object) -> bool:
        """Call a command; an error for people becomes a toast. Return whether it went well."""
        try:
            command(*args, **kwargs)
        except TrmError as error:
            self.say(str(error), "error")
            return False
        self.refresh_now()
        return True

    async def on_event(self, event: events.Event) -> None:
        """Let what a person does come before training."""
        if self.interpreter is not None and isinstance(event, events.InputEvent) and not event.is_forwarded:
            self.interpreter.answer()
        await super().on_event(event)

    def on_print(self, event: events.Print) -> None:
        """Send what Python prints the way of all stray output."""
        if self.stray is not None:
            self.stray.write(event.text)

    def remember(self, **changes: object) -> None:
        """Change settings, and keep them for the next start."""
        self.settings = Settings.model_validate({**self.settings.model_dump(), **changes})
        with suppress(OSError):  # a setting that cannot be kept is no reason to stop
            save_settings(self.settings, self.config_dir)

    def set_theme(self, name: str) -> None:
        """Change the colours, and keep them for the next start."""
        self.theme = name
        self.remember(theme=name)
