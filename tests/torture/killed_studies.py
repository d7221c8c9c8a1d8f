"""A study whose runner and trials are killed at moments of chance, and what must be true of its end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.program import begin, tiny
from trm_engine.sessions import Store
from trm_engine.sessions.lock import holder_of, is_locked
from trm_engine.studies.catalogue import select
from trm_engine.studies.plan import Plan, build_plan

_BASE = tiny(
    "train.steps=120",
    "eval.every=30",
    "checkpoint.every_steps=5",
    "runtime.gemm=default",
    "runtime.attention=sdpa",
    "runtime.parallelism=operations",
    "runtime.tuning=off",
)
_STUDY = """
title = "Killed"
base = "base.toml"
seeds = {seeds}
[[part]]
name = "k"
[part.vary.train]
lr = {rates}
"""
_RATES = (1e-3, 2e-3, 3e-3, 4e-3, 5e-3, 6e-3)
_PATIENCE = 3600.0
"""Seconds in which a study of twelve trials of a second ends even on a very busy machine."""


def write_study(folder: Path, *, rates: int = 6, seeds: int = 2) -> Path:
    """Write a study of `rates` × `seeds` short trials; return its path."""
    (folder / "base.toml").write_text(_BASE, encoding="utf-8")
    path = folder / "killed.toml"
    path.write_text(_STUDY.format(seeds=list(range(seeds)), rates=list(_RATES[:rates])), encoding="utf-8")
    return path


def plan_of(path: Path) -> Plan:
    """Return the study's plan."""
    return build_plan(select(str(path)))


def results(root: Path) -> dict[str, list[str]]:
    """Return the digests of the finished weights by trial: one each, if all is well."""
    found: dict[str, list[str]] = {}
    for record in Store(root).list():
        if record.status == "completed":
            found.setdefault(record.trial, []).append(str(record.summary["weights_sha256"]))
    return found


def disk(root: Path) -> int:
    """Return the bytes that a sessions folder holds, its trash included."""
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file() and not path.is_symlink())


def undisturbed(folder: Path, path: Path) -> tuple[dict[str, list[str]], float]:
    """Run the study in peace; return its results, and the seconds that a trial took."""
    began = time.monotonic()
    with begin(folder, "whole", "studies", "run", path.name, stderr=subprocess.PIPE) as process:
        _, errors = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 0, errors
    wanted = results(folder / "whole")
    return wanted, (time.monotonic() - began) / len(wanted)


@dataclass
class Killer:
    """Kills what runs a study, `kills` times in all, over as many fresh folders as it takes."""

    folder: Path
    study: Path
    kills: int
    longest: float
    """Seconds before a kill, at most: as this machine is fast, or nothing would ever get done."""
    seed: int = 0
    killed: dict[str, int] = field(default_factory=lambda: {"runner": 0, "trial": 0, "both": 0})

    def run(self, judge: Callable[[Path], None]) -> None:
        """Run the study to its end again and again until enough was killed; `judge` looks at each end."""
        chance, number = random.Random(self.seed), 0
        while sum(self.killed.values()) < self.kills:
            number += 1
            self._round(f"killed{number}", chance)
            judge(self.folder / f"killed{number}")

    def _round(self, sessions: str, chance: random.Random) -> None:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            with self._begin(sessions) as process:
                self._kill(process, self.folder / sessions, chance)
                if process.wait(_PATIENCE) == 0:
                    return
        raise AssertionError(f"{sessions}: the study did not end")

    def _begin(self, sessions: str) -> subprocess.Popen[str]:
        return begin(
            self.folder,
            sessions,
            *("studies", "run", self.study.name, "--parallel", "2"),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _left(self) -> int:
        return self.kills - sum(self.killed.values())

    def _kill(self, process: subprocess.Popen[str], root: Path, chance: random.Random) -> None:
        """Kill a trial now and then, until the runner is killed, or ends by itself."""
        while self._left():
            with suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.2, self.longest))
                return
            kind = chance.choice(("runner", "trial", "both"))
            trials = workers(root, process.pid)
            if kind == "trial" and not trials:
                continue
            self.killed[kind] += 1
            doomed = [chance.choice(trials)] if kind == "trial" else trials if kind == "both" else []
            for pid in doomed:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            if kind != "trial":
                process.kill()
                return


def workers(root: Path, runner: int) -> list[int]:
    """Return the processes of trials: the runner's, and those that outlived an earlier one."""
    found = set()
    with suppress(psutil.Error):
        found = {child.pid for child in psutil.Process(runner).children(recursive=True)}
    for folder in root.glob("*/"):
        pid = holder_of(folder).get("pid")
        if isinstance(pid, int) and is_locked(folder):
            found.add(pid)
    return sorted(found - {os.getpid()})


def require_whole(root: Path, path: Path, wanted: dict[str, list[str]]) -> None:
    """Assert that every trial ended once with the same weights, that nothing seems to run, and disk."""
    plan = plan_of(path)
    assert results(root) == wanted
    statuses = [record.status for record in Store(root).list()]
    assert "running" not in statuses, statuses
    assert len(wanted) == len(plan.trials)
    assert disk(root) <= sum(trial.disk_bytes for trial in plan.trials)
