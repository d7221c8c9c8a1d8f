"""The command palette: every row of the key table, every preset, every session, every theme."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from trm_engine.errors import TrmError
from trm_engine.sessions import SessionRecord
from trm_engine.text import safe_text
from trm_tui.tui.bindings import signs
from trm_tui.tui.host import Host, host_of
from trm_tui.tui.keys import TABLE


@dataclass(frozen=True)
class Command:
    """One line of the palette."""

    name: str
    help: str
    run: Callable[[], object]
    listed: bool = True
    """Is it shown before anything is typed?"""


class Commands(Provider):
    """Finds commands by name."""

    _records: list[SessionRecord]

    async def startup(self) -> None:
        """Read the sessions, beside the app's own thread."""
        self._records = []
        try:
            self._records = await asyncio.to_thread(self._trm.store.list)
        except TrmError as error:
            self._trm.say(str(error), "error")

    async def discover(self) -> Hits:
        """Offer what there is before anything is typed."""
        for command in self.commands():
            if command.listed:
                yield DiscoveryHit(command.name, command.run, command.name, help=command.help)

    async def search(self, query: str) -> Hits:
        """Offer what matches."""
        matcher = self.matcher(query)
        for command in self.commands():
            score = matcher.match(command.name)
            if score > 0:
                yield Hit(
                    score, matcher.highlight(command.name), command.run, command.name, help=command.help
                )

    def commands(self) -> Iterator[Command]:
        """Yield every command: what can be done here first."""
        app = self._trm
        where = getattr(self.screen, "where", "app")
        for key in TABLE:
            if key.palette and key.where in (where, "app"):
                keys = signs(app.keymap.shown(key))
                run = partial(app.run_key, key.id)
                yield Command(_sentence(key.label), f"{keys}  {key.help}", run)
        if app.server.running:
            yield Command("Stop the puzzle server", app.server.address, app.toggle_server)
        else:
            yield Command("Serve puzzles in the browser", "A page on the trained models", app.toggle_server)
        for preset in app.presets:
            config, name = preset.config, preset.name
            yield Command(
                f"Run {name}", config.title, partial(app.start_run, config, preset=name), listed=False
            )
            yield Command(
                f"Edit {name}", config.title, partial(app.edit_config, config, origin=name), listed=False
            )
        for record in reversed(self._records):
            name = safe_text(record.name or record.preset)
            run = partial(app.resume_run, record.id)
            yield Command(f"Resume {name} {record.id}", f"{record.status}", run, listed=False)
        for theme in sorted(app.available_themes):
            yield Command(f"Theme {theme}", "Change the colours", partial(app.set_theme, theme), listed=False)

    @property
    def _trm(self) -> Host:
        return host_of(self.app)


def _sentence(label: str) -> str:
    return label[:1].upper() + label[1:]
