"""What figures of a study go over: a cost of the trial, or a setting, or a formula of settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from trm_engine.config import Config, flatten
from trm_engine.planning.flops import parameters, training_flops
from trm_engine.planning.recursion import recursion_stages
from trm_engine.studies.links import compute

COSTS: Mapping[str, Callable[[Config], float]] = {
    "parameters": lambda config: parameters(config),
    "flops": lambda config: training_flops(config),
    "training_flops": lambda config: _all_flops(config),
    "rows": lambda config: config.train.steps * config.train.batch_size,
}
"""Weights; operations of a supervision step of one row in training; those of the whole run; rows of it."""


def place_on(axis: str, config: Config, where: str) -> float:
    """Return where a configuration stands on an axis. Raises `UsageError` where it has no such setting."""
    known = COSTS.get(axis)
    return known(config) if known else compute(axis, flatten(config), where)


def _all_flops(config: Config) -> float:
    rows = config.train.batch_size
    return sum(steps * rows * training_flops(stage) for steps, stage in recursion_stages(config))
