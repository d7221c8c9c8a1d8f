"""Runs whose memory is taken away while they train, and what becomes of them."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.program import begin

needs_prlimit = pytest.mark.skipif(
    not hasattr(resource, "prlimit"),
    reason="takes memory from a running program by prlimit(2), which only Linux has; running out of "
    "memory is tested on every system with errors put in its place (test_memory_allocations.py)",
)

# About 780 MB, 300 MB of them the program: the 256 rows at once hold the rest.
NEEDY = """
[task]
kind = "sudoku"
clues = 6
train_size = 40
test_size = 12
[model]
hidden_size = 128
h_cycles = 1
l_cycles = 4
[train]
batch_size = 256
steps = {steps}
log_every = 1
halt_max_steps = 3
[eval]
every = 10
[checkpoint]
every_steps = 5
[runtime]
threads = 1
"""


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its exit code, the events it told, what it said on stderr."""

    exit_code: int
    events: list[Mapping[str, Any]]
    errors: str

    def codes(self) -> list[str]:
        """Return the codes of its warnings."""
        return [str(event["code"]) for event in self.events if event["event"] == "warning"]


def run_needy(
    folder: Path, *, steps: int, disturb_at: int, disturb: Callable[[int], None], enter: Path | None = None
) -> Outcome:
    """Train in a process of its own; `disturb` hears its id after step `disturb_at`.

    `enter`: a control group that the process is to live in.
    """
    folder.mkdir()
    (folder / "run.toml").write_text(NEEDY.format(steps=steps))
    errors = folder / "stderr"
    events = []
    with (
        errors.open("w") as stderr,
        begin(
            folder,
            "sessions",
            *("run", "run.toml", "--json"),
            stderr=stderr,
            preexec_fn=(lambda: enter_group(enter, os.getpid())) if enter else None,
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            events.append(json.loads(line))
            if disturb_at >= 0 and events[-1].get("step", -1) >= disturb_at:
                disturb_at = -1
                disturb(process.pid)
        code = process.wait()
    return Outcome(code, events, errors.read_text())


def enter_group(group: Path, pid: int) -> None:
    """Move a process into a control group."""
    (group / "cgroup.procs").write_text(str(pid))


def hold_at(kind: int, extra_bytes: int) -> Callable[[int], None]:
    """Return what limits a process to `extra_bytes` more than it uses now, or less where that is negative."""
    counter = {resource.RLIMIT_DATA: "VmData:", resource.RLIMIT_AS: "VmSize:"}[kind]

    def limit(pid: int) -> None:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        (used,) = (int(line.split()[1]) * 1024 for line in lines if line.startswith(counter))
        resource.prlimit(pid, kind, (used + extra_bytes, resource.RLIM_INFINITY))

    return limit


def is_saved(folder: Path) -> bool:
    """Whether the run's session has a sound checkpoint to go on from."""
    words = ("resume", "latest", "--steps", "1", "-q", "-s", "memory.guard=false")
    with begin(folder, "sessions", *words, stderr=subprocess.DEVNULL) as process:
        process.communicate()
    return process.returncode == 0
