"""A study on a Ray cluster of this machine, one of whose workers is killed."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.program import begin
from tests.torture.killed_studies import plan_of, require_whole, results, undisturbed, write_study
from trm_engine.sessions import Store

_PATIENCE = 1200.0


@pytest.mark.torture
def test_a_study_on_ray_finishes_when_a_worker_is_killed(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the package ray is not installed")
    study = write_study(tmp_path, rates=2, seeds=2)
    wanted, _ = undisturbed(tmp_path, study)
    words = ("studies", "run", study.name, "--on", "ray", "--parallel", "2")
    with begin(tmp_path, "ray", *words, stderr=subprocess.PIPE) as process:
        _worker(process.pid, tmp_path / "ray").kill()
        _, errors = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 0, errors
    assert ": retried: the job was lost: " in errors
    assert len(results(tmp_path / "ray")) == len(plan_of(study).trials) == 4
    require_whole(tmp_path / "ray", study, wanted)


def _worker(runner: int, root: Path) -> psutil.Process:
    """Return a worker of Ray's whose trial trains."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if any(record.status == "running" and record.trial for record in Store(root).list()):
            for child in psutil.Process(runner).children(recursive=True):
                if _runs_a_trial(child):
                    return child
        # Ray starts its workers itself and tells nobody: only the list of processes shows them.
        time.sleep(0.2)
    raise AssertionError("no worker of Ray's trains")


def _runs_a_trial(process: psutil.Process) -> bool:
    named = "".join(process.cmdline()[:1]).startswith("ray::")
    return named and any(child.name().startswith("python") for child in process.children())
