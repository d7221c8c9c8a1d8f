"""Signals that come before there is a run."""

from __future__ import annotations

import os
import signal

import pytest

from trm_tui.cli.sitting import CalledOffError, seated


def prepare_until(number: signal.Signals) -> None:
    with seated(quiet=True) as sitting:
        assert sitting.progress is not None
        sitting.progress("generating puzzles", 1, 10)
        os.kill(os.getpid(), number)
        sitting.progress("generating puzzles", 2, 10)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_data_are_prepared_ends_the_sitting(number: signal.Signals, capsys) -> None:
    before = signal.getsignal(number)
    with pytest.raises(CalledOffError, match="nothing was trained") as raised:
        prepare_until(number)
    assert raised.value.exit_code == 128 + number
    assert signal.getsignal(number) == before
