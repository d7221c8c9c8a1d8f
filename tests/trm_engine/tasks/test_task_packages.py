"""A task is one folder: it is found by being there, knows no other task, and nothing else knows it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import trm_engine
from trm_engine import tasks
from trm_engine.config.sections import TaskConfig

HOME = Path(tasks.__file__).parent
FOLDERS = sorted(path.parent.name for path in HOME.glob("*/config.py"))


def imports_of(path: Path) -> set[str]:
    """Return the folders of tasks that a file imports from."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    of_tasks = (name.split(".")[2:3] for name in names if name.startswith(f"{tasks.__name__}."))
    return {part[0] for part in of_tasks if part and part[0] in FOLDERS}


def test_every_folder_with_a_configuration_is_a_task_and_there_are_no_others() -> None:
    homes = {kind.__module__.split(".")[2] for kind in TaskConfig.kinds.values()}
    assert homes == set(FOLDERS)
    assert {"sudoku", "maze", "arc", "text", "light_up", "futoshiki"} <= homes


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_task_knows_another(folder: str) -> None:
    for path in (HOME / folder).rglob("*.py"):
        assert imports_of(path) <= {folder}, path


@pytest.mark.parametrize("folder", ["futoshiki", "light_up", "maze"])
def test_nothing_else_names_a_puzzle_task(folder: str) -> None:
    root = Path(trm_engine.__file__).parents[1]
    for package in ("trm_engine", "trm_tui"):
        for path in (root / package).rglob("*.py"):
            if HOME / folder not in path.parents:
                assert folder not in imports_of(path), path
