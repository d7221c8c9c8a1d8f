"""`--ranks` and torchrun: bad use in a line, a rank that dies, a signal, and what torchrun starts by hand."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.program import TINY, begin, told
from trm_engine.sessions import Store

EXACT = ("--set", "runtime.reduction=exact", "--set", "train.steps=40", "--set", "checkpoint.every_steps=4")
TOGETHER = ("run", "tiny.toml", "--ranks", "2", *EXACT, "--set", "train.log_every=1", "--json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny.toml").write_text(TINY)
    return tmp_path


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the weights of a run of one process."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "tiny.toml").write_text(TINY)
    return str(told(folder, "sessions", "run", "tiny.toml", *EXACT)[-1]["weights_sha256"])


def ranks_of(launcher: int) -> dict[int, psutil.Process]:
    """Return the processes of a launcher by their rank."""
    return {int(child.environ()["RANK"]): child for child in psutil.Process(launcher).children()}


def trained(
    folder: Path, words: tuple[str, ...], at_step: int, act: Callable[[int], None]
) -> tuple[int, list[dict[str, Any]], str]:
    """Run a command, and `act` on its process id at a step; return code, events and errors."""
    with begin(folder, "sessions", *words, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        events, acted = [], False
        for line in process.stdout:
            events.append(json.loads(line))
            if not acted and events[-1]["event"] == "step" and events[-1]["step"] >= at_step:
                act(process.pid)
                acted = True
        errors = process.stderr.read()
    return process.returncode, events, errors


@pytest.mark.parametrize("rank", [0, 1])
def test_a_run_goes_on_when_a_rank_is_killed(folder: Path, weights: str, rank: int) -> None:
    code, events, errors = trained(folder, TOGETHER, 9, lambda launcher: ranks_of(launcher)[rank].kill())
    assert code == 0, errors
    lost = f"rank {rank} was ended by signal 9"
    assert f"{lost}; all resume from the last checkpoint (restart 1 of 3)" in errors
    # The other rank may end by itself of the loss before it is started again, and that is told as well.
    assert all("all resume from the last checkpoint" in line for line in errors.splitlines())
    started = [event for event in events if event["event"] == "started"]
    assert started[0]["step"] == 0
    assert started[1]["step"] >= 4
    assert started[0]["session"] == started[1]["session"]
    assert events[-1]["event"] == "finished"
    assert events[-1]["steps"] == 40
    assert events[-1]["weights_sha256"] == weights


def test_a_signal_saves_and_stops_all_ranks(folder: Path, weights: str) -> None:
    code, events, errors = trained(folder, TOGETHER, 5, lambda launcher: os.kill(launcher, signal.SIGTERM))
    assert (code, errors) == (128 + signal.SIGTERM, "")
    assert events[-1]["status"] == "stopped"
    code, events, errors = trained(
        folder,
        ("resume", "latest", "--ranks", "2", "--json"),
        events[-1]["steps"] + 3,
        lambda launcher: ranks_of(launcher)[1].terminate(),
    )
    assert (code, errors) == (128 + signal.SIGTERM, "")
    ended = told(folder, "sessions", "resume", "latest")
    assert ended[-1]["weights_sha256"] == weights


def test_torchrun_starts_a_run_by_hand(folder: Path, weights: str) -> None:
    words = ["-m", "trm_tui", "--no-ui", "--sessions-dir", "sessions", "run", "tiny.toml", *EXACT, "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ends = [event for line in done.stdout.splitlines() if (event := json.loads(line))["event"] == "finished"]
    assert [end["weights_sha256"] for end in ends] == [weights]


def test_a_session_in_use_is_refused_in_one_line(folder: Path) -> None:
    told(folder, "sessions", "run", "tiny.toml", "--steps", "1")
    with Store(folder / "sessions").open("latest"):
        code, events, errors = trained(folder, ("resume", "latest", "--ranks", "2", "--json"), 0, print)
    assert (code, events) == (3, [])
    assert "is in use by process" in errors
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize(
    ("ranks", "more", "message"),
    [
        ("0", (), "--ranks 0: give a number of processes, 1 or more, or auto"),
        ("two", (), "--ranks two: give a number of processes, 1 or more, or auto"),
        ("7", (), "7 ranks cannot share 6 rows: take 1 to 6 (train.batch_size)"),
        ("3", ("--set", "runtime.reduction=exact"), "3 ranks cannot share evenly: take 1, 2, 4 or 8 ranks"),
    ],
)
def test_bad_use_gets_one_line(folder: Path, ranks: str, more: tuple[str, ...], message: str) -> None:
    words = ("run", "tiny.toml", "--ranks", ranks, *more)
    with begin(folder, "sessions", *words, stderr=subprocess.PIPE) as process:
        _, errors = process.communicate()
    assert process.returncode == 2
    assert message in errors
    assert len(errors.splitlines()) == 1
