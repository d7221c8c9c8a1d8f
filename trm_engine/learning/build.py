"""Which learner a configuration asks for."""

from __future__ import annotations

from collections.abc import Callable

from trm_engine.config.kinds import kind_of
from trm_engine.config.registry import imported
from trm_engine.config.sections import Config
from trm_engine.learning.learner import Learner
from trm_engine.tasks.base import Task


def build_learner(config: Config, task: Task) -> Learner:
    """Return a fresh learner for a configuration and its task; reads the task's data."""
    build: Callable[[Config, Task], Learner] = imported(kind_of(config).learner, Learner)
    return build(config, task)
