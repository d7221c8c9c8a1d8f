"""Compare the training step of this tree with that of another commit, or with plain PyTorch, in turns.

    make bench-step ARGS="--against COMMIT --shapes mlp-64 attention-128 --seconds 60"
    make bench-step ARGS="--against off --shapes sudoku-9x9 sudoku-9x9-hard attention-128"

The other commit is checked out into a temporary folder; `off` is this tree with runtime.tuning off. Both take
the same steps in a process of their own, with the settings that the tuner of this tree finds (`off` with
none of them); medians are compared. A shape is one of `trm-tui bench`, or a preset. Wants a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SHAPES = ("mlp-64", "mlp-256", "attention-128", "attention-512")
FEWEST = 3
OFF = "off"
HERE = Path(__file__).parents[2]

# Runs in either tree, so it finds modules under the names that they have had.
WORKER = """
import importlib, json, os, sys, time

def module(*names):
    for name in names:
        if os.path.isdir(name.partition(".")[0]):  # of this tree; what is installed is another
            return importlib.import_module(name)
    raise ImportError(" or ".join(names))

module("trm_engine.process_setup", "engine.prepare").prepare_process()
shape, answers = sys.argv[1], json.loads(sys.argv[2])
config = module("trm_engine.tuning.bench.shapes", "engine.training.bench.shapes").SHAPES.get(shape)
if config is None:
    config = module("trm_engine.config.presets", "engine.config.presets").find(shape).config
    few = {"train_size": 64, "test_size": 1}  # puzzles need not be many, only there
    few = {name: count for name, count in few.items() if name in type(config.task).model_fields}
    config = config.model_copy(update={"task": config.task.model_copy(update=few)})
known = {name: answer for name, answer in answers.items() if name in type(config.runtime).model_fields}
config = config.model_copy(update={"runtime": config.runtime.model_copy(update=known)})
task = module("trm_engine.tasks", "engine.tasks").build_task(config.task)
learner = module("trm_engine.learning.build", "engine.training.build").build_learner(config, task)
machine = module("trm_engine.hardware", "engine.hardware").detect(with_torch=True)
tuned = module("trm_engine.tuning.tuner", "engine.training.tuner").tune(learner, machine)
asked = ("gemm", "attention", "parallelism", "kernels")
runtime = learner.config.runtime
found = {name: getattr(runtime, name) for name in asked if hasattr(runtime, name)}
rows = config.train.batch_size
print(json.dumps({**found, "threads": tuned.threads, "rows": rows}), flush=True)
for _ in sys.stdin:
    started = time.perf_counter()
    learner.learn(rows)
    print(time.perf_counter() - started, flush=True)
"""


def main() -> None:
    """Print the rates of both trees and their ratio, shape by shape."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--against", required=True, help=f"the commit to compare with, or {OFF}")
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES))
    parser.add_argument("--seconds", type=float, default=60.0, help="for each shape")
    asked = parser.parse_args()
    with checked_out(asked.against) as other:
        print(f"{'shape':<14} {'this':>11} {asked.against[:11]:>11}  this / other")
        for shape in asked.shapes:
            rows, found, ours, theirs = steps(shape, other, asked.seconds)
            rates = [rows / statistics.median(taken) for taken in (ours, theirs)]
            ratios = sorted(theirs / ours for ours, theirs in zip(ours, theirs, strict=True))
            quarters = f"{ratios[len(ratios) // 4]:.3f}–{ratios[-1 - len(ratios) // 4]:.3f}"
            print(
                f"{shape:<14} {rates[0]:>9.1f}/s {rates[1]:>9.1f}/s  {rates[0] / rates[1]:.3f} "
                f"(median of pairs {statistics.median(ratios):.3f}, quarters {quarters}, {len(ours)} pairs; "
                f"{', '.join(map(str, found.values()))}; load {os.getloadavg()[0]:.1f})",
                flush=True,
            )


@contextmanager
def checked_out(commit: str) -> Iterator[Path | None]:
    """Yield a temporary folder with the tree of a commit; None for `off`."""
    if commit == OFF:
        yield None
        return
    git = ["git", "-C", str(HERE)]
    with tempfile.TemporaryDirectory() as folder:
        tree = subprocess.run([*git, "archive", commit], check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=tree, check=True)
        yield Path(folder)


def steps(
    shape: str, other: Path | None, seconds: float
) -> tuple[int, dict[str, object], list[float], list[float]]:
    """Return the rows of a step, what the tuner found, and the seconds of some steps in either tree."""
    ours: list[float] = []
    theirs: list[float] = []
    with worker(HERE, shape, {}) as (here, answers):
        rows = int(str(answers.pop("rows")))
        theirs_are = {"tuning": "off"} if other is None else answers
        with worker(other or HERE, shape, theirs_are) as (there, _):
            here(), there()  # the first of each warms up
            until = time.monotonic() + seconds
            while len(ours) < FEWEST or time.monotonic() < until:
                ours.append(here())
                theirs.append(there())
    return rows, answers, ours, theirs


@contextmanager
def worker(
    tree: Path, shape: str, answers: dict[str, object]
) -> Iterator[tuple[Callable[[], float], dict[str, object]]]:
    """Run a worker in a tree; yield what takes a step and returns its seconds, and the settings found."""
    command = [sys.executable, "-c", WORKER, shape, json.dumps(answers)]
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tree, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def step() -> float:
            stdin.write("step\n")
            stdin.flush()
            return float(stdout.readline())

        try:
            yield step, json.loads(stdout.readline())
        finally:
            stdin.close()


if __name__ == "__main__":
    main()
