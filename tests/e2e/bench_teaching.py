"""Measure whether a model of ARC tasks can be taught a new task from its demonstrations alone.

python -m tests.e2e.bench_teaching [--steps 3000] [--teach 400]

Trains a small model on generated tasks, several for each rule, then fine-tunes it (`run --from`) on
tasks it has not seen: some follow a rule that it knows under other names, some a rule that is new. Once the
weights stay and only the new tasks' embeddings are learned, once everything is. Prints the share of the new
tasks' test inputs that are answered exactly, beside that of the tasks the model was trained with.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

Grid = npt.NDArray[np.uint8]
Rule = Callable[[Grid], Grid]

KNOWN: dict[str, Rule] = {
    "mirror": lambda grid: grid[:, ::-1],
    "turn": lambda grid: grid[::-1, ::-1],
    "transpose": lambda grid: grid.T,
    "first-row": lambda grid: grid[:1],
    "one-to-two": lambda grid: np.where(grid == 1, 2, grid),
    "frame": lambda grid: np.pad(grid[1:-1, 1:-1], 1, constant_values=3),
}
NEW: dict[str, Rule] = {
    "last-column": lambda grid: grid[:, -1:],
    "quarter-turn": lambda grid: np.rot90(grid),
    "swap": lambda grid: np.where(grid == 1, 2, np.where(grid == 2, 1, grid)),
    "fall": lambda grid: np.take_along_axis(grid, np.argsort(grid > 0, axis=0, kind="stable"), axis=0),
}
CONFIG = """
[task]
kind = "arc"
data = "{data}"
size = 6
augmentations = 30
[model]
hidden_size = 64
mixer = "attention"
positions = "rope"
h_cycles = 1
registers = 0
puzzle_emb_ndim = 64
[train]
steps = {steps}
batch_size = 32
lr = {lr}
halt_max_steps = 4
[eval]
every = 0
batch_size = 64
halt_max_steps = 8
"""


def task_of(rule: Rule, rng: np.random.Generator, pairs: int) -> dict[str, object]:
    """Make a task: pairs that show a rule, and two test inputs."""
    made = []
    for _ in range(pairs + 2):
        grid = rng.integers(0, 5, rng.integers(3, 6, 2)).astype(np.uint8)
        made.append({"input": grid.tolist(), "output": np.asarray(rule(grid)).tolist()})
    return {"train": made[:pairs], "test": made[pairs:]}


def write(folder: Path, learned: dict[str, Rule], asked: dict[str, Rule], each: int, seed: int) -> Path:
    """Write `each` tasks to train on for each rule of `learned`, and to hold out for each of `asked`."""
    rng = np.random.default_rng(seed)
    for part, rules in (("training", learned), ("evaluation", asked)):
        (folder / part).mkdir(parents=True)
        for name, rule in rules.items():
            for number in range(each):
                task = json.dumps(task_of(rule, rng, 5))
                (folder / part / f"{part}-{name}-{number}.json").write_text(task)
    return folder


def run(folder: Path, data: Path, steps: int, lr: float, *more: str) -> str:
    """Train, and return the session."""
    config = folder / "config.toml"
    config.write_text(CONFIG.format(data=data, steps=steps, lr=lr))
    words = [*_program(folder), "run", str(config), "--json", *more]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return str(json.loads(done.stdout.splitlines()[-1])["session"])


def exact(folder: Path, session: str) -> float:
    """Return the share of held-out test inputs that a session answers exactly, each in one look."""
    words = [*_program(folder), "eval", session, "--json"]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout.splitlines()[-1])["exact_accuracy"])


def _program(folder: Path) -> list[str]:
    return [sys.executable, "-m", "trm_tui", "--no-ui", "--sessions-dir", str(folder / "sessions")]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--steps", type=int, default=3000)
    options.add_argument("--teach", type=int, default=400)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        parent = run(folder, write(folder / "base", KNOWN, KNOWN, 4, 0), given.steps, 1e-3)
        seconds = time.perf_counter() - began
        print(f"trained on known rules in {seconds:.0f} s: {exact(folder, parent):.1%} exact", flush=True)
        for what, rules in (("a rule it knows", KNOWN), ("a new rule", NEW)):
            data = write(folder / what.replace(" ", "-"), {"filler": KNOWN["turn"]}, rules, 3, 1)
            for how, lr in (("embeddings alone", 1e-12), ("everything", 3e-4)):
                began = time.perf_counter()
                taught = run(folder, data, given.teach, lr, "--from", parent)
                seconds = time.perf_counter() - began
                share = exact(folder, taught)
                print(f"taught {what}, {how}, {seconds:.0f} s: {share:.1%} exact", flush=True)


if __name__ == "__main__":
    main()
