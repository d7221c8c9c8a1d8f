"""Which learner a configuration asks for."""

from __future__ import annotations

from trm_engine.config.sections import Config
from trm_engine.learning.learner import Learner
from trm_engine.learning.puzzle_learner import PuzzleLearner
from trm_engine.learning.text_learner import TextLearner
from trm_engine.tasks.base import Task


def build_learner(config: Config, task: Task) -> Learner:
    """Return a fresh learner for a configuration and its task; reads the task's data."""
    return (TextLearner if config.model.architecture == "text" else PuzzleLearner)(config, task)
