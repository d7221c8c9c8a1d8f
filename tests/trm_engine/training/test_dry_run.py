"""The dry run: a step before the first finds how many rows fit, and changes nothing."""

from __future__ import annotations

import pytest
import torch

import trm_engine.tasks
from tests.trm_engine.training.short_memory import SMALL, FullMachine, in_flight
from trm_engine.errors import FitError
from trm_engine.hardware import Memory, Power
from trm_engine.learning.build import build_learner
from trm_engine.models.trm import TRM, State
from trm_engine.training.dry_run import rehearse
from trm_engine.training.replay import replay
from trm_engine.training.runs import start

GB = 10**9


def everything(learner) -> tuple[dict[str, torch.Tensor], object]:
    tensors = {**learner.weights(), **learner.tensors(), "grads": learner.parameters.grads}
    return {name: tensor.clone() for name, tensor in tensors.items()}, learner.state()


@pytest.mark.parametrize("kind", [(), ("model.mixer=attention", "model.positions=rope", "model.heads=2")])
@pytest.mark.parametrize("rows", [8, 3])
def test_a_dry_run_changes_nothing(make_config, kind, rows: int) -> None:
    config = make_config("train.batch_size=8", *kind)
    learner, other = (build_learner(config, trm_engine.tasks.build_task(config.task)) for _ in range(2))
    for _ in range(3):
        learner.learn(8)
        other.learn(8)
    learner.parameters.grads.zero_()
    before, state = everything(learner)
    learner.rehearse(rows)
    after, state_after = everything(learner)
    assert state == state_after
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert learner.learn(8).sums.figures() == other.learn(8).sums.figures()


class SmallMachine:
    """Readings of a machine with 1 GB, of which each row in flight takes 100 MB and the program 200 MB."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, row: int = 100_000_000) -> None:
        self.held = 200_000_000
        forward = TRM.forward

        def measured(model: TRM, state: State, inputs: torch.Tensor, *rest: object, **how: object):
            self.held = 200_000_000 + len(inputs) * row
            return forward(model, state, inputs, *rest, **how)

        monkeypatch.setattr(TRM, "forward", measured)

    def rss_bytes(self) -> int:
        return self.held

    def peak_rss_bytes(self) -> None:
        return None

    def memory(self) -> Memory:
        return Memory(available_bytes=GB - min(self.held, GB))

    def cpu_seconds(self) -> None:
        return None

    def core_times(self) -> tuple[()]:
        return ()

    def power(self) -> Power:
        return Power()


def test_a_dry_run_finds_how_many_rows_fit(make_config, monkeypatch) -> None:
    config = make_config("train.batch_size=16")
    learner = build_learner(config, trm_engine.tasks.build_task(config.task))
    found = rehearse(learner, SmallMachine(monkeypatch))
    assert found.config.micro_batch == 4
    assert found.config.train.batch_size == 16
    assert found.decision.choice == "micro-batch of 4 rows instead of 16"
    assert "600 MB" in found.decision.reason


def test_a_dry_run_that_fits_changes_no_setting(make_config, monkeypatch) -> None:
    config = make_config("train.batch_size=4")
    learner = build_learner(config, trm_engine.tasks.build_task(config.task))
    assert rehearse(learner, SmallMachine(monkeypatch)).config == config


def test_where_one_row_does_not_fit_alternatives_are_named(make_config, monkeypatch) -> None:
    config = make_config("train.batch_size=4", "model.hidden_size=256", "model.l_cycles=6")
    learner = build_learner(config, trm_engine.tasks.build_task(config.task))
    with pytest.raises(FitError, match="a single row") as caught:
        rehearse(learner, SmallMachine(monkeypatch, row=750_000_000))
    assert caught.value.remedies
    assert caught.value.exit_code == 4


def test_a_dry_run_out_of_memory_begins_with_fewer_rows(
    store, make_config, make_sitting, heard, monkeypatch
) -> None:
    FullMachine(monkeypatch, 2, MemoryError())
    finished = start(store, make_config(*SMALL, "eval.batch_size=2"), make_sitting(), preset="tiny")
    assert set(in_flight(heard)) == {2}
    started = heard.events[0]
    assert started.decisions[-1]["choice"] == "micro-batch of 2 rows instead of 8"
    assert finished.resources["batch_reductions"] == 1
    entries = store.get(finished.session).history.entries()
    assert [entry.step for entry in entries] == [0, 0]
    assert replay(store, finished.session, make_sitting()).agrees


def test_what_cannot_run_leaves_no_session(store, make_config, make_sitting, monkeypatch) -> None:
    FullMachine(monkeypatch, 0, MemoryError())
    with pytest.raises(FitError, match="a single row"):
        start(store, make_config(*SMALL), make_sitting(), preset="tiny")
    assert store.list() == []
