"""When memory counts as short: simulated samples, and one real process that gives memory back."""

from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest

from trm_engine.config import MemoryConfig
from trm_engine.hardware import Memory
from trm_engine.hardware.memory import read_memory, read_process_limit
from trm_engine.monitoring.allocator import is_out_of_memory
from trm_engine.monitoring.memory_guard import MemoryGuard, pressure
from trm_engine.monitoring.monitor import Sample

LIMIT = 1000


def sample(share: float) -> Sample:
    rss = round(share * LIMIT)
    return Sample(0.0, rss_bytes=rss, available_bytes=LIMIT - rss)


def show(guard: MemoryGuard, share: float, count: int) -> None:
    for _ in range(count):
        guard.see(sample(share))


@pytest.fixture
def guard() -> MemoryGuard:
    return MemoryGuard(MemoryConfig())


# --- the used share ---------------------------------------------------------------------------------------


def test_the_share_is_of_what_is_held_and_what_could_be_taken() -> None:
    found = pressure(300, 700)
    assert found is not None
    assert (found.limit_bytes, found.share) == (1000, 0.3)


def test_a_budget_caps_what_can_be_had() -> None:
    found = pressure(300_000_000, 7_000_000_000, budget_gb=0.5)
    assert found is not None
    assert found.share == pytest.approx(0.6)


def test_a_budget_does_not_make_memory() -> None:
    found = pressure(300_000_000, 100_000_000, budget_gb=64)
    assert found is not None
    assert found.share == pytest.approx(0.75)


def test_a_machine_that_tells_nothing_is_never_under_pressure(guard: MemoryGuard) -> None:
    assert pressure(None, 5) is None
    assert pressure(5, None) is None
    for _ in range(100):
        guard.see(Sample(0.0))
    assert (guard.shrink, guard.stop, guard.grow) == (False,) * 3
    assert guard.take_warning() is None


# --- judging ----------------------------------------------------------------------------------------------


def test_one_sample_alone_means_nothing(guard: MemoryGuard) -> None:
    show(guard, 0.95, 1)
    show(guard, 0.50, 1)
    show(guard, 0.95, 1)
    assert (guard.shrink, guard.stop) == (False, False)
    assert guard.take_warning() is None


@pytest.mark.parametrize(
    ("share", "warns", "shrinks", "stops"),
    [
        (0.69, False, False, False),
        (0.75, True, False, False),
        (0.85, True, True, False),
        (0.95,) + (True,) * 3,
    ],
)
def test_each_limit_asks_for_its_own(
    guard: MemoryGuard, share: float, warns: bool, shrinks: bool, stops: bool
) -> None:
    show(guard, share, 2)
    assert (guard.take_warning() is not None, guard.shrink, guard.stop) == (warns, shrinks, stops)


def test_the_limits_are_configured() -> None:
    guard = MemoryGuard(MemoryConfig(warn_at=0.2, shrink_at=0.3, stop_at=0.4))
    show(guard, 0.35, 2)
    assert (guard.take_warning() is not None, guard.shrink, guard.stop) == (True, True, False)


def test_a_warning_comes_once_until_the_share_has_fallen(guard: MemoryGuard) -> None:
    told = []
    for share in (0.75, 0.69, 0.75, 0.60, 0.75):
        show(guard, share, 3)
        told.append(guard.take_warning() is not None)
    assert told == [True, False, False, False, True]


def test_a_change_needs_time_and_work_to_act(guard: MemoryGuard) -> None:
    show(guard, 0.85, 10)
    guard.changed(growth_bytes=0)
    show(guard, 0.85, 100)
    assert not guard.shrink, "no row has been trained on under the new sizes"
    guard.worked()
    show(guard, 0.85, 5)
    assert not guard.shrink, "freed memory takes a moment to be seen"
    show(guard, 0.85, 1)
    assert guard.shrink


def test_what_is_nearly_gone_does_not_wait(guard: MemoryGuard) -> None:
    guard.changed(growth_bytes=0)
    guard.worked()
    show(guard, 0.95, 2)
    assert guard.shrink


def test_more_is_dared_after_a_long_calm_only(guard: MemoryGuard) -> None:
    show(guard, 0.2, 59)
    assert not guard.grow
    show(guard, 0.2, 1)
    assert guard.grow
    show(guard, 0.75, 1)
    assert not guard.grow


def test_more_is_dared_only_where_it_would_fit(guard: MemoryGuard) -> None:
    guard.changed(growth_bytes=400)
    guard.worked()
    show(guard, 0.35, 1000)
    assert not guard.grow
    show(guard, 0.25, 100)
    assert guard.grow


def test_a_growth_taken_back_is_tried_again_later_and_later(guard: MemoryGuard) -> None:
    waits = []
    for _ in range(4):
        guard.changed(growth_bytes=0)
        guard.worked()
        count = 0
        while not guard.grow:
            guard.see(sample(0.1))
            count += 1
        waits.append(count - 4)
        guard.regret()
    assert waits == [60, 120, 240, 480]


def test_the_highest_share_is_remembered(guard: MemoryGuard) -> None:
    for share in (0.3, 0.6, 0.2):
        show(guard, share, 1)
    assert guard.peak_share == 0.6


# --- limits of the process --------------------------------------------------------------------------------

LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units
Max data size             {data}            unlimited            bytes
Max address space         {space}           unlimited            bytes
"""
STATUS = "Name:\tpython\nVmSize:\t  1000 kB\nVmData:\t   400 kB\n"


def test_the_tightest_limit_of_the_process_counts(make_system) -> None:
    system = make_system(
        {"/proc/self/limits": LIMITS.format(data=1_000_000, space=4_000_000), "/proc/self/status": STATUS}
    )
    found = read_process_limit(system)
    assert (found.limit_bytes, found.headroom_bytes) == (1_000_000, 1_000_000 - 400 * 1024)


def test_no_limit_is_none(make_system) -> None:
    system = make_system(
        {
            "/proc/self/limits": LIMITS.format(data="unlimited", space="unlimited"),
            "/proc/self/status": STATUS,
        }
    )
    assert read_process_limit(system).headroom_bytes is None
    assert read_process_limit(make_system(platform="darwin")).headroom_bytes is None


def test_available_memory_counts_the_process_limit(make_system) -> None:
    from trm_engine.hardware.cgroup import ControlGroups

    system = make_system(
        {"/proc/self/limits": LIMITS.format(data="unlimited", space=3_000_000), "/proc/self/status": STATUS},
        ram=(10_000_000, 8_000_000),
    )
    memory: Memory = read_memory(system, ControlGroups(system))
    assert memory.effective_available_bytes == 3_000_000 - 1000 * 1024


# --- errors, and giving memory back -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
            True,
        ),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."), True),
        (OSError(12, "Cannot allocate memory"), True),
        (RuntimeError("could not create a primitive"), True),
        (RuntimeError("could not execute a primitive"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("not enough memory"), False),
    ],
)
def test_torch_says_in_several_ways_that_memory_ran_out(error: BaseException, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


GIVES_BACK = """
import json
from trm_engine.process_setup import prepare_process
prepare_process()
import torch
torch.set_num_threads(1)
import trm_engine.tasks
from trm_engine.config import Config, apply
from trm_engine.monitoring.allocator import release_memory
from trm_engine.monitoring.process import ProcessReadings
from trm_engine.learning.build import build_learner
config = apply(
    Config(task=trm_engine.tasks.sudoku.config.SudokuConfig(clues=6, train_size=40, test_size=12)),
    ["model.hidden_size=128", "model.h_cycles=1", "model.l_cycles=4", "train.batch_size=128"],
)
learner = build_learner(config, trm_engine.tasks.build_task(config.task))
held = ProcessReadings().rss_bytes
figures = [held()]
for rows in (128, 32):
    release_memory()
    learner.learn(rows)
    figures.append(held())
print(json.dumps(figures))
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc",
    reason="the engine makes glibc keep freed memory (mallopt) and gives it back by malloc_trim; other C "
    "libraries have neither call and are left as they are, so there is no behaviour of ours to test",
)
def test_with_fewer_rows_at_once_memory_goes_back_to_the_system() -> None:
    done = subprocess.run(
        [sys.executable, "-c", GIVES_BACK], check=True, capture_output=True, text=True, timeout=60
    )
    before, all_rows, a_quarter = json.loads(done.stdout)
    assert a_quarter - before < 0.6 * (all_rows - before)
