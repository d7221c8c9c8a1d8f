"""The example in docs/tasks.md is a task: it keeps the contract, trains, and runs as a program."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from puzzle_contract import PUZZLE_CHECKS
from task_contract import CHECKS, Check, Subject

from trm_engine.config.sections import TaskConfig
from trm_tui.cli.main import main

CHECKOUT = Path(__file__).parents[3]
DOCUMENT = (CHECKOUT / "docs" / "tasks.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the only block of code in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the two files that the document says to save."""
    folder = tmp_path_factory.mktemp("document")
    (folder / "sorting.py").write_text(block("python"), encoding="utf-8")
    (folder / "sorting.toml").write_text(block("toml"), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def sorting(folder: Path) -> Iterator[ModuleType]:
    """The example as a module, its kind registered while the tests of this file run."""
    spec = importlib.util.spec_from_file_location("sorting", folder / "sorting.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["sorting"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["sorting"], TaskConfig.kinds["sorting"]


@pytest.fixture(scope="module")
def subject(sorting: ModuleType, folder: Path) -> Subject:
    def configure(_: Path, seed: int) -> TaskConfig:
        config: TaskConfig = sorting.SortingConfig(length=4, train_size=40, test_size=12, seed=seed)
        return config

    return Subject(configure, folder, reads_published=False)


@pytest.mark.parametrize("check", CHECKS + PUZZLE_CHECKS, ids=lambda check: check.__name__[6:])
def test_the_example_keeps_the_contract(subject: Subject, check: Check) -> None:
    check(subject)


def test_the_example_refuses_more_puzzles_than_there_are(sorting: ModuleType) -> None:
    assert sorting.SortingConfig(length=2, train_size=50, test_size=5).problems() == []
    assert sorting.SortingConfig(length=2, train_size=51, test_size=5).problems()[0][0] == "train_size"


SMALL = [
    *("--set", "task.test_size=10", "--set", "train.batch_size=8"),
    *("--set", "train.log_every=4", "--set", "runtime.threads=1"),
]


@pytest.mark.usefixtures("sorting")
def test_the_example_trains(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--no-ui", "--sessions-dir", str(tmp_path), "run", str(folder / "sorting.toml"), "--steps", "8"]
    with pytest.raises(SystemExit) as ended:
        main([*words, *SMALL, "--json"])
    printed = capsys.readouterr()
    assert ended.value.code == 0, printed.err
    finished = json.loads(printed.out.splitlines()[-1])
    assert (finished["event"], finished["steps"], finished["samples"]) == ("finished", 8, 64)


def test_the_example_is_a_program(folder: Path) -> None:
    run = subprocess.run(
        [sys.executable, "sorting.py", "data", "build", "sorting.toml", "built.txt"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    puzzle, solution = (folder / "built.txt").read_text().splitlines()[0].split()
    assert sorted(puzzle) == list(solution)


def test_the_document_names_what_there_is() -> None:
    for path in re.findall(r"`((?:trm_engine|tests)/[\w/]+\.py)`", DOCUMENT):
        assert (CHECKOUT / path).exists() or "/sorting/" in path, path
