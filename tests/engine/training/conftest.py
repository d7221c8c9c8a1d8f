"""A tiny task and a learner of it: steps take milliseconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import engine.tasks
from engine.config import Config, apply
from engine.runs import Store
from engine.training.control import Control
from engine.training.events import Event
from engine.training.launch import Sitting

MakeConfig = Callable[..., Config]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def make_config() -> MakeConfig:
    """A 4×4 configuration whose steps take milliseconds, with `section.key=value` overrides."""

    def make(*overrides: str) -> Config:
        config = Config(task=engine.tasks.SudokuConfig(clues=6, train_size=40, test_size=12))
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
        )
        return apply(config, [*small, *overrides])

    return make


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "sessions")


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def make_sitting(heard: Heard) -> Callable[..., Sitting]:
    def make(*, steps: int | None = None, control: Control | None = None) -> Sitting:
        return Sitting(control or Control(), [heard], steps=steps)

    return make
