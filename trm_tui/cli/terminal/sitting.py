"""A training sitting in the terminal: signals, what is printed, and the exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from trm_engine.compute.group import Group
from trm_engine.errors import CancelledError
from trm_engine.training.control import Control
from trm_engine.training.events import Finished
from trm_engine.training.run import Sitting
from trm_tui.cli.terminal.output import notice
from trm_tui.cli.terminal.printers import Printer
from trm_tui.cli.terminal.streams import Output, best_effort
from trm_tui.shared.signals import stopping_signals


@contextmanager
def seated(
    printer: Printer,
    *,
    seconds: float | None = None,
    steps: int | None = None,
    can_be_called_off: bool = True,
    group: Group | None = None,
) -> Iterator[Sitting]:
    """Provide a sitting whose events are printed, and which signals stop cleanly.

    The first signal is only noted: the trainer finishes its micro-batch, saves and returns; where there is no
    run yet, preparing it raises `CancelledError`, unless `can_be_called_off` is false. A second SIGINT leaves
    at once; the last checkpoint on disk stays sound. Printing is best effort: a reader that leaves and a full
    disk behind stdout or stderr do not touch the run.
    """
    control = Control()

    def note(number: int, _frame: FrameType | None) -> None:
        if control.stopping and number == signal.SIGINT:
            os._exit(128 + number)
        control.stop_by_signal(number)

    def preparing(what: str, done: int, total: int) -> None:
        with suppress(Exception):  # what shows the work must not end it
            printer.preparing(what, done, total)
        if control.signal_number and can_be_called_off:
            raise CancelledError(control.signal_number)

    before = {number: signal.signal(number, note) for number in stopping_signals()}
    try:
        with best_effort(), printer:
            yield Sitting(control, [printer], seconds, steps, preparing, group=group)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    _tell_of_lost_output()


def _tell_of_lost_output() -> None:
    stream: object = sys.stdout
    error = stream.lost if isinstance(stream, Output) else None
    if error is not None and not isinstance(error, BrokenPipeError):
        with suppress(OSError):
            notice(f"warning: stdout could not be written ({error.strerror}); the run is not touched by that")


def exit_code(finished: Finished, sitting: Sitting) -> int:
    """Return 0 for a run that ended well, 128 + n after signal n, else what the run says (`Finished`)."""
    if sitting.control.signal_number:
        return 128 + sitting.control.signal_number
    return finished.exit_code
