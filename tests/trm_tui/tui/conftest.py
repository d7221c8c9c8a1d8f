"""What all tests of the app share."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode adds no folder, and these tests share a fake

from editor_pilot import SharedDesk, sharing
from fake_engine import FakeWorkbench

from engine.config import Config, loads
from trm_tui.tui.app import TrmApp

CONFIG = """
title = "Sudoku 6×6"
expect = "95 % of unseen puzzles in about a minute."
[task]
kind = "sudoku"
[model]
hidden_size = 64
[train]
steps = 3000
batch_size = 64
"""


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run tests that are coroutines."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in wanted}))
    return True


@pytest.fixture(scope="module", name="desk")
def fixture_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedDesk]:
    """A configuration editor that the tests of a module share."""
    with sharing(tmp_path_factory.mktemp("editor")) as desk:
        yield desk


@pytest.fixture
def bench(tmp_path: Path) -> FakeWorkbench:
    """A workbench without an engine, with an empty store."""
    return FakeWorkbench(tmp_path / "sessions")


@pytest.fixture
def app(bench: FakeWorkbench, tmp_path: Path) -> TrmApp:
    """The app on a fake workbench, with settings of its own."""
    return TrmApp(bench, config_dir=tmp_path / "config")


@pytest.fixture
def config() -> Config:
    """A small configuration that no preset changes."""
    return loads(CONFIG, "the test")


@pytest.fixture
def training(bench: FakeWorkbench, config: Config) -> FakeWorkbench:
    """A workbench with one run that has come to step 1240."""
    bench.start(config, preset="sudoku-6x6")
    bench.run.advance(1240)
    return bench
