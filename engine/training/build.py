"""Which learner a configuration asks for."""

from __future__ import annotations

from engine.config.sections import Config
from engine.tasks.base import Task
from engine.training.learner import Learner
from engine.training.puzzle_learner import PuzzleLearner
from engine.training.text_learner import TextLearner


def build_learner(config: Config, task: Task) -> Learner:
    """Return a fresh learner for a configuration and its task; reads the task's data."""
    return (TextLearner if config.model.architecture == "text" else PuzzleLearner)(config, task)
