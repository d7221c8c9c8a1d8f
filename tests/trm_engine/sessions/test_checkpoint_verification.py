"""Listing checkpoints reads no tensors; verifying them reads every byte, and the outcome is remembered."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from trm_engine.sessions.checkpoints.checkpoint import Checkpoint
from trm_engine.sessions.checkpoints.collection import Checkpoints
from trm_engine.sessions.layout import WEIGHTS

Make = Callable[..., Checkpoint]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("TRM_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def saved(tmp_path: Path, make_checkpoint: Make, faulty_disk) -> Callable[[], Checkpoints]:
    """Return readers of the checkpoints of steps 1 and 2: each as a process that has seen nothing yet."""
    folder = tmp_path / "run"
    folder.mkdir()
    for step in (1, 2):
        Checkpoints(folder, faulty_disk()).save(make_checkpoint(step), keep=2)
    return lambda: Checkpoints(folder, faulty_disk())


def flip_a_bit(folder: Path) -> bytes:
    """Change the weights of step 2; return what they were."""
    file = folder / "run" / "000000002" / WEIGHTS
    before = file.read_bytes()
    file.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    return before


def seen(checkpoints: Checkpoints, *, verify: bool = False) -> list[tuple[int, bool, bool]]:
    return [(info.step, info.sound, info.verified) for info in checkpoints.infos(verify=verify)]


def test_a_listing_compares_sizes_and_reads_no_tensors(saved, tmp_path: Path) -> None:
    tensors = list((tmp_path / "run").rglob("*.safetensors"))
    assert tensors
    for file in tensors:
        file.write_bytes(bytes(file.stat().st_size))  # all wrong, but of the right size
    assert seen(saved()) == [(1, True, False), (2, True, False)]


def test_a_wrong_size_is_seen_without_reading(saved, tmp_path: Path) -> None:
    os.truncate(tmp_path / "run" / "000000002" / WEIGHTS, 10)
    first, second = saved().infos()
    assert first.sound
    assert second.problem is not None
    assert "has 10 bytes instead of" in second.problem


def test_what_a_verification_finds_is_remembered(saved, tmp_path: Path) -> None:
    flip_a_bit(tmp_path)
    assert seen(saved()) == [(1, True, False), (2, True, False)], "sizes do not show it"
    assert seen(saved(), verify=True) == [(1, True, True), (2, False, True)]
    assert seen(saved()) == [(1, True, True), (2, False, True)]


def test_a_finding_stands_only_while_nothing_is_written(saved, tmp_path: Path) -> None:
    before = flip_a_bit(tmp_path)
    saved().infos(verify=True)
    file = tmp_path / "run" / "000000002" / WEIGHTS
    file.write_bytes(before)
    os.utime(file, ns=(1, 1))  # a clock too coarse to tell the two writes apart would hide the second
    assert seen(saved()) == [(1, True, True), (2, True, False)]
    assert seen(saved(), verify=True) == [(1, True, True), (2, True, True)]


@pytest.mark.parametrize("content", [b"", b"{", b'{"000000001": 3}', b"\xff", b"[]"])
def test_a_damaged_memory_is_as_if_nothing_had_been_verified(saved, cache: Path, content: bytes) -> None:
    saved().infos(verify=True)
    (file,) = (cache / "verified").iterdir()
    file.write_bytes(content)
    assert seen(saved()) == [(1, True, False), (2, True, False)]


def test_a_memory_that_cannot_be_written_hides_no_finding(saved, cache: Path) -> None:
    cache.write_text("not a folder")
    assert seen(saved(), verify=True) == [(1, True, True), (2, True, True)]
    assert seen(saved()) == [(1, True, False), (2, True, False)]
