"""A kind of learner that one module declares is configured, planned, trained, replayed and loaded."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

import pytest

from trm_engine.config import Config, describe, dumps, loads
from trm_engine.config.kinds import KINDS
from trm_engine.config.sections import TaskConfig
from trm_engine.errors import ConfigError, UsageError
from trm_engine.inference.load import load
from trm_engine.inference.puzzle_model import PuzzleModel
from trm_engine.planning.estimate import estimate
from trm_engine.sessions import Store
from trm_engine.training.events import Evaluated, Finished, Started
from trm_engine.training.replay import replay
from trm_engine.training.runs import resume, start

NAME = "tests.trm_engine.tally"
SETTINGS = ("task.kind=tally", "model.architecture=tally", "task.clues=6", "task.train_size=40")


@pytest.fixture(autouse=True)
def tally() -> Iterator[ModuleType]:
    """The module, known while a test runs."""
    sys.modules.pop(NAME, None)
    yield import_module(NAME)
    del KINDS["tally"], TaskConfig.kinds["tally"]


@pytest.fixture
def config(make_config) -> Config:
    made: Config = make_config(*SETTINGS, "task.test_size=12", "eval.every=6", "train.lr=0.1")
    return made


def test_it_can_be_written_read_and_chosen(config: Config) -> None:
    assert loads(dumps(config), "test") == config
    (architecture,) = [info for info in describe() if info.key == "model.architecture"]
    assert set(architecture.choices) == {"puzzle", "tally", "text"}


def test_its_task_is_learned_by_nothing_else(make_config) -> None:
    with pytest.raises(ConfigError, match='a "tally" task is learned by a tally; set this to "tally"'):
        make_config(*SETTINGS[:1])
    with pytest.raises(ConfigError, match="a tally is measured by its surprise; set target_loss instead"):
        make_config(*SETTINGS, "eval.target_accuracy=0.5", "eval.every=6")


def test_what_it_costs_is_known_beforehand(config: Config) -> None:
    assert estimate(config, gemm_gflops=100.0).seconds


def test_it_trains_resumes_and_replays(store: Store, config: Config, make_sitting, heard) -> None:
    first = start(store, config, make_sitting(steps=8), preset="tiny")
    finished = resume(store, first.session, make_sitting())
    assert (finished.steps, finished.reason) == (12, "last step reached")
    losses = [event.figures["surprise"] for event in heard.of(Evaluated)]
    assert losses[0] > losses[-1] > 1.38, "four digits are equally frequent"
    session = store.get(first.session)
    assert session.record.summary["best_surprise"] == pytest.approx(losses[-2])
    assert [event.config for event in heard.of(Started)] == [config, config]
    assert replay(store, session.id, make_sitting()).agrees
    assert isinstance(heard.events[-1], Finished)


def test_it_ends_at_its_target(store: Store, make_config, make_sitting) -> None:
    config = make_config(
        *SETTINGS, "task.test_size=12", "eval.every=3", "eval.target_loss=1.7", "train.lr=0.1", "train.ema=0"
    )
    finished = start(store, config, make_sitting(), preset="tiny")
    assert finished.reason == "target surprise reached"


def test_it_is_loaded_and_measured(store: Store, config: Config, make_sitting, tally: ModuleType) -> None:
    run = start(store, config, make_sitting(), preset="tiny")
    model = load(store, run.session)
    assert isinstance(model, tally.TallyModel)
    task = model.task()
    assert model.evaluate(task, task.test).to_dict() == run.eval
    with pytest.raises(UsageError, match="has learned to count tokens"):
        load(store, run.session, expect=PuzzleModel)
