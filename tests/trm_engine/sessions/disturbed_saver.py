"""Saves checkpoints, each in a process that is killed at a given operation or limited in file size.

Reads orders `[folder, number, step, value, score]` as JSON from standard input, and writes how each ended.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

import torch

from tests.trm_engine.sessions.told_disk import ToldDisk
from trm_engine.errors import TrmError
from trm_engine.files import Bytes, Disk
from trm_engine.sessions.checkpoints.checkpoint import Checkpoint
from trm_engine.sessions.checkpoints.collection import Checkpoints


class KillingDisk(ToldDisk):
    """Ends the process at an operation (from 1); in the middle of it, when it is a write."""

    def __init__(self, kill_at: int) -> None:
        self._left = kill_at

    def _operation(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def write(self, path: Path, pieces: Iterable[Bytes]) -> None:
        data = b"".join(pieces)
        if self._left == 1:
            super().write(path, [data[: len(data) // 2]])
        self._operation()
        super().write(path, [data])


def save(mode: str, folder: str, number: int, step: int, value: float, score: float | None) -> int:
    weights = {"head.weight": torch.full((2, 3), value)}
    checkpoint = Checkpoint(step, weights, {"carry.y": torch.arange(step)}, {"step": step})
    disk = KillingDisk(number) if mode == "kill" else Disk()
    if mode == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (number, number))
    try:
        Checkpoints(Path(folder), disk).save(checkpoint, keep=2, best_score=score)
    except TrmError as error:
        return error.exit_code
    return 0


def main() -> None:
    codes = []
    for order in json.load(sys.stdin):
        child = os.fork()
        if child == 0:
            code = 99
            try:
                code = save(sys.argv[1], *order)
            finally:
                os._exit(code)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print(json.dumps(codes))  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
