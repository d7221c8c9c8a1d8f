"""The program, run in this process from an empty folder; the app, on a fake engine or on real sessions."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import pytest

import trm_engine.sessions.store
from tests.language_server import Stub, stub_server
from tests.program import TINY
from tests.trm_tui.editor_pilot import SharedDesk, sharing
from tests.trm_tui.fake_engine import FakeWorkbench
from tests.trm_tui.session_makers import make_some, stop_the_clock
from trm_engine.config import Config, TaskConfig, loads
from trm_engine.sessions import Store
from trm_tui.cli.main import main
from trm_tui.tui.app import TrmApp
from trm_tui.workbench.browser import details


@dataclass
class Done:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict]:
        return [json.loads(line) for line in self.out.splitlines()]


Trm = Callable[..., Done]


@pytest.fixture
def stub() -> Iterator[Stub]:
    """A language model's server on this machine, whose answers a test decides."""
    with stub_server() as server:
        yield server


@pytest.fixture
def tiny_toml() -> str:
    return TINY


@pytest.fixture
def trm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Trm:
    """Run the program in an empty folder that holds a configuration file `tiny.toml`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRM_SESSIONS_DIR", str(tmp_path / "sessions"))
    monkeypatch.setenv("COLUMNS", "160")
    (tmp_path / "tiny.toml").write_text(TINY)

    def run(*words: object) -> Done:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err + captured.out
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, captured.out, captured.err)

    return run


@pytest.fixture
def trained(trm: Trm) -> str:
    """Return the id of a finished session named `first`."""
    done = trm("--no-ui", "run", "tiny.toml", "--json", "--name", "first")
    assert done.code == 0
    return str(done.objects[-1]["session"])


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


@pytest.fixture
def live(training: FakeWorkbench, tmp_path: Path) -> TrmApp:
    """The app, opened on a run that trains."""
    return TrmApp(training, config_dir=tmp_path / "config", opening=lambda _: None)


@pytest.fixture(scope="session")
def six_sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with six sessions, to be copied, on versions of everything that never change."""
    root = tmp_path_factory.mktemp("six")
    versions = {"python": "3.11.7", "torch": "2.13.0", "numpy": "2.4.6", "trm-tui": "0.1.0"}
    with pytest.MonkeyPatch.context() as patch:
        stop_the_clock(patch)
        patch.setattr(trm_engine.sessions.store, "installed_versions", lambda: versions)
        make_some(Store(root), loads(CONFIG, "the test"))
    return root


@pytest.fixture
def full(app: TrmApp, bench: FakeWorkbench, six_sessions: Path, monkeypatch: pytest.MonkeyPatch) -> TrmApp:
    """The app on six sessions, at a fixed time; they take more room with every setting that is added."""
    stop_the_clock(monkeypatch)
    monkeypatch.setattr(details, "folder_bytes", lambda folder: 49_200)
    copytree(six_sessions, bench.store.root)
    return app


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> type[TaskConfig]:
    """Register a second kind of task, forgotten after the test."""
    monkeypatch.setattr(TaskConfig, "kinds", dict(TaskConfig.kinds))

    class CountingConfig(TaskConfig, kind="counting"):
        """Counting."""

        kind: str = "counting"
        """Which task the model learns."""
        up_to: int = 9
        """The last number."""

        @property
        def seq_len(self) -> int:
            return self.up_to

        @property
        def vocab_size(self) -> int:
            return self.up_to

    return CountingConfig
