"""The app as a person uses it: the real program in a real terminal, with real training."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal
from trm_engine.sessions import Store


def step_shown(text: str) -> int:
    """The step that the dashboard shows, −1 without one."""
    found = re.search(r"step\s+([\d,]+) of", text)
    return int(found[1].replace(",", "")) if found else -1


def exact_shown(text: str) -> float:
    """The exact accuracy that the dashboard shows, in percent; −1 before the first evaluation."""
    found = re.search(r"exact\s+([\d.]+) ?%", text)
    return float(found[1]) if found else -1.0


def test_a_day_with_the_app(tmp_path: Path) -> None:
    sessions, home = tmp_path / "sessions", tmp_path
    with Terminal(sessions=sessions, home=home) as app:
        app.wait("Pick a preset")
        app.settle()
        app.press("enter")
        app.wait(lambda text: exact_shown(text) >= 0)

        # A value that cannot be, and one that does not fit: the error in place, and a way out.
        app.press("e")
        app.wait("hidden_size")
        app.press("/", *"batch_size", "enter")
        app.wait("train.batch_size")
        app.press("enter", *["backspace"] * 6, *"0", "enter")
        app.wait("at least 1")
        app.wait("F2 batch_size 1")
        app.press("f2")
        app.wait(lambda text: "at least 1" not in text and "✓ fits" in text)
        app.press("escape")

        # A second experiment, and a look at the first by its digit: the second trains on meanwhile.
        app.press("d")
        app.wait("1 sudoku-4x4")
        app.press("n")
        app.wait("sudoku-6x6")
        app.press("down", "enter")
        app.wait(lambda text: "2 sudoku-6x6" in text and step_shown(text) > 0)
        app.press("1")
        app.wait(lambda text: "of 600" in text)
        app.press("2")
        app.wait(lambda text: "of 1,000" in text and step_shown(text) > 5)
        app.press("q")
        app.wait("Save the runs and quit")
        app.press("s")
        assert app.wait_for_end() == 0

    saved = {record.preset: record for record in Store(sessions).list()}
    assert saved.keys() == {"sudoku-4x4", "sudoku-6x6"}
    stopped = saved["sudoku-6x6"]
    assert stopped.status == "stopped"
    step = Store(sessions).get(stopped.id).load()[0].step
    assert step > 0

    with Terminal("resume", stopped.id, sessions=sessions, home=home) as app:
        app.wait(lambda text: step_shown(text) > step)
        app.press("\x03")
        app.wait_for_end()
    assert Store(sessions).get(stopped.id).load()[0].step > step


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_saves_the_run_and_gives_the_terminal_back(tmp_path: Path, number: signal.Signals) -> None:
    sessions = tmp_path / "sessions"
    with Terminal("run", "sudoku-4x4", sessions=sessions, home=tmp_path) as app:
        app.wait(lambda text: step_shown(text) > 0)
        app.signal(number)
        assert app.wait_for_end() == 128 + number
    (record,) = Store(sessions).list()
    assert record.status == "stopped"
    assert Store(sessions).get(record.id).load()[0].step > 0
