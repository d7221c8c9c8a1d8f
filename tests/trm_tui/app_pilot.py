"""Drives any screen of the app in tests: presses keys, waits for what threads bring, reads what was said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeVar
from unittest.mock import patch

from textual.pilot import Pilot
from textual.screen import Screen

from trm_tui.tui.app import TrmApp
from trm_tui.tui.editor.screen import ConfigScreen
from trm_tui.tui.keys import Where, keys_of, names

SIZE = (100, 30)
_DEADLINE_SECONDS = 10.0
_S = TypeVar("_S", bound=Screen[object])


@dataclass
class AppPilot:
    """The app under test."""

    app: TrmApp
    pilot: Pilot[int]

    def only(self, kind: type[_S]) -> _S:
        """Return the screen of this kind, also while a dialog stands before it."""
        (found,) = (screen for screen in self.app.screen_stack if isinstance(screen, kind))
        return found

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], object]) -> None:
        await until(self.pilot, condition)


async def settle(pilot: Pilot[int]) -> None:
    """Let everything that was set in motion come to rest, and show it."""
    await pilot.pause()
    assert isinstance(pilot.app, TrmApp)
    pilot.app.tick()
    await pilot.pause()


async def come_to_be(condition: Callable[[], object]) -> None:
    """Wait until something has come to be, done by a thread of the app; the app may have been left then."""
    deadline = asyncio.get_running_loop().time() + _DEADLINE_SECONDS
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it never came to be"
        await asyncio.sleep(0.005)


async def until(pilot: Pilot[int], condition: Callable[[], object]) -> None:
    """Wait until something has come to be, done by a thread of the app, and is shown."""
    await come_to_be(condition)
    await pilot.pause()


async def open_editor(pilot: Pilot[int]) -> None:
    """Press `e`, and wait for what is edited."""
    await pilot.press("e")
    await until(pilot, lambda: isinstance(pilot.app.screen, ConfigScreen) and pilot.app.screen.draft)
    await settle(pilot)


async def go_to_setting(pilot: Pilot[int], setting: str) -> None:
    """Press `/`, type a setting's name and `enter`."""
    await pilot.press("slash", *setting, "enter")
    await pilot.pause()


def toasts(app: TrmApp) -> str:
    """Return what has been said."""
    return " ".join(notification.message for notification in app._notifications)


# --- keys -----------------------------------------------------------------------------------------------


def action_names(where: Where) -> set[str]:
    """Return the names of the actions that a table of keys asks for."""
    return {key.action.partition("(")[0] for key in keys_of(where)}


def noting(noted: list[str], name: str) -> Callable[..., None]:
    """Return what stands in for an action: it notes how it was called."""
    return lambda *arguments, **_: noted.append(f"{name}({', '.join(map(repr, arguments))})")


def as_noted(action: str) -> str:
    """Return the note that an action of a table leaves."""
    return action.replace('"', "'") if action.endswith(")") else f"{action}()"


async def notes_of_keys(
    where: Where, screen: Screen[object], press: Callable[[str], Awaitable[None]]
) -> tuple[list[str], list[str]]:
    """Press every key of a table on its screen, whose actions only take a note meanwhile.

    Returns the notes, and those that the table promises.
    """
    noted: list[str] = []
    wanted: list[str] = []
    with ExitStack() as replaced:
        for name in action_names(where):
            assert hasattr(screen, f"action_{name}")
            replaced.enter_context(patch.object(screen, f"action_{name}", noting(noted, name)))
        for key in keys_of(where):
            for pressed in names(key.keys):
                await press(pressed)
                wanted.append(as_noted(key.action))
    return noted, wanted
