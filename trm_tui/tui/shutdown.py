"""Leaving the app in good order: every way out saves what trains and waits for it."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

from textual.app import App
from textual.timer import Timer

from trm_tui.shared.signals import stopping_signals
from trm_tui.tui.common.dialogs import Answer, Choice, Waiting
from trm_tui.tui.host import Host
from trm_tui.workbench.snapshot import RunState

_IMPATIENT = signal.SIGINT  # a second one does not wait
_WOULD_LOSE: frozenset[RunState] = frozenset({"waiting", "preparing", "running", "pausing", "stopping"})
_POLL_SECONDS = 0.1


class Leaving:
    """Asks, stops all runs, waits until they are saved, and exits the app with a code."""

    def __init__(self, app: App[int], host: Host) -> None:
        self._app = app
        self._host = host
        self._timer: Timer | None = None
        self._when_done: Timer | None = None
        self.when_done = False
        """Whether the app leaves as soon as nothing trains any more."""
        self.abandoned = False
        """Whether a person could not wait: the process is to end at once, with the checkpoints it has."""

    def watch_signals(self) -> None:
        """Let signals that ask the process to end do what `leave` does."""
        loop = asyncio.get_running_loop()
        for number in stopping_signals():
            leave = self.leave if number == _IMPATIENT else self.leave_once
            # What asyncio raises on systems without signals, and in threads other than the main one.
            with suppress(RuntimeError, ValueError):
                loop.add_signal_handler(number, leave, 128 + number, f"signal {int(number)}")

    def ask(self) -> None:
        """Leave, after a question where something is training or unsaved."""
        training = [slot for slot in self._host.workbench.slots() if slot.state in _WOULD_LOSE]
        unsaved = self._host.unsaved()
        if not training and not unsaved:
            self.leave(0)
            return
        if self.when_done:
            self._ask_again()
            return
        words = [f"{slot.title} is {slot.state}." for slot in training]
        words += [f"{what} not saved as a file." for what in unsaved]
        answers = [Answer("s", "Save the runs and quit" if training else "Quit", "save")]
        if training:
            answers.append(Answer("w", "Quit when training finishes", "wait"))
        answers.append(Answer("c", "Stay", "stay"))
        self._app.push_screen(Choice("Quit", " ".join(words), answers), self._answered)

    def _ask_again(self) -> None:
        answers = [
            Answer("s", "Save the runs and quit now", "save"),
            Answer("w", "Quit when training finishes", "wait"),
            Answer("c", "Stay open", "open"),
        ]
        text = "The app quits when training finishes."
        self._app.push_screen(Choice("Quit", text, answers), self._answered)

    def leave(self, code: int, reason: str = "the app was closed") -> None:
        """Save everything and exit with `code`. Asked a second time, exit at once."""
        app = self._app
        if self._timer is not None:
            self.abandoned = True
            app.exit(code)
            return
        self._host.workbench.stop_all(reason)
        if self._host.workbench.ended():
            app.exit(code)
            return
        app.push_screen(
            Waiting("Saving", "The runs are being saved. ctrl+c leaves at once, with the last checkpoints.")
        )
        self._timer = app.set_interval(_POLL_SECONDS, lambda: self._exit_when_ended(code))

    def leave_once(self, code: int, reason: str) -> None:
        """Leave, unless that has begun."""
        if self._timer is None:
            self.leave(code, reason)

    def _answered(self, answer: str | None) -> None:
        if answer == "save":
            self.leave(0)
        elif answer == "open":
            self.when_done = False
            self._host.refresh_now()
        elif answer == "wait":
            self.when_done = True
            self._host.refresh_now()
            self._when_done = self._when_done or self._app.set_interval(_POLL_SECONDS, self._leave_when_done)

    def _leave_when_done(self) -> None:
        if (
            self.when_done
            and self._timer is None
            and not any(s.state in _WOULD_LOSE for s in self._host.workbench.slots())
        ):
            self.leave(0)

    def _exit_when_ended(self, code: int) -> None:
        if self._host.workbench.ended():
            self._app.exit(code)
