"""Which precision a run computes with: as configured, or what a trial on this machine finds faster."""

from __future__ import annotations

import time
from collections.abc import Callable

from engine.config import Config
from engine.prepare import Decision
from engine.training.learner import Learner

_TRIALS = 3
_WORTH_IT = 1.1  # times as fast: for less, nobody gives up exact results


def settle_precision(learner: Learner, clock: Callable[[], float] = time.perf_counter) -> Decision:
    """Put the precision in force that `runtime.precision` asks for; "auto" becomes what is faster here.

    The learner's configuration names it from then on, so that a session records what it was trained with.
    The trial takes the gradients of a micro-batch some times each way, in turns, and changes nothing.
    """
    asked = learner.config.runtime.precision
    if asked == "exact":
        return Decision("precision", "exact", "float32: the same to the bit every time")
    if asked == "bf16":
        return Decision("precision", "bf16", "as configured")
    exact, reduced = (_with_precision(learner.config, precision) for precision in ("exact", "bf16"))
    seconds: dict[str, list[float]] = {"exact": [], "bf16": []}
    for _ in range(_TRIALS + 1):
        for config in (exact, reduced):
            learner.reconfigure(config)
            started = clock()
            learner.rehearse(config.micro_batch)
            seconds[config.runtime.precision].append(clock() - started)
    # The first of each warms up, and the shortest is the least disturbed.
    speedup = min(seconds["exact"][1:]) / min(seconds["bf16"][1:])
    learner.reconfigure(reduced if speedup >= _WORTH_IT else exact)
    return Decision(
        "precision",
        learner.config.runtime.precision,
        f"in a trial step bf16 was {speedup:.2f} times as fast; {_WORTH_IT:g} times are worth it",
    )


def _with_precision(config: Config, precision: str) -> Config:
    return config.model_copy(update={"runtime": config.runtime.model_copy(update={"precision": precision})})
