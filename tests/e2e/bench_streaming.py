"""Measure training on a data set ten times larger than the memory it may use.

    python -m tests.e2e.bench_streaming [BUDGET_MB] [SECONDS]

Writes rows of 9×9 puzzles, ten times BUDGET_MB (200), into a temporary folder, takes them out of the page
cache where the system allows it, and forbids the process more than BUDGET_MB on top of what it has after a
first step (RLIMIT_DATA, on Linux). Then it

1. walks through a whole epoch in batches, and prints resident memory along the way, the rows a second, how
   long a window takes to read, and for how many rows it lasts;
2. trains a small model, SECONDS (60) in all, in turns on the streamed rows and on as many in memory as
   fit into a quarter of the budget, and prints the samples a second of both, and their ratio.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from trm_engine.process_setup import prepare_process

prepare_process()

from trm_engine.config import Config, apply  # noqa: E402  # torch reads how its threads shall wait when it is loaded
from trm_engine.hardware import detect  # noqa: E402
from trm_engine.learning.build import build_learner  # noqa: E402
from trm_engine.learning.learner import Learner  # noqa: E402
from trm_engine.tasks.examples import Examples, Source  # noqa: E402
from trm_engine.tasks.streaming import WINDOW_BYTES, StreamingSampler, reading_decision  # noqa: E402
from trm_engine.tasks.subset import row_bytes  # noqa: E402
from trm_engine.tasks.sudoku.config import SudokuConfig  # noqa: E402
from trm_engine.tasks.sudoku.task import SudokuTask  # noqa: E402
from trm_engine.tuning.tuner import tune  # noqa: E402

BUDGET_MB, SECONDS = 200, 60.0
TIMES, CELLS, BATCH = 10, 81, 64
TURN_STEPS = 2  # short turns: what else the machine does then slows both of a pair alike
_AT_ONCE = 2**16


class Given(SudokuTask):
    """Sudoku with examples that are handed to it."""

    def __init__(self, config: SudokuConfig, source: Source) -> None:
        super().__init__(config)
        self._source = source

    @property
    def train(self) -> Source:
        return self._source


def main() -> None:
    budget = int(sys.argv[1]) if len(sys.argv) > 1 else BUDGET_MB
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    with tempfile.TemporaryDirectory() as name:
        streamed = write(Path(name), TIMES * budget * 10**6)
        print(f"{len(streamed):,} rows, {TIMES * budget:,} MB; {reading_decision(streamed)}")
        held = streamed.head(budget * 10**6 // 4 // row_bytes(streamed))
        learners = {"streamed": learner_of(streamed), "in memory": learner_of(held)}
        for learner in learners.values():
            learner.learn(BATCH)
        forbid_more_than(budget * 10**6)
        walk(streamed, budget)
        compare(learners, seconds)


def write(folder: Path, size: int) -> Examples:
    """Write random rows of `size` bytes in all; return them mapped from their files."""
    rows = size // (2 * CELLS)
    rng = np.random.default_rng(0)
    for name in ("inputs", "labels"):
        path = folder / f"{name}.npy"
        with path.open("wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": (rows, CELLS)}
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, rows, _AT_ONCE):
                part = rng.integers(2, 11, (min(_AT_ONCE, rows - start), CELLS), np.uint8)
                file.write(part.tobytes())
            file.flush()
            os.fsync(file.fileno())
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    inputs, labels = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("inputs", "labels"))
    return Examples(inputs, labels, np.broadcast_to(np.int32(0), rows))


def learner_of(source: Source) -> Learner:
    task = SudokuConfig(box_rows=3, box_cols=3)
    config = apply(Config(task=task), [f"train.batch_size={BATCH}"])
    learner = build_learner(config, Given(task, source))
    tune(learner, detect(with_torch=True))
    return learner


def forbid_more_than(allowed: int) -> None:
    """Let this process take so many bytes more than it has, and not one above."""
    if sys.platform != "linux":
        print("memory: no hard limit on this system")
        return
    import resource

    held = psutil.Process().memory_info().data
    resource.setrlimit(resource.RLIMIT_DATA, (held + allowed, resource.RLIM_INFINITY))
    print(f"memory: {held / 1e6:.0f} MB held, at most {allowed / 1e6:.0f} MB more (RLIMIT_DATA)")


def walk(source: Source, budget: int) -> None:
    """Take a whole epoch in batches, and watch the memory."""
    process = psutil.Process()
    sampler = StreamingSampler(source, 0)
    before = process.memory_info().rss
    lasts = WINDOW_BYTES // row_bytes(source)
    resident, waits = [], []
    taken, next_report = 0, 0
    started = time.perf_counter()
    while taken < len(source):
        asked = time.perf_counter()
        taken += len(sampler.next(min(BATCH, len(source) - taken)))
        waits.append(time.perf_counter() - asked)
        if taken >= next_report:
            resident.append(process.memory_info().rss / 1e6)
            next_report += len(source) // 40
    seconds = time.perf_counter() - started
    windows = -(-len(source) // lasts)
    reading = statistics.mean(sorted(waits)[-windows:])
    steady = resident[1:]  # the first is taken before a window has been filled
    middle = statistics.median(steady)
    spread = max(abs(value / middle - 1) for value in steady)
    print(f"epoch: {taken:,} rows in {seconds:.1f} s, {taken / seconds:,.0f} rows/s with nothing else to do")
    print("resident MB: " + " ".join(f"{value:.0f}" for value in resident))
    print(f"resident: {middle:.0f} MB ± {100 * spread:.1f} % (±10 % allowed), ", end="")
    print(f"{max(resident) - before / 1e6:.0f} MB above the start ({budget} MB allowed)")
    print(f"a window: read in {1000 * reading:.0f} ms, lasts for {lasts:,} rows")


def compare(learners: dict[str, Learner], seconds: float) -> None:
    """Train in short turns, whose order alternates, and compare the samples a second."""
    rates: dict[str, list[float]] = {name: [] for name in learners}
    turn, until = list(learners), time.perf_counter() + seconds
    while time.perf_counter() < until:
        for name in turn:
            rates[name].append(rate_of_a_turn(learners[name]))
        turn.reverse()
    streamed, held = (statistics.median(rates[name]) for name in ("streamed", "in memory"))
    ratios = [a / b for a, b in zip(rates["streamed"], rates["in memory"], strict=True)]
    print(f"training: {streamed:,.0f} samples/s streamed, {held:,.0f} in memory, medians of {len(ratios)}")
    print(f"ratio: {100 * statistics.median(ratios):.1f} % (≥ 95 % wanted), the median of the turns' ratios")


def rate_of_a_turn(learner: Learner) -> float:
    """Samples a second over a few steps."""
    samples, started = learner.counters.samples, time.perf_counter()
    for _ in range(TURN_STEPS):
        learner.learn(BATCH)
    return (learner.counters.samples - samples) / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
