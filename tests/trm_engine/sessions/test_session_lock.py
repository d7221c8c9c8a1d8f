"""One writer a session: whoever comes second is told who is first, and a crash leaves no lock."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import trm_engine
from trm_engine.errors import SessionError
from trm_engine.sessions.lock import SessionLock, is_locked

RACERS = 5
RACER = """
import sys
from pathlib import Path
from trm_engine.errors import SessionError
from trm_engine.sessions.lock import SessionLock

lock = SessionLock(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
try:
    lock.acquire()
    print("won", flush=True)
except SessionError as error:
    print(error, flush=True)
sys.stdin.readline()
"""


class Racer:
    """A process that tries for the lock when told to, and lives until told otherwise."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", RACER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(trm_engine.__file__).parents[1])},
        )

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "20260101-000000-sudoku-abcd"
    folder.mkdir()
    return folder


@pytest.fixture
def racers(folder: Path) -> Iterator[list[Racer]]:
    with ExitStack() as stack:
        racers = []
        for _ in range(RACERS):
            racers.append(Racer(folder))
            stack.callback(racers[-1].end)
        yield racers


def test_one_of_several_racing_processes_wins_and_a_killed_winner_leaves_no_lock(
    folder: Path, racers: list[Racer]
) -> None:
    assert [racer.hear() for racer in racers] == ["ready"] * RACERS
    for racer in racers:
        racer.go()
    answers = [racer.hear() for racer in racers]
    assert answers.count("won") == 1
    assert all("is in use by" in answer for answer in answers if answer != "won")

    winner = racers[answers.index("won")]
    with pytest.raises(SessionError) as caught:
        SessionLock(folder).acquire()
    assert f"in use by process {winner.process.pid} on {socket.gethostname()} since 20" in str(caught.value)
    assert is_locked(folder)

    winner.end()
    assert not is_locked(folder)
    lock = SessionLock(folder)
    lock.acquire()
    lock.release()


def test_the_same_process_cannot_hold_a_session_twice(folder: Path) -> None:
    first, second = SessionLock(folder), SessionLock(folder)
    first.acquire()
    with pytest.raises(SessionError, match=f"process {os.getpid()} on "):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_another_thread_may_give_the_lock_back(folder: Path) -> None:
    lock = SessionLock(folder)
    lock.acquire()
    thread = threading.Thread(target=lock.release)
    thread.start()
    thread.join()
    assert not lock.held
    assert not is_locked(folder)


def test_asking_leaves_no_trace(folder: Path) -> None:
    assert not is_locked(folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("content", ["", "[]", "{}", "[" * 50_000, "\x00"])
def test_a_holder_that_cannot_be_read_is_another_process(content: str, folder: Path) -> None:
    lock = SessionLock(folder)
    lock.acquire()
    (folder / ".run.json").write_text(content)
    with pytest.raises(SessionError, match="in use by another process"):
        SessionLock(folder).acquire()
    lock.release()


def test_a_holders_name_cannot_drive_the_terminal(folder: Path) -> None:
    lock = SessionLock(folder)
    lock.acquire()
    (folder / ".run.json").write_text('{"pid": 1, "host": "\\u001b[2J", "since": "now"}')
    with pytest.raises(SessionError) as caught:
        SessionLock(folder).acquire()
    assert "\x1b" not in str(caught.value)
    lock.release()
