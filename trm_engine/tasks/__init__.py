"""What a model can learn, and from which data.

Importing this package makes the configurations of all its tasks known: every folder here that has a module
`config` is one. A configuration imports it when it looks for a task by its kind; the tasks themselves load
with `build_task`.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING

from trm_engine.config.registry import imported
from trm_engine.errors import UsageError
from trm_engine.progress import Progress, silent

if TYPE_CHECKING:
    from trm_engine.config.sections import TaskConfig
    from trm_engine.tasks.base import PuzzleTask, Task

__all__ = ["build_puzzles", "build_task"]

for _found in pkgutil.iter_modules(__path__):
    # A task is a folder with a configuration, which registers itself when it is imported.
    if _found.ispkg and importlib.util.find_spec(f"{__name__}.{_found.name}.config"):
        importlib.import_module(f"{__name__}.{_found.name}.config")


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
