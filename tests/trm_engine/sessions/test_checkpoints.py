"""What a sound checkpoint gives back, which ones are kept, and which is the newest and the best."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from trm_engine.errors import SessionError
from trm_engine.files import Disk
from trm_engine.sessions.checkpoints.checkpoint import Checkpoint
from trm_engine.sessions.checkpoints.collection import Checkpoints

Make = Callable[..., Checkpoint]


@pytest.fixture
def checkpoints(tmp_path: Path, faulty_disk) -> Checkpoints:
    folder = tmp_path / "run"
    folder.mkdir()
    return Checkpoints(folder, faulty_disk())


def steps(checkpoints: Checkpoints) -> list[int]:
    return [info.step for info in checkpoints.infos()]


def test_a_checkpoint_comes_back_bit_for_bit(checkpoints: Checkpoints) -> None:
    generator = torch.Generator().manual_seed(3)
    weights = {"a": torch.randn(3, 5, generator=generator), "b": torch.tensor([float("nan"), -0.0, 1e-42])}
    tensors = {"rng": generator.get_state(), "halted": torch.tensor([True, False])}
    state = {"pcg": {"state": 2**127 - 1, "has_uint32": 0}, "lr": 0.1 + 0.2, "note": "é\u2028", "none": None}
    checkpoints.save(Checkpoint(12, weights, tensors, state), keep=2)
    found, warnings = checkpoints.load()
    assert warnings == []
    assert (found.step, found.state) == (12, state)
    for was, now in ((weights, found.weights), (tensors, found.tensors)):
        assert was.keys() == now.keys()
        for name, tensor in was.items():
            assert tensor.dtype == now[name].dtype
            assert torch.equal(tensor.view(torch.uint8), now[name].view(torch.uint8))


def test_loaded_tensors_are_a_copy_that_may_be_changed(
    checkpoints: Checkpoints, make_checkpoint: Make
) -> None:
    checkpoints.save(make_checkpoint(1), keep=2)
    checkpoints.load()[0].weights["head.weight"].zero_()
    assert checkpoints.load()[0].weights["head.weight"].sum() == 6


@pytest.mark.parametrize("state", [{"pair": (1, 2)}, {1: "one"}, {"loss": float("nan")}, {"path": Path()}])
def test_a_state_that_json_would_change_is_refused(
    state: dict[str, object], checkpoints: Checkpoints
) -> None:
    with pytest.raises((TypeError, ValueError)):
        checkpoints.save(Checkpoint(1, {}, {}, state), keep=2)
    assert steps(checkpoints) == []


def test_the_newest_are_kept_and_the_best(checkpoints: Checkpoints, make_checkpoint: Make) -> None:
    for step, score in ((1, 0.2), (2, 0.9), (3, None), (4, None), (5, None), (6, None)):
        checkpoints.save(make_checkpoint(step), keep=3, best_score=score)
    assert steps(checkpoints) == [2, 4, 5, 6]
    assert [info.step for info in checkpoints.infos() if info.best] == [2]
    best = checkpoints.best()
    assert best is not None
    assert (best.step, best.score) == (2, 0.9)


def test_after_going_back_the_last_save_is_the_newest(
    checkpoints: Checkpoints, make_checkpoint: Make
) -> None:
    for step in (10, 20, 5):
        checkpoints.save(make_checkpoint(step), keep=2)
    assert checkpoints.load()[0].step == 5
    assert steps(checkpoints) == [5, 20]


def test_saving_a_step_again_replaces_it(checkpoints: Checkpoints, make_checkpoint: Make) -> None:
    for value in (1.0, 2.0):
        checkpoints.save(make_checkpoint(7, value), keep=2)
    assert steps(checkpoints) == [7]
    assert checkpoints.load()[0].weights["head.weight"][0, 0] == 2.0


@pytest.mark.parametrize(("value", "stands"), [(1.0, True), (2.0, False)], ids=["same", "other weights"])
def test_the_best_mark_stands_as_long_as_its_weights_do(
    value: float, stands: bool, checkpoints: Checkpoints, make_checkpoint: Make
) -> None:
    checkpoints.save(make_checkpoint(7, 1.0), keep=2, best_score=0.5)
    checkpoints.save(make_checkpoint(7, value), keep=2)
    assert (checkpoints.best() is not None) is stands


@pytest.mark.parametrize("content", [b'{"step": 7, "score": ', b"\xff", b"", None])
def test_a_damaged_best_mark_is_read_in_the_newest_manifest(
    content: bytes | None, checkpoints: Checkpoints, make_checkpoint: Make, tmp_path: Path
) -> None:
    checkpoints.save(make_checkpoint(7), keep=2, best_score=0.5)
    mark = tmp_path / "run" / "best.json"
    mark.unlink()
    if content is not None:
        mark.write_bytes(content)
    best = checkpoints.best()
    assert best is not None
    assert (best.step, best.score) == (7, 0.5)
    for step in (8, 9, 10, 11):
        checkpoints.save(make_checkpoint(step), keep=2)
    assert [info.step for info in checkpoints.infos()] == [7, 10, 11]
    doubts = checkpoints.load()[1]
    assert (content is None and not doubts) or "best.json is damaged: by the newest" in doubts[0]


@pytest.mark.parametrize("mark", ['{"step": 7, "score": ', '{"step": 7, "score": 0.5, "weights": "ab"}'])
def test_without_a_manifest_that_knows_nothing_that_may_be_the_best_is_removed(
    mark: str, checkpoints: Checkpoints, make_checkpoint: Make, tmp_path: Path
) -> None:
    for step in (7, 8):  # as they were saved before manifests knew, and marks had a digest
        checkpoints.save(make_checkpoint(step), keep=2)
    (tmp_path / "run" / "best.json").write_text(mark)
    again = Checkpoints(tmp_path / "run", Disk())
    assert "which checkpoint is the best is not known" in again.load()[1][0]
    for step in (9, 10, 11):
        again.save(make_checkpoint(step), keep=2)
    assert [info.step for info in again.infos()] == [7, 8, 10, 11]


def test_a_damaged_checkpoint_is_removed_with_a_word(
    checkpoints: Checkpoints, make_checkpoint: Make, tmp_path: Path
) -> None:
    for step in (1, 2):
        checkpoints.save(make_checkpoint(step), keep=2)
    (tmp_path / "run" / "000000002" / "MANIFEST.json").unlink()
    again = Checkpoints(tmp_path / "run", Disk())
    assert again.save(make_checkpoint(3), keep=2) == [
        "the damaged checkpoint of step 2 is removed (MANIFEST.json is missing)"
    ]


def test_a_missing_step_is_refused_with_those_there_are(
    checkpoints: Checkpoints, make_checkpoint: Make
) -> None:
    for step in (10, 20):
        checkpoints.save(make_checkpoint(step), keep=2)
    with pytest.raises(SessionError, match=r"no checkpoint of step 15\. It has steps 10, 20\."):
        checkpoints.load(15)


def test_a_session_without_checkpoints_says_so(checkpoints: Checkpoints) -> None:
    with pytest.raises(SessionError, match="ended before anything was saved"):
        checkpoints.load()


@pytest.mark.parametrize(("damaged", "value"), [(False, 2.0), (True, 1.0)], ids=["sound", "damaged"])
def test_of_two_of_one_step_recovery_keeps_the_newer_if_it_is_sound(
    damaged: bool, value: float, checkpoints: Checkpoints, make_checkpoint: Make, tmp_path: Path
) -> None:
    newer, older = tmp_path / "run" / "000000007", tmp_path / "run" / ".old-000000007"
    checkpoints.save(make_checkpoint(7, 1.0), keep=2)
    shutil.copytree(newer, tmp_path / "copy")
    checkpoints.save(make_checkpoint(7, 2.0), keep=2)
    (tmp_path / "copy").rename(older)
    if damaged:
        (newer / "state.json").write_bytes(b"")
    checkpoints.recover()
    assert [path.name for path in newer.parent.iterdir()] == [newer.name]
    assert checkpoints.load()[0].weights["head.weight"][0, 0] == value


def test_a_random_history_of_saves_always_loads_the_last(
    checkpoints: Checkpoints, make_checkpoint: Make
) -> None:
    rng = random.Random(5)
    for turn in range(30):
        step = rng.randrange(6)
        checkpoints.save(make_checkpoint(step, float(turn)), keep=2, best_score=rng.choice([None, 1.0]))
        found, warnings = checkpoints.load()
        assert (found.step, found.weights["head.weight"][0, 0], warnings) == (step, turn, [])
        assert len(steps(checkpoints)) <= 3
