"""The command palette: what can be done now, every setting, preset, session and theme."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from trm_engine.config import describe
from trm_engine.config.sections import TaskConfig
from trm_engine.errors import TrmError
from trm_engine.sessions import SessionRecord
from trm_engine.text import safe_text
from trm_tui.tui.bindings import signs
from trm_tui.tui.common.screen import ModeScreen
from trm_tui.tui.host import Host, host_of
from trm_tui.tui.keys import TABLE
from trm_tui.workbench.presets import about

_FUZZY = 0.4
"""How much letters that stand apart count: less than any word that is meant as it stands."""
_SHORTEST_FUZZY = 3
"""Fewer letters are sought as they stand: two are somewhere in every name."""

_DEEDS = {"Run": "run", "Edit": "edit", "Queue": "queue"}
"""What can be done with a preset."""
_GROUPS = {"yours": "; a preset of yours", "recent": "; recent", "shipped": ""}


@dataclass(frozen=True)
class Command:
    """One line of the palette."""

    name: str
    help: str
    run: Callable[[], object]
    listed: bool = True
    """Is it shown before anything is typed?"""
    keys: str = ""
    """What does the same; it is found by them too."""


class Commands(Provider):
    """Finds commands by name, by key and by any word of what they do."""

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
                yield DiscoveryHit(command.name, command.run, command.name, help=_line(command))

    async def search(self, query: str) -> Hits:
        """Offer what matches: by key, then by name, then by words of the description."""
        matcher = self.matcher(query)
        for command in self.commands():
            score = relevance(query, command)
            if not score and len(query) >= _SHORTEST_FUZZY:
                score = min(matcher.match(command.name), 1.0) * _FUZZY
            if score > 0:
                name = matcher.highlight(command.name)
                yield Hit(score, name, command.run, command.name, help=_line(command))

    def commands(self) -> Iterator[Command]:
        """Yield every command that can be carried out now, those of this screen first."""
        yield from self._of_keys()
        yield from self._of_runs()
        app = self._trm
        if app.server.running:
            yield Command("Stop the puzzle server", app.server.address, app.toggle_server)
        else:
            yield Command("Serve puzzles in the browser", "A page on the trained models", app.toggle_server)
        for info in describe(self._task):
            yield Command(f"Set {info.key}", info.help, partial(app.edit_setting, info.key), listed=False)
        for theme in sorted(app.available_themes):
            yield Command(f"Theme {theme}", "Change the colours", partial(app.set_theme, theme), listed=False)

    def _of_keys(self) -> Iterator[Command]:
        """Yield the rows of the key table that can be used now, under the names that they have now."""
        app, screen = self._trm, self.screen
        if not isinstance(screen, ModeScreen):
            return
        offered = dict(screen.offers(app.workbench.snapshot()))
        for key in TABLE:
            if key.palette and (label := offered.get(key)) is not None:
                keys = signs(app.keymap.shown(key))
                yield Command(_sentence(label), key.help, partial(app.run_key, key.id), keys=keys)

    def _of_runs(self) -> Iterator[Command]:
        """Yield what starts runs and shows sessions."""
        app = self._trm
        for preset in app.presets:
            what = f"{about(preset)}{_GROUPS[preset.group]}"
            for verb, deed in _DEEDS.items():
                yield Command(
                    f"{verb} {preset.name}", what, partial(app.take_preset, deed, preset), listed=False
                )
        for record in reversed(self._records):
            name = f"{safe_text(record.name or record.preset)} {record.id}"
            show = partial(app.view_session, record.id)
            yield Command(f"Show {name}", f"{record.status}; nothing is trained", show, listed=False)
            if record.status in ("stopped", "interrupted", "diverged", "failed", "imported"):
                resume = partial(app.resume_run, record.id)
                yield Command(f"Resume {name}", record.status, resume, listed=False)

    @property
    def _task(self) -> type[TaskConfig]:
        """The task whose settings are offered: that of the run on screen."""
        config = self._trm.workbench.snapshot().config
        return TaskConfig if config is None else type(config.task)

    @property
    def _trm(self) -> Host:
        return host_of(self.app)


def relevance(query: str, command: Command) -> float:
    """Return how well a command is meant by a query, 0 … 1: its key, its name, or words about it."""
    words = query.casefold().split()
    name, about = command.name.casefold(), f"{command.name} {command.help} {command.keys}".casefold()
    if query and query in command.keys.split():
        return 1.0
    if name.startswith(query.casefold()):
        return 0.9
    if all(word in name for word in words):
        return 0.8
    return 0.6 if words and all(word in about for word in words) else 0.0


def _line(command: Command) -> str:
    return f"{command.keys}  {command.help}" if command.keys else command.help


def _sentence(label: str) -> str:
    return label[:1].upper() + label[1:]
