"""What a run does when memory gets short: fewer rows at once, a smaller batch, a saved stop; its replay."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import pytest
import torch

from tests.trm_engine.training.short_memory import SMALL, in_flight
from trm_engine.config import loads
from trm_engine.models.carry import Carry
from trm_engine.models.trm import State
from trm_engine.monitoring.monitor import Resources, Sample
from trm_engine.training.control import Control
from trm_engine.training.events import Event, Stepped
from trm_engine.training.memory_policy import MemoryKeeper, Sizes, in_force
from trm_engine.training.replay import replay
from trm_engine.training.run import Sitting
from trm_engine.training.runs import resume, start

GB = 10**9
AS_CALM = 0.5
TWO_REDUCTIONS = {3: 0.85, 4: AS_CALM, 7: 0.85, 8: AS_CALM}


class SimulatedMachine:
    """Stands in for the monitor: after each step its watchers see some seconds of a given pressure.

    `shares`: the used share of memory from a step on.
    """

    def __init__(self, shares: dict[int, float], samples: int) -> None:
        self.shares = shares
        self.samples = samples
        self.watchers: Sequence[Callable[[Sample], None]] = ()
        self.seconds = 0.0

    def __call__(self, *, watchers: Sequence[Callable[[Sample], None]], **_: object) -> SimulatedMachine:
        self.watchers = watchers
        return self

    def __enter__(self) -> SimulatedMachine:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def latest(self) -> Sample:
        return Sample(0.0)

    def summary(self) -> Resources:
        return Resources()

    def hear(self, event: Event) -> None:
        if isinstance(event, Stepped):
            share = next((self.shares[at] for at in sorted(self.shares, reverse=True) if at <= event.step), 0)
            rss = round(share * 10 * GB)
            for _ in range(self.samples):
                self.seconds += 0.5
                for watch in self.watchers:
                    watch(Sample(self.seconds, rss_bytes=rss, available_bytes=10 * GB - rss))


@pytest.fixture
def under_pressure(heard) -> Callable[..., Sitting]:
    """Make sittings on a machine whose used share of memory is `{step: share}` from each step on."""

    def make(shares: dict[int, float], *, samples: int = 8, steps: int | None = None) -> Sitting:
        machine = SimulatedMachine(shares, samples)
        return Sitting(Control(), [heard, machine.hear], steps=steps, monitor=machine)

    return make


# --- the order of reductions ------------------------------------------------------------------------------


def test_micro_batches_halve_then_the_batch_then_the_run_stops_saved(
    store, make_config, under_pressure, heard
) -> None:
    finished = start(store, make_config(*SMALL), under_pressure({2: 0.95}), preset="tiny")
    assert heard.warnings() == [
        "memory-high",
        "micro-batch-reduced",
        "micro-batch-reduced",
        "micro-batch-reduced",
        "batch-reduced",
        "out-of-memory",
    ]
    assert in_flight(heard) == [8, 8, 4, 2, 1, 1]
    assert [event.samples for event in heard.of(Stepped)] == [8, 16, 24, 32, 40, 44]
    assert (finished.status, finished.exit_code, finished.steps) == ("stopped", 6, 6)
    assert "out of memory" in finished.reason
    assert finished.resources["batch_reductions"] == 4
    assert finished.resources["peak_memory_share"] == pytest.approx(0.95)
    session = store.get(finished.session)
    assert session.load()[0].step == 6


def test_every_change_is_in_the_history_and_the_log(store, make_config, under_pressure) -> None:
    finished = start(store, make_config(*SMALL), under_pressure({2: 0.95}), preset="tiny")
    session = store.get(finished.session)
    entries = session.history.entries()
    sizes = [Sizes.of(loads(entry.config_toml, "history")) for entry in entries]
    assert [
        (entry.step, size.micro_batch, size.batch_size) for entry, size in zip(entries, sizes, strict=True)
    ] == [
        (0, 0, 8),
        (2, 4, 8),
        (3, 2, 8),
        (4, 1, 8),
        (5, 1, 4),
    ]
    assert "micro-batch 8 → 4 " in entries[1].reason
    log = "\n".join(event.message for event in session.events())
    assert all(entry.reason.partition(":")[0] in log for entry in entries[1:])


def test_a_stopped_run_goes_on_with_its_smaller_batch(store, make_config, under_pressure, heard) -> None:
    stopped = start(store, make_config(*SMALL), under_pressure({2: 0.95}), preset="tiny")
    heard.events.clear()
    finished = resume(store, stopped.session, under_pressure({}))
    assert (finished.status, finished.exit_code, finished.steps) == ("completed", 0, 12)
    assert in_flight(heard) == [1] * 6
    assert finished.samples == 44 + 6 * 4
    assert finished.resources["batch_reductions"] == 4


def test_between_the_limits_the_smallest_run_goes_on(store, make_config, under_pressure, heard) -> None:
    finished = start(
        store, make_config(*SMALL, "train.micro_batch=1"), under_pressure({1: 0.85}), preset="tiny"
    )
    assert (finished.status, finished.steps) == ("completed", 12)
    assert heard.warnings() == ["memory-high", "batch-reduced"]


def test_without_the_guard_nothing_changes(store, make_config, under_pressure, heard) -> None:
    finished = start(
        store, make_config(*SMALL, "memory.guard=false"), under_pressure({1: 0.99}), preset="tiny"
    )
    assert finished.status == "completed"
    assert heard.warnings() == []
    assert set(in_flight(heard)) == {8}


def test_while_it_lasts_more_rows_come_back_up_to_those_asked_for(
    store, make_config, under_pressure, heard
) -> None:
    config = make_config(*SMALL, "train.micro_batch=4")
    sitting = under_pressure({1: 0.85, 3: AS_CALM}, samples=70)
    finished = start(store, config, sitting, preset="tiny")
    assert in_flight(heard) == [4, 2, 1, 2] + [4] * 8
    assert heard.warnings()[-2:] == ["micro-batch-grown"] * 2
    assert finished.resources["batch_reductions"] == 2
    assert loads(store.get(finished.session).config_text, "config") == config


# --- the mathematics --------------------------------------------------------------------------------------


def test_smaller_micro_batches_leave_the_losses_alone(store, make_config, under_pressure, heard) -> None:
    start(store, make_config(*SMALL), under_pressure({}), preset="tiny")
    undisturbed = [event.loss for event in heard.of(Stepped)]
    heard.events.clear()
    start(store, make_config(*SMALL), under_pressure(TWO_REDUCTIONS), preset="tiny")
    assert in_flight(heard) == [8] * 3 + [4] * 4 + [2] * 5
    assert [event.loss for event in heard.of(Stepped)] == pytest.approx(undisturbed, rel=1e-4)


def test_a_replay_repeats_the_same_micro_batches_at_the_same_steps(
    store, make_config, under_pressure, heard
) -> None:
    original = start(store, make_config(*SMALL), under_pressure(TWO_REDUCTIONS), preset="tiny")
    sizes = in_flight(heard)
    heard.events.clear()
    outcome = replay(store, original.session, under_pressure({}))
    assert outcome.agrees
    assert in_flight(heard) == sizes
    assert outcome.finished.weights_sha256 == original.weights_sha256


def test_a_replay_changes_nothing_by_itself(store, make_config, under_pressure, heard) -> None:
    original = start(store, make_config(*SMALL), under_pressure(TWO_REDUCTIONS), preset="tiny")
    assert replay(store, original.session, under_pressure({1: 0.85})).agrees


def test_a_replay_repeats_a_smaller_batch(store, make_config, under_pressure) -> None:
    config = make_config(*SMALL, "train.micro_batch=1")
    original = start(store, config, under_pressure({4: 0.85}), preset="tiny")
    assert original.samples == 4 * 8 + 8 * 4
    assert replay(store, original.session, under_pressure({})).agrees


@pytest.mark.parametrize("steps", [2, 5, 9])
def test_a_run_interrupted_under_pressure_goes_on_bit_for_bit(
    store, make_config, under_pressure, steps: int
) -> None:
    whole = start(store, make_config(*SMALL), under_pressure(TWO_REDUCTIONS), preset="tiny")
    first = start(store, make_config(*SMALL), under_pressure(TWO_REDUCTIONS, steps=steps), preset="tiny")
    again = resume(store, first.session, under_pressure(TWO_REDUCTIONS))
    assert again.weights_sha256 == whole.weights_sha256


def test_after_a_crash_the_sizes_are_those_of_the_checkpoint(
    store, make_config, under_pressure, heard
) -> None:
    def crash(event: object) -> None:
        if isinstance(event, Stepped) and event.step == 9:
            raise KeyboardInterrupt("the power went")

    config = make_config(*SMALL, "checkpoint.every_steps=6")
    sitting = under_pressure(TWO_REDUCTIONS)
    with pytest.raises(KeyboardInterrupt, match="power"):
        start(
            store,
            config,
            dataclasses.replace(sitting, listeners=[*sitting.listeners, crash]),
            preset="tiny",
            name="broken",
        )
    heard.events.clear()
    finished = resume(store, "broken", under_pressure({}))
    assert in_flight(heard) == [4] * 6
    assert replay(store, "broken", under_pressure({})).agrees
    assert finished.resources["batch_reductions"] == 1


# --- sizes that are saved, rows that are kept -------------------------------------------------------------


def test_who_sets_the_micro_batch_anew_gets_it(make_config) -> None:
    config = make_config("train.batch_size=8", "train.micro_batch=6")
    saved = {"micro_batch": 2, "batch_size": 4, "asked": {"micro_batch": 0, "batch_size": 8}}
    assert Sizes.of(in_force(config, saved, [])) == Sizes(2, 4)
    assert Sizes.of(in_force(config, saved, ["train.micro_batch=6"])) == Sizes(4, 4)
    assert in_force(config, None, []) == config


@pytest.mark.parametrize("saved", [[], {"micro_batch": "x"}, {"micro_batch": 9, "batch_size": 4}])
def test_sizes_that_cannot_be_are_passed_over(make_config, saved: object) -> None:
    config = make_config()
    assert in_force(config, saved, []) == config
    assert MemoryKeeper(config, saved=saved).state(config)["reductions"] == 0


def test_rows_with_work_in_them_are_the_last_to_be_given_up(make_config) -> None:
    carry = Carry.empty(State(torch.zeros(2, 6, 3), torch.arange(36.0).view(2, 6, 3)), 2)
    carry = dataclasses.replace(
        carry,
        halted=torch.tensor([True, False, True, False, True, False]),
        puzzle_ids=torch.arange(6),
    )
    assert carry.keep(3).puzzle_ids.tolist() == [1, 3, 5]
    assert carry.keep(4).puzzle_ids.tolist() == [0, 1, 3, 5]
    assert torch.equal(carry.keep(3).state.z, carry.state.z[:, [1, 3, 5]])
