"""Measure what recursion is worth: the loss on unseen text after 1, 2 and 3 recursion steps.

    make bench-recursion ARGS="--data FILE --steps 1500 --seconds 300"

Trains a text preset once for each number of recursion steps and each kind of equality: with equal
iterations, and with equal training time, for which the number of iterations follows from a short measurement,
so that each run's learning rate comes to its end. Wants a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import TYPE_CHECKING

import trm_engine.tasks
from trm_engine.config import Config, apply, find_preset
from trm_engine.hardware import detect
from trm_engine.process_setup import prepare_process

if TYPE_CHECKING:
    from trm_engine.learning.learner import Learner
    from trm_engine.tasks.base import Task

WARM_STEPS = 5
MEASURED_STEPS = 100


def settings() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--preset", default="shakespeare-char-laptop")
    parser.add_argument("--data", default="", help="a text; default: the preset's")
    parser.add_argument("--recursion", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument(
        "--steps", type=int, default=1500, help="iterations of the equal-iterations runs; 0: none"
    )
    parser.add_argument("--seconds", type=float, default=300.0, help="of the equal-time runs; 0: none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one object a line")
    return parser.parse_args()


def configured(asked: argparse.Namespace, recursion: int, steps: int) -> Config:
    """Return the preset with so many recursion steps and iterations."""
    changes = [f"model.recursion_steps={recursion}", f"train.steps={steps}", f"train.seed={asked.seed}"]
    changes.append(f"runtime.threads={asked.threads}")
    if asked.data:
        changes.append(f"task.data={json.dumps(asked.data)}")
    return apply(find_preset(asked.preset).config, changes)


def learner_of(config: Config, task: Task) -> Learner:
    """Return a fresh learner that computes as a run would."""
    from trm_engine.learning.build import build_learner
    from trm_engine.tuning.tuner import tune

    learner = build_learner(config, task)
    tune(learner, detect(with_torch=True))
    return learner


def seconds_a_step(config: Config) -> float:
    """Return how long a step takes, measured on a few."""
    learner = learner_of(config, trm_engine.tasks.build_task(config.task))
    for step in range(WARM_STEPS + MEASURED_STEPS):
        if step == WARM_STEPS:
            began = time.perf_counter()
        learner.learn(config.micro_batch)
    return (time.perf_counter() - began) / MEASURED_STEPS


def trained(config: Config) -> dict[str, float]:
    """Train to the last step; return time, and the loss on all that is held out."""
    task = trm_engine.tasks.build_task(config.task)
    learner = learner_of(config, task)
    began = time.perf_counter()
    for _ in range(config.train.steps):
        learner.learn(config.micro_batch)
    seconds = time.perf_counter() - began
    with learner.averaged_weights():
        figures = learner.measure(task.test, final=True).to_dict()
    return {
        "parameters": sum(parameter.numel() for parameter in learner.model.parameters()),
        "steps": config.train.steps,
        "seconds": round(seconds, 1),
        "val_loss": round(figures["val_loss"], 4),
        "bits_per_character": round(figures["bits_per_character"], 4),
    }


def main() -> None:
    """Train, measure and print, line by line."""
    prepare_process()
    asked = settings()
    columns = ("equal", "recursion", "parameters", "steps", "seconds", "val_loss", "bits_per_character")
    if not asked.json:
        print("  ".join(f"{name:>10}" for name in columns))
    for equal, wanted in (("steps", asked.steps), ("seconds", asked.seconds)):
        for recursion in asked.recursion if wanted > 0 else ():
            steps = asked.steps
            if equal == "seconds":
                step = seconds_a_step(configured(asked, recursion, 10**6))
                steps = max(round(asked.seconds / step), 1)
            row = {"equal": equal, "recursion": recursion, **trained(configured(asked, recursion, steps))}
            print(json.dumps(row) if asked.json else "  ".join(f"{row[name]!s:>10}" for name in columns))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
