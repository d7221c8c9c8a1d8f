"""Every state that a run can be in, on a fake workbench."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.trm_tui.fake_engine import FakeWorkbench, started
from trm_engine.config import Config
from trm_engine.training.events import Paused, Saved
from trm_tui.workbench.recorder import Recorder

SESSION = "20260131-120000-sudoku-6x6-0001"


def _ended(status: str) -> Callable[[FakeWorkbench], None]:
    return lambda bench: bench.end(bench.run, status)


def _unsaved(bench: FakeWorkbench) -> None:
    bench.run.recorder = Recorder(1, "sudoku-6x6")
    bench.run.recorder.become("stopped", "stopped by hand")


def _waiting(bench: FakeWorkbench) -> None:
    bench.run.recorder(Paused(1240, True))
    bench.run.recorder.ask("waiting")


def _preparing(bench: FakeWorkbench) -> None:
    bench.run.recorder = Recorder(1, "sudoku-6x6")


STATES: Mapping[str, Callable[[FakeWorkbench], None]] = {
    "empty": lambda bench: bench.close_slot(1),
    "waiting": _waiting,
    "preparing": _preparing,
    "running": lambda _: None,
    "pausing": lambda bench: bench.run.recorder.ask("pausing"),
    "paused": lambda bench: bench.run.recorder(Paused(1240, True)),
    "stopping": lambda bench: bench.run.recorder.ask("stopping"),
    "stopped": _ended("stopped"),
    "stopped, nothing saved": _unsaved,
    "completed": _ended("completed"),
    "diverged": _ended("diverged"),
    "failed": lambda bench: bench.run.recorder.fail("the disk is gone", "Traceback …"),
    "elsewhere": lambda bench: bench.run.recorder.become("elsewhere", "trained by process 7"),
}


def put(bench: FakeWorkbench, state: str, config: Config) -> None:
    """Have the workbench hold one run, in slot 1, that is in a state."""
    bench.runs.clear()
    bench.start(config, preset="sudoku-6x6")
    recorder = bench.run.recorder
    recorder(started(SESSION, config))
    bench.run.advance(1240)
    recorder(Saved(1240, "steps"))
    STATES[state](bench)
