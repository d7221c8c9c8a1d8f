"""What a terminal and a shell do to a program: ctrl+z and fg, ctrl+c through a pipe, and going away."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.e2e.terminal import PATIENCE, SHELL, TRM, Terminal
from tests.e2e.test_app_in_a_terminal import step_shown
from trm_engine.sessions import Store

QUOTED = " ".join(TRM)
LONG = "run sudoku-4x4 --set train.steps=100000 --set eval.every=0 --set eval.target_accuracy=0"
PROMPT = "ready$"
FAILING = """
import trm_tui.tui.app
from trm_tui.cli.main import main

def fail(app):
    raise ZeroDivisionError("of no use \\x1b]0;title\\x07")

trm_tui.tui.app.TrmApp.read_presets = fail
main([])
"""


def shell(tmp_path: Path) -> Terminal:
    """Return a terminal with a shell in it that is ready for a command."""
    found = Terminal(sessions=tmp_path / "sessions", home=tmp_path, program=SHELL)
    found.process.send(f"PS1='{PROMPT} '; clear\n")
    found.wait(lambda text: text.startswith(PROMPT))
    return found


def the_only(tmp_path: Path) -> tuple[str, int]:
    """Return status and saved step of the only session, once its process has ended."""
    store = Store(tmp_path / "sessions")
    until = time.monotonic() + PATIENCE
    while True:
        (record,) = store.list()
        if record.status != "running":
            return record.status, store.get(record.id).load()[0].step
        assert time.monotonic() < until
        # The process is no child of this one, so its end cannot be waited for; its record on disk tells.
        time.sleep(0.1)


def test_ctrl_z_suspends_and_fg_takes_the_app_back(tmp_path: Path) -> None:
    with shell(tmp_path) as terminal:
        terminal.process.send(f"{QUOTED} {LONG}\n")
        terminal.wait(lambda text: step_shown(text) > 0)
        terminal.press("\x1a")
        terminal.wait(lambda text: "Stopped" in text and PROMPT in text)
        terminal.process.send("jobs\n")  # the shell is a person's again, and what is typed is seen
        terminal.wait(lambda text: text.count("Stopped") > 1)
        terminal.process.send("fg\n")
        terminal.wait(lambda text: step_shown(text) > 0)
        before = step_shown(terminal.text)
        terminal.wait(lambda text: step_shown(text) > before)  # it draws, and trains on
        terminal.press("\x03")
        terminal.wait("resume with: trm-tui resume")
    status, step = the_only(tmp_path)
    assert status == "stopped"
    assert step > before


def test_where_no_shell_waits_ctrl_z_says_so(tmp_path: Path) -> None:
    with Terminal(sessions=tmp_path / "sessions", home=tmp_path) as app:
        app.wait("Pick a preset")
        app.settle()
        app.press("\x1a")
        app.wait("cannot suspend")
        app.press("q")
        assert app.wait_for_end() == 0


def test_ctrl_c_through_a_pipe_saves_and_says_130(tmp_path: Path) -> None:
    with shell(tmp_path) as terminal:
        terminal.process.send(f"{QUOTED} --no-ui {LONG} --json 2>&1 | tee log\n")
        terminal.wait('"event": "step"')
        terminal.press("\x03")  # tee gets it too, and is gone before the run has said anything
        terminal.wait(lambda text: text.rstrip().endswith(PROMPT))
        terminal.process.send("echo ended ${PIPESTATUS[0]}\n")
        terminal.wait("ended 130")
    status, step = the_only(tmp_path)
    assert status == "stopped"
    assert step > 0


@pytest.mark.parametrize("headless", [False, True], ids=["app", "headless"])
def test_a_terminal_that_is_closed_saves_the_run(tmp_path: Path, headless: bool) -> None:
    with shell(tmp_path) as terminal:
        words = f"--no-ui {LONG} --json" if headless else LONG
        terminal.process.send(f"{QUOTED} {words}\n")
        terminal.wait(lambda text: '"event": "step"' in text if headless else step_shown(text) > 0)
        terminal.hang_up()
    status, step = the_only(tmp_path)
    assert status == "stopped"
    assert step > 0


def test_nohup_outlives_the_terminal(tmp_path: Path) -> None:
    with shell(tmp_path) as terminal:
        terminal.process.send(f"nohup {QUOTED} --no-ui {LONG} --steps 400 > log 2>&1 &\n")
        log = tmp_path / "log"
        terminal.wait(lambda _: log.is_file() and "session " in log.read_text())
        terminal.hang_up()
    assert the_only(tmp_path) == ("stopped", 400)
    assert "signal" not in (tmp_path / "log").read_text()


def test_an_app_that_fails_says_why(tmp_path: Path) -> None:
    program = (*TRM[:1], "-c", FAILING)
    with Terminal(sessions=tmp_path / "sessions", home=tmp_path, program=program) as app:
        assert app.wait_for_end() == 1
        assert (
            "error: the app has failed, and saved its runs: ZeroDivisionError: of no use ]0;title"
            in " ".join(app.text.split())
        )


def test_ctrl_backslash_saves_too(tmp_path: Path) -> None:
    with shell(tmp_path) as terminal:
        terminal.process.send(f"{QUOTED} --no-ui {LONG} --json 2>&1; echo ended $?\n")
        terminal.wait('"event": "step"')
        terminal.press("\x1c")
        terminal.wait(f"ended {128 + signal.SIGQUIT}")
    assert the_only(tmp_path)[0] == "stopped"
