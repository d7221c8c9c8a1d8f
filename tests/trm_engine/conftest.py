"""A tiny task and a learner of it: steps take milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from trm_engine.config import Config, apply
from trm_engine.sessions import Store
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_engine.training import run
from trm_engine.training.control import Control
from trm_engine.training.events import Event, Warned
from trm_engine.training.run import Sitting

MakeConfig = Callable[..., Config]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def double_precision() -> Iterator[None]:
    """Compute in float64: recursion amplifies rounding by an amount that depends on the processor."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs measure how fast this machine is but once; here each has a cache of its own."""
    monkeypatch.setattr(run, "with_gemm_rate", lambda hardware: hardware)


TEXT = (
    "task.kind=text",
    "task.context=8",
    "model.architecture=text",
    "model.mixer=attention",
    "model.positions=rope",
    "model.heads=2",
)
VERSE = "the quick brown fox jumps over the lazy dog;\nsphinx of black quartz, judge my vow.\n"


@pytest.fixture
def text_overrides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """What makes the configuration learn a small text."""
    monkeypatch.setenv("TRM_CACHE_DIR", str(tmp_path / "cache"))
    file = tmp_path / "verse.txt"
    file.write_text(VERSE * 4)
    return (*TEXT, f'task.data="{file}"')


@pytest.fixture
def make_config(text_overrides: tuple[str, ...]) -> MakeConfig:
    """A 4×4 configuration whose steps take milliseconds, with `section.key=value` overrides.

    With `text` among them it learns a small text instead.
    """

    def make(*overrides: str) -> Config:
        if "text" in overrides:
            overrides = (*text_overrides, *(one for one in overrides if one != "text"))
        config = Config(task=SudokuConfig(clues=6, train_size=40, test_size=12))
        small = (
            "model.hidden_size=8",
            "train.batch_size=6",
            "train.steps=12",
            "train.halt_max_steps=3",
            "train.warmup_steps=2",
            "train.log_every=3",
            "eval.every=0",
            "checkpoint.every_steps=0",
            "checkpoint.every_seconds=0",
            "runtime.threads=1",
            *(
                f"runtime.{setting}"
                for setting in ("gemm=default", "attention=sdpa", "parallelism=rows", "kernels=fused")
            ),
        )
        return apply(config, [*small, *overrides])

    return make


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "sessions")


# What the machine that runs the tests may be told of at any time: it is busy, warm, or on battery.
_OF_THE_MACHINE = {
    "below-predicted-rate",
    "battery-saver",
    "cores-contended",
    "on-battery",
    "swap-growing",
    "throttled",
}


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]

    def warnings(self) -> list[str]:
        """Return the codes of the warnings that the run itself gave cause for."""
        codes = [event.code for event in self.events if isinstance(event, Warned)]
        return [code for code in codes if code not in _OF_THE_MACHINE]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def make_sitting(heard: Heard) -> Callable[..., Sitting]:
    def make(*, steps: int | None = None, control: Control | None = None) -> Sitting:
        return Sitting(control or Control(), [heard], steps=steps)

    return make
