"""A checkpoint that is not what was saved is never loaded: the one before it is, with a word about it."""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from trm_engine.errors import SessionError
from trm_engine.sessions.checkpoints.checkpoint import Checkpoint
from trm_engine.sessions.checkpoints.collection import Checkpoints
from trm_engine.sessions.layout import CHECKPOINT_FILES, MANIFEST, STATE, WEIGHTS

Make = Callable[..., Checkpoint]
EVERY_FILE = (*CHECKPOINT_FILES, MANIFEST)


@pytest.fixture
def checkpoints(tmp_path: Path, make_checkpoint: Make, faulty_disk) -> Checkpoints:
    """Checkpoints of steps 1 and 2 in `tmp_path / "run"`."""
    folder = tmp_path / "run"
    folder.mkdir()
    saved = Checkpoints(folder, faulty_disk())
    for step in (1, 2):
        saved.save(make_checkpoint(step), keep=2)
    return saved


@pytest.fixture
def newest(checkpoints: Checkpoints, tmp_path: Path) -> Path:
    return tmp_path / "run" / "000000002"


def assert_falls_back(checkpoints: Checkpoints) -> None:
    checkpoint, warnings = checkpoints.load()
    assert checkpoint.step == 1
    assert len(warnings) == 1
    assert warnings[0].startswith("the checkpoint of step 2 is damaged: ")
    assert warnings[0].endswith(" The one of step 1 is used.")


def reseal(folder: Path, **changes: object) -> None:
    """Give a checkpoint a manifest that fits its files, as a forger would."""
    body = json.loads((folder / MANIFEST).read_text())
    del body["sha256"]
    for name in body["files"]:
        data = (folder / name).read_bytes()
        body["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    body.update(changes)
    text = json.dumps(body, sort_keys=True, separators=(",", ":")) + "\n"
    body["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(body, sort_keys=True, separators=(",", ":")) + "\n")


@pytest.mark.parametrize("name", EVERY_FILE)
def test_a_flipped_bit_in_any_file_is_noticed(name: str, checkpoints: Checkpoints, newest: Path) -> None:
    sound = (newest / name).read_bytes()
    rng = random.Random(name)
    for bit in rng.sample(range(8 * len(sound)), 60):
        flipped = bytearray(sound)
        flipped[bit // 8] ^= 1 << bit % 8
        (newest / name).write_bytes(flipped)
        assert_falls_back(checkpoints)


@pytest.mark.parametrize("name", EVERY_FILE)
def test_a_file_cut_short_at_any_length_is_noticed(name: str, checkpoints: Checkpoints, newest: Path) -> None:
    size = (newest / name).stat().st_size
    for length in reversed(range(size)):
        os.truncate(newest / name, length)
        assert_falls_back(checkpoints)


@pytest.mark.parametrize("name", EVERY_FILE)
def test_a_missing_file_is_noticed(name: str, checkpoints: Checkpoints, newest: Path) -> None:
    (newest / name).unlink()
    assert_falls_back(checkpoints)


def test_a_file_that_was_not_saved_is_noticed(checkpoints: Checkpoints, newest: Path) -> None:
    (newest / "extra.pkl").write_bytes(b"cos\nsystem\n")
    assert_falls_back(checkpoints)


def test_the_file_managers_own_notes_do_no_harm(checkpoints: Checkpoints, newest: Path) -> None:
    (newest / ".DS_Store").write_bytes(b"\0")
    assert checkpoints.load()[0].step == 2


def test_a_link_in_the_place_of_a_file_is_noticed(
    checkpoints: Checkpoints, newest: Path, tmp_path: Path
) -> None:
    (newest / WEIGHTS).rename(tmp_path / "elsewhere")
    (newest / WEIGHTS).symlink_to(tmp_path / "elsewhere")
    assert_falls_back(checkpoints)


def test_asking_for_a_damaged_checkpoint_by_its_step_is_refused(
    checkpoints: Checkpoints, newest: Path
) -> None:
    os.truncate(newest / WEIGHTS, 10)
    with pytest.raises(SessionError, match=r"step 2 is damaged: weights\.safetensors has 10 bytes"):
        checkpoints.load(2)


def test_loading_is_refused_when_none_is_sound(checkpoints: Checkpoints, newest: Path) -> None:
    for step in (1, 2):
        os.truncate(newest.with_name(f"{step:09d}") / STATE, 1)
    with pytest.raises(SessionError, match="None is valid"):
        checkpoints.load()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (WEIGHTS, b"\xff" * 64),
        (WEIGHTS, b"\x80\x04cos\nsystem\n(S'true'\ntR."),
        (WEIGHTS, (2**40).to_bytes(8, "little") + b"{}"),
        (STATE, b"[1, 2]"),
        (STATE, b"[" * 100_000),
        (STATE, b"\xff"),
    ],
)
def test_a_forged_file_with_a_fitting_manifest_is_refused(
    name: str, content: bytes, checkpoints: Checkpoints, newest: Path
) -> None:
    (newest / name).write_bytes(content)
    reseal(newest)
    assert_falls_back(checkpoints)


@pytest.mark.parametrize(
    "changes",
    [{"step": 7}, {"step": -1}, {"format": 2}, {"serial": "x"}, {"more": 1}, {"files": {}}, {"time": None}],
    ids=str,
)
def test_a_forged_manifest_is_refused(
    changes: dict[str, object], checkpoints: Checkpoints, newest: Path
) -> None:
    reseal(newest, **changes)
    assert_falls_back(checkpoints)


def test_pruning_counts_sound_checkpoints_only(
    checkpoints: Checkpoints, newest: Path, make_checkpoint: Make
) -> None:
    data = bytearray((newest / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (newest / WEIGHTS).write_bytes(data)
    checkpoints.save(make_checkpoint(3), keep=2)
    assert [info.step for info in checkpoints.infos(verify=True) if info.sound] == [1, 3]


def test_nothing_is_removed_while_too_few_are_sound(
    checkpoints: Checkpoints, newest: Path, make_checkpoint: Make
) -> None:
    os.truncate(newest / WEIGHTS, 10)
    checkpoints.save(make_checkpoint(3), keep=3)
    assert [info.step for info in checkpoints.infos()] == [1, 2, 3]


def test_a_listing_says_what_is_damaged(checkpoints: Checkpoints, newest: Path) -> None:
    (newest / MANIFEST).write_text("{")
    first, second = checkpoints.infos()
    assert (first.sound, first.problem) == (True, None)
    assert (second.sound, second.problem, second.time) == (False, "MANIFEST.json is not JSON", None)
    assert torch.equal(checkpoints.load()[0].weights["head.weight"], torch.ones(2, 3))
