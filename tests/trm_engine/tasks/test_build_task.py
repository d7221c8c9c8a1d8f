import subprocess
import sys

import pytest

import trm_engine.tasks
from trm_engine.config.sections import TaskConfig
from trm_engine.tasks import build_task
from trm_engine.tasks.base import Task
from trm_engine.tasks.sudoku.config import SudokuConfig


def test_importing_the_package_makes_the_configurations_known_without_heavy_imports():
    code = (
        "import sys, trm_engine.tasks\n"
        "from trm_engine.config.sections import TaskConfig\n"
        "assert 'sudoku' in TaskConfig.kinds\n"
        "print([name for name in ('numpy', 'torch') if name in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_sudoku_task_is_built_from_its_configuration():
    task = build_task(SudokuConfig())
    assert isinstance(task, Task)
    assert (task.seq_len, task.vocab_size) == (16, 6)


def test_an_unknown_configuration_is_a_mistake_of_the_caller():
    class Unknown(TaskConfig, kind="unknown-to-build-task"):
        kind: str = "unknown-to-build-task"

    try:
        with pytest.raises(TypeError, match="does not name a Task"):
            build_task(Unknown())
    finally:
        del TaskConfig.kinds["unknown-to-build-task"]


def test_all_that_is_exported_exists():
    assert all(hasattr(trm_engine.tasks, name) for name in trm_engine.tasks.__all__)
