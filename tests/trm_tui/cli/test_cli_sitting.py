"""Signals that come before there is a run."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from trm_engine.errors import CancelledError
from trm_tui.cli.terminal.printers import QuietPrinter
from trm_tui.cli.terminal.sitting import seated


def prepare_until(number: signal.Signals) -> None:
    with seated(QuietPrinter()) as seat:
        assert seat.progress is not None
        seat.progress("generating puzzles", 1, 10)
        os.kill(os.getpid(), number)
        seat.progress("generating puzzles", 2, 10)


@pytest.fixture(autouse=True)
def nothing_ignored() -> Iterator[None]:
    """Who runs the tests may have had signals ignored, as `nohup` does."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    before = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_while_data_are_prepared_ends_the_sitting(number: signal.Signals, capsys) -> None:
    before = signal.getsignal(number)
    with pytest.raises(CancelledError, match="nothing was trained") as raised:
        prepare_until(number)
    assert raised.value.exit_code == 128 + number
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT])
def test_a_signal_that_was_ignored_at_the_start_stays_ignored(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_IGN)
    prepare_until(number)
    assert signal.getsignal(number) is signal.SIG_IGN


def test_what_shows_the_preparation_cannot_end_it() -> None:
    class Failing(QuietPrinter):
        def preparing(self, what: str, done: int, total: int) -> None:
            raise ValueError("no room for a bar")

    with seated(Failing()) as seat:
        assert seat.progress is not None
        seat.progress("generating puzzles", 1, 10)
