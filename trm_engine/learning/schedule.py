"""The learning rate and the supervision steps of a puzzle over a run."""

from __future__ import annotations

import math

from trm_engine.config.sections import TrainConfig


def lr_scale(config: TrainConfig, step: int) -> float:
    """Return the share of the peak rate that update `step` (0, 1, …) uses.

    A linear warm-up, then a cosine that reaches `lr_min_ratio` at `config.steps` and stays there.
    """
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    progress = min((step - config.warmup_steps) / max(config.steps - config.warmup_steps, 1), 1.0)
    return config.lr_min_ratio + (1 - config.lr_min_ratio) * 0.5 * (1 + math.cos(math.pi * progress))


def halt_steps(config: TrainConfig, step: int) -> int:
    """Return how many supervision steps a puzzle stays at most in update `step` (0, 1, …).

    Grows from `halt_start_steps` to `halt_max_steps`; each number holds for an equal share of the run.
    """
    end = config.halt_max_steps
    start = config.halt_start_steps or end
    return min(start + (end - start + 1) * step // config.steps, end)
