"""Drives the configuration editor in tests: opens it on a small configuration, presses, waits, looks.

Opening the app takes half a second, so the tests share one: `@shared` runs a test in it, on a fresh document.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from textual import _wait
from textual.content import Content
from textual.pilot import Pilot
from textual.widget import Widget

from tests.trm_tui.app_pilot import toasts
from tests.trm_tui.fake_engine import BUSY, LAPTOP, FakeWorkbench
from trm_engine.config import Config
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_engine.text import safe_text
from trm_tui.tui.app import TrmApp
from trm_tui.tui.editor.form import ConfigForm
from trm_tui.tui.editor.row import FieldRow
from trm_tui.tui.editor.screen import ConfigScreen
from trm_tui.workbench.editor.document import Document
from trm_tui.workbench.editor.draft import Draft, Origin

SIX = Config(title="Six", task=SudokuConfig(box_cols=3, train_size=3000))
SIZE = (80, 24)
_DEADLINE_SECONDS = 10.0
_LOOK_SECONDS = 0.005
_WAIT_SECONDS = 0.002


@dataclass
class Desk:
    """The editor under test."""

    app: TrmApp
    pilot: Pilot[int]

    @property
    def bench(self) -> FakeWorkbench:
        assert isinstance(self.app.workbench, FakeWorkbench)
        return self.app.workbench

    @property
    def screen(self) -> ConfigScreen:
        """The editor, also while a dialog stands before it."""
        (found,) = (screen for screen in self.app.screen_stack if isinstance(screen, ConfigScreen))
        return found

    @property
    def form(self) -> ConfigForm:
        return self.screen.form

    @property
    def draft(self) -> Draft:
        assert self.screen.draft is not None
        return self.screen.draft

    @property
    def toasts(self) -> str:
        return toasts(self.app)

    def text(self, selector: str = "*") -> str:
        """Return what widgets of the screen that is seen say."""
        return "\n".join(_said(widget) for widget in self.app.screen.query(selector) if widget.display)

    def words(self, selector: str = "*") -> str:
        """Return what widgets say without its line breaks."""
        return " ".join(self.text(selector).split())

    def row(self, key: str) -> FieldRow:
        return next(row for row in self.screen.query(FieldRow) if row.key == key)

    def listed(self) -> list[str]:
        return [row.key for row in self.screen.query(FieldRow) if row.display]

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other has been dealt with."""
        await self.app._press_keys(keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Type text."""
        await self.press(*("space" if sign == " " else sign for sign in text))

    async def edit(self, key: str, text: str) -> None:
        """Replace what stands in a field by typing, and close it."""
        self.form.go_to(key)
        await self.press("enter", "end", "ctrl+u", *text, "enter")

    async def set(self, key: str, text: str) -> None:
        """Have text stand in a field, without the keys that `edit` presses."""
        assert self.screen.document is not None
        self.screen.document.type(key, text)
        self.screen.document.seal()
        self.screen.refresh_all()
        self.form.go_to(key)
        await self.pilot.pause()

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait for what another thread works out."""
        for _ in range(int(_DEADLINE_SECONDS / _LOOK_SECONDS)):
            if holds():
                await self.pilot.pause()
                return
            await asyncio.sleep(_LOOK_SECONDS)
        raise AssertionError(f"did not come to hold; the screen says: {self.text()}")

    async def seen(self, screen: type) -> None:
        """Wait until a screen of this kind is the one that is seen."""
        await self.until(lambda: isinstance(self.app.screen, screen))

    async def advised(self) -> None:
        """Wait until the fit of the draft as it is now is shown."""
        await self.until(lambda: self.screen._advice is not None and self.screen._advice.draft is self.draft)
        await self.pilot.pause()

    async def begin_anew(self, config: Config = SIX) -> None:
        """Forget what an earlier test did."""
        while not isinstance(self.app.screen, ConfigScreen):
            if self.app.screen.is_modal:
                self.app.pop_screen()
            else:
                self.app.switch_mode("config")
            await self.pilot.pause()
        if self.app.size != SIZE:
            await self.pilot.resize_terminal(*SIZE)
        self.bench.runs, self.bench.active, self.bench.sample, self.bench.detected = {}, 0, BUSY, LAPTOP
        self.app.clear_notifications()
        self.screen.cancel()
        self.screen.plan_for(None)
        self.screen.edit_document(Document(Origin("six", config)))
        await self.pilot.pause()
        self.form.go_to("task.box_rows")
        await self.advised()


class SharedDesk:
    """An app in a thread of its own, in which one test after another runs."""

    def __init__(self, app: TrmApp) -> None:
        self._app = app
        self._ready, self._failure = threading.Event(), []
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()))

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def run(self, test: Callable[[Desk], Awaitable[None]]) -> None:
        """Run a test to its end."""
        asyncio.run_coroutine_threadsafe(self._within(test), self._loop).result()

    async def _live(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with editing(self._app) as self._desk:
            self._ready.set()
            await self._over.wait()

    async def _within(self, test: Callable[[Desk], Awaitable[None]]) -> None:
        with self._app._context():
            await self._desk.begin_anew()
            await test(self._desk)


@contextmanager
def sharing(folder: Path) -> Iterator[SharedDesk]:
    """Open the app that tests share."""
    desk = SharedDesk(TrmApp(FakeWorkbench(folder / "sessions"), config_dir=folder / "config"))
    desk.start()
    try:
        yield desk
    finally:
        desk.stop()


def shared(test: Callable[[Desk], Awaitable[None]]) -> Callable[[SharedDesk], None]:
    """Make a test of one that drives the editor; the module has a fixture `desk` that shares an app."""

    def run(desk: SharedDesk) -> None:
        desk.run(test)

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@asynccontextmanager
async def editing(
    app: TrmApp, config: Config = SIX, *, size: tuple[int, int] = SIZE, origin: str = "six"
) -> AsyncIterator[Desk]:
    """Open the editor on a configuration."""
    with quick():
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            app.edit_config(config, origin=origin)
            await pilot.pause()
            desk = Desk(app, pilot)
            await desk.seen(ConfigScreen)
            await desk.until(lambda: desk.draft.origin.name == safe_text(origin))
            await desk.advised()
            yield desk


@contextmanager
def quick() -> Iterator[None]:
    """Have the pilot look more often whether the app has come to rest, and no edit wait for another."""
    with (
        patch.object(_wait, "SLEEP_GRANULARITY", _WAIT_SECONDS),
        patch.object(_wait, "SLEEP_IDLE", _WAIT_SECONDS / 20),
        patch("trm_tui.tui.editor.view._DEBOUNCE_SECONDS", 0.0),
    ):
        yield


def _said(widget: Widget) -> str:
    rendered = widget.render() if widget.is_attached else ""
    titles = [str(title) for title in (widget.border_title, widget.border_subtitle) if title]
    plain = rendered.plain if isinstance(rendered, Content) else rendered if isinstance(rendered, str) else ""
    return " ".join([*titles, plain])
