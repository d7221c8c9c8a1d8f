"""What a model can learn, and from which data.

Importing this package makes the tasks' configurations known; the tasks themselves load with `build_task`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.tasks.progress import Progress, silent
from engine.tasks.sudoku.config import SudokuConfig

if TYPE_CHECKING:
    from engine.config.sections import TaskConfig
    from engine.tasks.base import Task

__all__ = ["SudokuConfig", "build_task"]


def build_task(config: TaskConfig, progress: Progress | None = None) -> Task:
    """Return the task that a configuration names.

    Its puzzles are generated or read when `train`, `test` or `facts` is first used, with `progress` called as
    (what is being done, how much is done, how much there is); `UsageError` is raised then where data is not
    sound or a request cannot be met.
    """
    if isinstance(config, SudokuConfig):
        from engine.tasks.sudoku.task import SudokuTask

        return SudokuTask(config, progress or silent)
    raise TypeError(f"no task is built from {type(config).__name__}")
