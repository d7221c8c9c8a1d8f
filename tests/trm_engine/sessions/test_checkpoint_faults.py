"""A save that fails at any operation, or is killed there, leaves a sound checkpoint and a way to go on."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import trm_engine
from trm_engine.errors import ResourceError, SessionError
from trm_engine.sessions.checkpoints.checkpoint import Checkpoint
from trm_engine.sessions.checkpoints.collection import Checkpoints

Make = Callable[..., Checkpoint]


@dataclass(frozen=True)
class Scenario:
    """Checkpoints (step, value, score) that exist, and the one whose save is disturbed."""

    before: tuple[tuple[int, float, float | None], ...]
    saved: tuple[int, float, float | None]
    after: tuple[int, ...]
    """Steps that exist once the save has succeeded, with keep = 2."""


SCENARIOS = {
    "first": Scenario((), (1, 1.0, None), (1,)),
    "second": Scenario(((1, 1.0, None),), (2, 2.0, None), (1, 2)),
    "pruning": Scenario(((1, 1.0, None), (2, 2.0, None)), (3, 3.0, None), (2, 3)),
    "best kept": Scenario(((1, 1.0, 0.9), (2, 2.0, None)), (3, 3.0, None), (1, 2, 3)),
    "best moves": Scenario(((1, 1.0, 0.5), (2, 2.0, None)), (3, 3.0, 0.9), (2, 3)),
    "replacing": Scenario(((1, 1.0, None), (2, 2.0, None)), (2, 2.5, None), (1, 2)),
    "replacing the only one": Scenario(((1, 1.0, None),), (1, 1.5, 0.5), (1,)),
    "back to an earlier step": Scenario(((4, 4.0, None), (8, 8.0, None)), (5, 5.0, None), (5, 8)),
}


@pytest.fixture(params=SCENARIOS)
def scenario(request: pytest.FixtureRequest) -> Scenario:
    return SCENARIOS[request.param]


@pytest.fixture
def prepare(tmp_path: Path, make_checkpoint: Make, faulty_disk) -> Callable[[Scenario, str], Path]:
    def prepare(scenario: Scenario, name: str) -> Path:
        """Return a new checkpoints folder as it is before the disturbed save."""
        template = tmp_path / "template" / "checkpoints"
        if not template.exists():
            template.mkdir(parents=True)
            for step, value, score in scenario.before:
                Checkpoints(template, faulty_disk()).save(
                    make_checkpoint(step, value), keep=2, best_score=score
                )
        folder = tmp_path / name / "checkpoints"
        shutil.copytree(template, folder)
        return folder

    return prepare


def save(folder: Path, scenario: Scenario, make_checkpoint: Make, disk) -> None:
    step, value, score = scenario.saved
    Checkpoints(folder, disk).save(make_checkpoint(step, value), keep=2, best_score=score)


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def assert_sound(folder: Path, scenario: Scenario, make_checkpoint: Make, faulty_disk) -> None:
    """Check what holds after any disturbance: a sound checkpoint without a warning, and a save that works."""
    allowed = {scenario.saved[:2], *(one[:2] for one in scenario.before[-1:])}
    reader = Checkpoints(folder, faulty_disk())
    if scenario.before:
        found, warnings = reader.load()
        assert (found.step, found.weights["head.weight"][0, 0].item()) in allowed
        assert warnings == []
    assert all(info.sound for info in reader.infos(verify=True))
    if any(score is not None for *_, score in scenario.before) and len(scenario.before) > 1:
        assert reader.best() is not None
    save(folder, scenario, make_checkpoint, faulty_disk())
    assert tuple(info.step for info in reader.infos(verify=True) if info.sound) == scenario.after
    assert reader.load()[0].step == scenario.saved[0]
    assert hidden(folder) == []


def operations_of(scenario: Scenario, prepare, make_checkpoint: Make, faulty_disk) -> int:
    disk = faulty_disk()
    save(prepare(scenario, "counted"), scenario, make_checkpoint, disk)
    return disk.operations


@pytest.mark.parametrize("dead", [False, True], ids=["one fails", "all later fail"])
def test_a_fault_at_any_operation_leaves_a_sound_checkpoint(
    scenario: Scenario, dead: bool, prepare, make_checkpoint: Make, faulty_disk
) -> None:
    total = operations_of(scenario, prepare, make_checkpoint, faulty_disk)
    assert total >= 11
    for k in range(1, total + 1):
        folder = prepare(scenario, f"fault-{k}")
        with pytest.raises(SessionError, match="cannot "):
            save(folder, scenario, make_checkpoint, faulty_disk(k, dead=dead))
        assert_sound(folder, scenario, make_checkpoint, faulty_disk)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG], ids=errno.errorcode.get)
def test_a_full_disk_at_any_operation_is_said_and_leaves_no_litter(
    code: int, prepare, make_checkpoint: Make, faulty_disk
) -> None:
    scenario = SCENARIOS["pruning"]
    total = operations_of(scenario, prepare, make_checkpoint, faulty_disk)
    for k in range(1, total + 1):
        folder = prepare(scenario, f"full-{k}")
        with pytest.raises(ResourceError, match="Free some space"):
            save(folder, scenario, make_checkpoint, faulty_disk(k, code))
        assert hidden(folder) == []
        assert_sound(folder, scenario, make_checkpoint, faulty_disk)


def test_an_interrupted_save_leaves_no_litter(prepare, make_checkpoint: Make, faulty_disk) -> None:
    class Interrupted(faulty_disk):
        def write(self, path, pieces) -> None:
            if path.name == "state.json":
                raise KeyboardInterrupt
            super().write(path, pieces)

    folder = prepare(SCENARIOS["pruning"], "interrupted")
    with pytest.raises(KeyboardInterrupt):
        save(folder, SCENARIOS["pruning"], make_checkpoint, Interrupted())
    assert hidden(folder) == []


def test_what_reads_back_differently_is_refused_and_the_earlier_ones_stay(
    prepare, make_checkpoint: Make, faulty_disk
) -> None:
    class Flipping(faulty_disk):
        def write(self, path, pieces) -> None:
            data = bytearray(b"".join(pieces))
            if path.name == "weights.safetensors":
                data[-1] ^= 1
            super().write(path, [data])

    folder = prepare(SCENARIOS["pruning"], "flipping")
    with pytest.raises(ResourceError, match="reads back differently"):
        save(folder, SCENARIOS["pruning"], make_checkpoint, Flipping())
    assert [path.name for path in sorted(folder.iterdir())] == ["000000001", "000000002"]


def test_a_save_is_refused_before_it_begins_when_it_would_not_fit_twice(
    prepare, make_checkpoint: Make, faulty_disk
) -> None:
    class Small(faulty_disk):
        def free_bytes(self, path: Path) -> int:
            return 1000

    disk = Small()
    folder = prepare(SCENARIOS["second"], "small")
    with pytest.raises(ResourceError, match=r"1\.0 kB free"):
        save(folder, SCENARIOS["second"], make_checkpoint, disk)
    assert disk.operations == 0


def test_everything_is_on_the_medium_before_it_has_its_name(
    prepare, make_checkpoint: Make, faulty_disk
) -> None:
    log: list[tuple[str, str]] = []

    class Recording(faulty_disk):
        def write(self, path, pieces) -> None:
            super().write(path, pieces)
            log.append(("write", path.name))

        def sync(self, path: Path) -> None:
            log.append(("sync", path.name))

        def rename(self, source: Path, target: Path) -> None:
            super().rename(source, target)
            log.append(("rename", target.name))

    save(prepare(SCENARIOS["first"], "recorded"), SCENARIOS["first"], make_checkpoint, Recording())
    files = ("weights.safetensors", "state.safetensors", "state.json", "MANIFEST.json")
    assert log == [
        *((operation, name) for name in files for operation in ("write", "sync")),
        ("sync", ".new-000000001"),
        ("rename", "000000001"),
        ("sync", "checkpoints"),
    ]


def run_saver(mode: str, saves: list[tuple[Path, Scenario, int]]) -> list[int]:
    """Save once in each folder, each in a process disturbed as its number says; return how they ended."""
    orders = [[str(folder), number, *scenario.saved] for folder, scenario, number in saves]
    script = Path(__file__).with_name("disturbed_saver.py")
    environment = {**os.environ, "PYTHONPATH": str(Path(trm_engine.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, str(script), mode],
        input=json.dumps(orders),
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_sigkill_at_any_operation_leaves_a_sound_checkpoint(
    prepare, make_checkpoint: Make, faulty_disk
) -> None:
    scenario = SCENARIOS["replacing"]
    total = operations_of(scenario, prepare, make_checkpoint, faulty_disk)
    saves = [(prepare(scenario, f"killed-{k}"), scenario, k) for k in range(1, total + 1)]
    assert run_saver("kill", saves) == [-signal.SIGKILL] * total
    for folder, *_ in saves:
        assert_sound(folder, scenario, make_checkpoint, faulty_disk)


def test_a_file_size_limit_at_any_length_leaves_the_earlier_checkpoints(
    prepare, make_checkpoint: Make, faulty_disk
) -> None:
    scenario = SCENARIOS["pruning"]
    saves = [(prepare(scenario, f"limit-{limit}"), scenario, limit) for limit in range(0, 400, 16)]
    assert set(run_saver("limit", saves)) == {ResourceError.exit_code}
    for folder, *_ in saves:
        assert hidden(folder) == []
        assert_sound(folder, scenario, make_checkpoint, faulty_disk)
