"""What tests of sessions share: a store, small checkpoints, and a disk whose operations fail on demand."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.trm_engine.sessions.told_disk import ToldDisk
from trm_engine.files import Bytes
from trm_engine.sessions.checkpoints.checkpoint import Checkpoint
from trm_engine.sessions.store import Store


class FaultyDisk(ToldDisk):
    """A disk whose operation number `fail_at` (from 1) fails, and with `dead` every later one; 0 never fails.

    A write that fails leaves half of the file. Nothing is synced: no test pulls the plug.
    """

    def __init__(self, fail_at: int = 0, code: int = errno.EIO, dead: bool = False) -> None:
        self.operations = 0
        self._fail_at, self._code, self._dead = fail_at, code, dead

    def _operation(self) -> None:
        self.operations += 1
        if self.operations == self._fail_at or (self._dead and self.operations > self._fail_at > 0):
            raise OSError(self._code, os.strerror(self._code))

    def write(self, path: Path, pieces: Iterable[Bytes]) -> None:
        data = b"".join(pieces)
        try:
            self._operation()
        except OSError:
            super().write(path, [data[: len(data) // 2]])
            raise
        super().write(path, [data])


@pytest.fixture
def faulty_disk() -> type[FaultyDisk]:
    return FaultyDisk


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return an empty store that does not wait for the medium."""
    return Store(tmp_path / "sessions", FaultyDisk())


@pytest.fixture
def make_checkpoint() -> Callable[..., Checkpoint]:
    def make(step: int, value: float | None = None) -> Checkpoint:
        """Return a small checkpoint whose weights tell it from others of its step."""
        import torch

        weights = {"head.weight": torch.full((2, 3), step if value is None else value)}
        return Checkpoint(step, weights, {"carry.y": torch.arange(step)}, {"step": step, "seed": 2**70})

    return make
