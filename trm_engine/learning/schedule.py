"""The learning rate and the supervision steps of a puzzle over a run."""

from __future__ import annotations

import math

from trm_engine.config.sections import TrainConfig
from trm_engine.planning.recursion import growing

_DECAY_PART = 5
"""Without `decay_steps`, "wsd" falls over a fifth of the run."""


def lr_scale(config: TrainConfig, step: int) -> float:
    """Return the share of the peak rate that update `step` (0, 1, …) uses.

    A linear warm-up, then the shape that `config.schedule` names, which ends at `lr_min_ratio` with the last
    of `config.steps` and stays there.
    """
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    if config.schedule == "constant":
        return 1.0
    return config.lr_min_ratio + (1 - config.lr_min_ratio) * _height(config, step)


def _height(config: TrainConfig, step: int) -> float:
    """Return where between its end (0) and its peak (1) the rate is after the warm-up."""
    if config.schedule == "wsd":
        decay = config.decay_steps or -(-config.steps // _DECAY_PART)
        return min(max(config.steps - step, 0) / decay, 1.0)
    progress = min((step - config.warmup_steps) / max(config.steps - config.warmup_steps, 1), 1.0)
    return 1 - progress if config.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * progress))


def halt_steps(config: TrainConfig, step: int) -> int:
    """Return how many supervision steps a puzzle stays at most in update `step` (0, 1, …).

    Grows from `halt_start_steps` to `halt_max_steps`; each number holds for an equal share of the run.
    """
    return growing(config.halt_start_steps, config.halt_max_steps, step, config.steps)


def exploration(config: TrainConfig, step: int) -> float:
    """Return the share of rows that may not halt before a randomly drawn step, in update `step` (0, 1, …)."""
    first, last = config.halt_exploration_start, config.halt_exploration_prob
    if not first:
        return last
    return first + (last - first) * min(step / max(config.steps - 1, 1), 1.0)
