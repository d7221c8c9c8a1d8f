"""Takes training steps when told to: `python -m trm_engine.tuning.bench.worker SHAPE PRECISION SECONDS`.

Reads one command a line and answers each with one line of JSON. Steps take what the rows asked for take;
nothing else takes much longer than SECONDS, nor do the trials before the first command. The precision `plain`
leaves torch and the allocator as they come and computes with PyTorch's own operations: only a fresh process
can have that.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from trm_engine.process_setup import prepare_process
from trm_engine.tuning.share import seconds_of

PLAIN = "plain"
_SOLVED = 16  # puzzles at most: some seconds with the largest shape


def main(shape: str, precision: str, seconds: str) -> None:
    """Answer `step ROWS`, `solve` and `gemm` with seconds and rates until the input ends."""
    if precision != PLAIN:
        prepare_process()
    bench = Bench(shape, precision, float(seconds))
    commands: dict[str, Callable[..., object]] = {
        "step": bench.step,
        "solve": bench.solve,
        "gemm": bench.gemm,
    }
    for line in sys.stdin:
        name, *numbers = line.split()
        answer = commands[name](*map(int, numbers))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


class Bench:
    """A learner of a standard shape."""

    def __init__(self, shape: str, precision: str, seconds: float) -> None:
        from trm_engine.hardware import detect
        from trm_engine.learning.build import build_learner
        from trm_engine.tasks import build_task
        from trm_engine.tuning.bench.shapes import SHAPES
        from trm_engine.tuning.tuner import tune

        config = SHAPES[shape]
        how = {"tuning": "off"} if precision == PLAIN else {"precision": precision}
        self.config = config.model_copy(update={"runtime": config.runtime.model_copy(update=how)})
        self.learner = build_learner(self.config, build_task(self.config.task))
        self.seconds = seconds
        tune(self.learner, detect(with_torch=True), seconds=seconds)

    def step(self, rows: int) -> float:
        """Take a training step, or the gradients of fewer rows than it has, and return the seconds."""
        whole = rows == self.config.train.batch_size
        return seconds_of(lambda: self.learner.learn(rows) if whole else self.learner.rehearse(rows))

    def solve(self) -> dict[str, float] | None:
        """Return puzzles solved a second with all supervision steps, and where rows may halt early.

        None where not one puzzle would be solved in time.
        Nothing has been learned here, so when a row halts is left to chance: the weights of the halting head
        are random. `ran_steps` tells how many of the `steps` they took on average.
        """
        import torch

        from trm_engine.inference.evaluate import evaluate
        from trm_engine.models.trm import TRM

        model, config = self.learner.model, self.config
        assert isinstance(model, TRM)
        first = self.learner.task.train.take(slice(0, 1))
        one = seconds_of(lambda: evaluate(model, first, max_steps=1, batch_size=1))
        count = min(config.train.batch_size, _SOLVED, int(self.seconds / (2 * config.eval_steps * one)))
        if count == 0:
            return None
        examples = self.learner.task.train.take(slice(0, count))
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            model.q_bias.zero_()
            model.q_head.normal_(generator=generator)
        fixed, early = (
            evaluate(model, examples, max_steps=config.eval_steps, batch_size=len(examples), early_halt=halt)
            for halt in (False, True)
        )
        return {
            "fixed": fixed.puzzles_per_second,
            "early": early.puzzles_per_second,
            "steps": config.eval_steps,
            "ran_steps": early.ran_steps,
        }

    def gemm(self) -> dict[str, float]:
        """Return the rates of matrix products, in GFLOP/s, by what they are."""
        from trm_engine.tuning.bench.gemm import rates

        return rates(self.learner.config)


if __name__ == "__main__":
    main(*sys.argv[1:])
