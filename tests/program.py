"""The program in processes of its own, and a configuration for it whose steps take milliseconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from trm_engine.config import apply, dumps, loads

TINY = """
[task]
kind = "sudoku"
clues = 6
train_size = 40
test_size = 12
[model]
hidden_size = 8
[train]
batch_size = 6
steps = 6
halt_max_steps = 3
warmup_steps = 2
log_every = 2
[eval]
every = 3
[runtime]
threads = 1
"""


def tiny(*settings: str) -> str:
    """Return that configuration with other settings (`section.key=value`), as TOML."""
    return dumps(apply(loads(TINY, "tiny"), settings), only_changed=True)


_PROGRAM = [sys.executable, "-m", "trm_tui", "--no-ui", "--sessions-dir"]


def begin(folder: Path, sessions: str, *words: str, **options: Any) -> subprocess.Popen[str]:
    """Start a command of the program in a folder, with its sessions in a folder there.

    Its stdout can be read line by line; `options` are further ones of `Popen`.
    """
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*_PROGRAM, sessions, *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


def told(folder: Path, sessions: str, *words: str) -> list[dict[str, Any]]:
    """Run a command with `--json` to its end, which must be a good one, and return the events it told."""
    with begin(folder, sessions, *words, "--json", stderr=subprocess.PIPE) as process:
        out, errors = process.communicate()
    assert process.returncode == 0, errors
    return [json.loads(line) for line in out.splitlines()]
