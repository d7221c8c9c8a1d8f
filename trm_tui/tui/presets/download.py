"""Data that are missing: what to say of them, and downloading them before a run begins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import Static

from trm_engine.config import Config
from trm_engine.config.sections import TaskConfig
from trm_engine.errors import CancelledError, TrmError
from trm_engine.tasks.availability import Availability, availability, fetch_data
from trm_engine.text import format_bytes, one_line, safe_text
from trm_tui.tui.common.dialogs import Answer, Choice, Dialog, boxed
from trm_tui.tui.common.gauges import progress_bar
from trm_tui.tui.host import host_of

_FRAME_SECONDS = 0.1
_AROUND = 6
_LONGEST_SOURCE = 40


class Download(Dialog[bool]):
    """Downloads a task's data at once; esc calls it off. Answers whether they are here now."""

    def __init__(self, task: TaskConfig, source: str) -> None:
        super().__init__()
        self._wanted, self._source = task, source
        self._now = ("asking the server…", 0, 0)
        self._failure = ""
        self._fetched = self._called_off = False

    def compose(self) -> ComposeResult:
        """Show how far it is."""
        with boxed(f"Download {one_line(self._source, _LONGEST_SOURCE)}", "esc cancel"):
            yield Static(id="what", classes="text", markup=False)
            yield Static(id="bar")

    def on_mount(self) -> None:
        """Begin, in a thread that no end of the app waits for: it may hang in the network."""
        self.set_interval(_FRAME_SECONDS, self._show)
        threading.Thread(target=self._fetch, name="download", daemon=True).start()
        self._show()

    def on_unmount(self) -> None:
        """Let the thread end."""
        self._called_off = True

    def action_close(self) -> None:
        """Call it off, or leave what has failed."""
        self._called_off = True
        self.dismiss(False)

    def _fetch(self) -> None:
        try:
            fetch_data(self._wanted, self._progress)
        except CancelledError:
            return
        except TrmError as error:
            self._failure = str(error)
        else:
            self._fetched = True

    def _progress(self, what: str, done: int, total: int) -> None:
        if self._called_off:
            raise CancelledError
        self._now = (what, done, total)

    def _show(self) -> None:
        if self._fetched and not self._called_off:
            self._called_off = True  # answered once
            self.dismiss(True)
            return
        what, done, total = self._now
        if self._failure:
            text = Content.styled(safe_text(self._failure), "$text-error")
            self.query_one(".box").border_subtitle = Content("esc back")
        else:
            size = f" {format_bytes(done)} of {format_bytes(total)}" if total else ""
            text = Content(f"{safe_text(what)}{size}")
        self.query_one("#what", Static).update(text)
        width = max(self.query_one(".box").size.width - _AROUND, 8)
        shown = Content("") if self._failure else progress_bar(done / total if total else 0, width)
        self.query_one("#bar", Static).update(shown)


def with_data(app: App[Any], config: Config, then: Callable[[], object]) -> None:
    """Call `then` as soon as a configuration's data are here: at once, or after a download that is asked for.

    Where they cannot be downloaded, a person is told what to do, and nothing is begun.
    """
    found = availability(config.task)
    if found.ready:
        then()
    elif found.state != "download":
        host_of(app).say(found.sentence, "error")
    else:
        answers = [
            Answer("d", "Download it, then train", True),
            Answer("k", "Not now", False),
        ]
        title = f"{one_line(found.source, _LONGEST_SOURCE)} is not here"

        def answered(yes: bool | None) -> None:
            if yes:
                _fetch_then(app, config, found, then)

        app.push_screen(Choice(title, _question(found), answers), answered)


def download_for(app: App[Any], config: Config) -> None:
    """Download a configuration's data, or say why there is nothing to download."""
    host, found = host_of(app), availability(config.task)
    if found.state == "download":
        _fetch_then(app, config, found, host.read_presets)
    else:
        host.say(found.sentence or "There is nothing to download: its data are here.", "warning")


def _fetch_then(app: App[Any], config: Config, found: Availability, then: Callable[[], object]) -> None:
    def done(here: bool | None) -> None:
        if here:
            then()

    app.push_screen(Download(config.task, found.source), done)


def _question(found: Availability) -> str:
    if not found.size:
        return "Training needs it. The server tells its size when the download begins."
    return f"Training needs it: {found.how_much} to download."
