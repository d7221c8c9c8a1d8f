"""The long form of what must hold when one of several ranks is killed.

make torture
"""

from __future__ import annotations

import json
import random
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.program import TINY, begin, told

pytestmark = pytest.mark.torture

KILLS = 20
EXACT = ("runtime.reduction=exact", "train.steps=60", "train.log_every=1", "checkpoint.every_steps=5")


def kill(launcher: int, rank: int) -> None:
    """Kill a rank of a launcher, if it has one now."""
    with suppress(psutil.Error):
        for child in psutil.Process(launcher).children():
            if child.environ().get("RANK") == str(rank):
                child.kill()


def test_a_rank_killed_at_any_moment_changes_no_weight(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(TINY)
    words = ("run", "run.toml", *(f"--set={setting}" for setting in EXACT))
    whole = told(tmp_path, "alone", *words)
    moments = random.Random(0)
    for number in range(KILLS):
        rank, at_step, later = number % 2, moments.randrange(-1, 50), moments.random()
        with begin(tmp_path, "killed", *words, "--ranks", "2", "--json", stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            timer = threading.Timer(later if at_step >= 0 else 4 * later, kill, (process.pid, rank))
            if at_step < 0:  # while the ranks start
                timer.start()
            events = []
            for line in process.stdout:
                with suppress(ValueError):  # a line that the kill has cut
                    events.append(json.loads(line))
                if events[-1].get("step", -1) >= at_step >= 0 and timer.ident is None:
                    timer.start()
            errors = process.stderr.read()
            if timer.ident is not None:
                timer.join()
        assert process.returncode == 0, errors
        assert events[-1]["weights_sha256"] == whole[-1]["weights_sha256"], f"kill {number}: {errors}"
