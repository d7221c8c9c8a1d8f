"""What a model can learn, and from which data.

Importing this package makes the tasks' configurations known, and a configuration imports it when it looks for
a task by its kind. The tasks themselves load with `build_task`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trm_engine.config.registry import imported
from trm_engine.errors import UsageError
from trm_engine.progress import Progress, silent
from trm_engine.tasks.arc.config import ArcConfig
from trm_engine.tasks.futoshiki.config import FutoshikiConfig
from trm_engine.tasks.light_up.config import LightUpConfig
from trm_engine.tasks.maze.config import MazeConfig
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_engine.tasks.text.config import TextConfig

if TYPE_CHECKING:
    from trm_engine.config.sections import TaskConfig
    from trm_engine.tasks.base import PuzzleTask, Task

__all__ = [
    "ArcConfig",
    "FutoshikiConfig",
    "LightUpConfig",
    "MazeConfig",
    "SudokuConfig",
    "TextConfig",
    "build_puzzles",
    "build_task",
]


def build_task(config: TaskConfig, progress: Progress | None = None) -> Task:
    """Return the task that a configuration names.

    Its puzzles are generated or read when `train`, `test` or `facts` is first used, with `progress` called as
    (what is being done, how much is done, how much there is); `UsageError` is raised then where data is not
    sound or a request cannot be met.
    """
    from trm_engine.tasks.base import Task

    build: Callable[[TaskConfig, Progress], Task] = imported(config.task_class, Task)
    return build(config, progress or silent)


def build_puzzles(config: TaskConfig, progress: Progress | None = None) -> PuzzleTask:
    """Return the task that a configuration names; raise `UsageError` when it is not about puzzles."""
    from trm_engine.tasks.base import PuzzleTask

    task = build_task(config, progress)
    if not isinstance(task, PuzzleTask):
        raise UsageError(f'a "{config.kind}" task has no puzzles to solve')
    return task
