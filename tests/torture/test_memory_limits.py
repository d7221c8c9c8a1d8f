"""Memory is taken away from running trainings: none is killed, all finish or stop saved with exit code 6."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.torture.limited_runs import enter_group, hold_at, is_saved, needs_prlimit, run_needy

pytestmark = [pytest.mark.torture, needs_prlimit]

RUNS = 20
GROUPS = Path("/sys/fs/cgroup/memory")
HOG = Path(__file__).parent / "memory_hog.py"


def require_saved(outcome: object, folder: Path) -> None:
    assert outcome.exit_code in (0, 6), outcome.errors
    assert outcome.errors == ""
    if outcome.exit_code == 6:
        assert outcome.events[-1]["status"] == "stopped"
        assert "memory" in outcome.events[-1]["reason"]
        assert is_saved(folder)


@pytest.mark.parametrize("number", range(RUNS))
def test_a_limit_that_falls_on_a_running_process(tmp_path: Path, number: int) -> None:
    chance = random.Random(number)
    kind = chance.choice([resource.RLIMIT_DATA, resource.RLIMIT_AS])
    limit = hold_at(kind, chance.randint(-400, 100) * 1_000_000)
    outcome = run_needy(tmp_path / "run", steps=16, disturb_at=chance.randint(1, 12), disturb=limit)
    require_saved(outcome, tmp_path / "run")


@contextmanager
def control_group(name: str, limit_bytes: int) -> Iterator[Path]:
    group = GROUPS / name
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(limit_bytes))
    except OSError:
        pytest.skip("needs the right to make control groups (version 1)")
    try:
        yield group
    finally:
        group.rmdir()


@pytest.mark.parametrize("number", range(RUNS))
def test_another_process_that_takes_the_memory_of_a_group(tmp_path: Path, number: int) -> None:
    chance = random.Random(number)
    megabytes, rate = chance.randint(500, 1500), chance.randint(20, 60)
    hogs: list[subprocess.Popen[bytes]] = []
    with control_group(f"trm-torture-{number}", 1_600_000_000) as group:

        def start_hog(_pid: int) -> None:
            hog = subprocess.Popen(
                [sys.executable, str(HOG), str(megabytes), str(rate)], stdin=subprocess.PIPE
            )
            enter_group(group, hog.pid)
            hogs.append(hog)

        try:
            outcome = run_needy(
                tmp_path / "run",
                steps=60,
                disturb_at=chance.randint(1, 8),
                disturb=start_hog,
                enter=group,
            )
        finally:
            for hog in hogs:
                hog.kill()
                hog.communicate()
    require_saved(outcome, tmp_path / "run")
