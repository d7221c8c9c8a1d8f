"""Things found by name: the product's own are imported when they are first looked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trm_engine.config.registry import Registry, imported
from trm_engine.tasks.base import Task


def test_what_is_added_is_found_and_can_be_taken_away() -> None:
    found: Registry[int] = Registry()
    found["a"] = 1
    assert dict(found) == {"a": 1}
    del found["a"]
    assert "a" not in found
    assert len(found) == 0


def test_a_configuration_finds_its_task_without_anybody_importing_it() -> None:
    code = (
        "import sys\n"
        "from trm_engine.config import loads\n"
        "assert 'trm_engine.tasks' not in sys.modules\n"
        "print(loads('[task]\\nkind = \"maze\"\\n', 'test').task.kind)\n"
        "print([name for name in ('numpy', 'torch') if name in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:2] == ["maze", "[]"]


def test_a_class_is_imported_by_its_place() -> None:
    found = imported("trm_engine.tasks.sudoku.task:SudokuTask", Task)
    assert found.__name__ == "SudokuTask"


@pytest.mark.parametrize("place", ["", "trm_engine.tasks.base", "trm_engine.tasks.base:None", "json:loads"])
def test_a_place_without_such_a_class_is_a_mistake_of_the_caller(place: str) -> None:
    with pytest.raises(TypeError, match="does not name a Task"):
        imported(place, Task)
