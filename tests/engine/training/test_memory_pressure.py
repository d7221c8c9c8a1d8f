"""What a run does when memory gets short: simulated samples at chosen steps, and allocations that fail."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import pytest
import torch

import engine.tasks
from engine.config import loads
from engine.errors import FitError
from engine.hardware import Memory, Power, Resources, Sample
from engine.models.carry import Carry
from engine.models.trm import TRM, Output, State
from engine.training.build import build_learner
from engine.training.events import Evaluated, Event, Stepped, Warned
from engine.training.launch import Sitting, replay, resume, start
from engine.training.memory import MemoryKeeper, Sizes, in_force
from engine.training.optimizers import Adam
from engine.training.rehearsal import rehearse

GB = 10**9
SMALL = ("train.batch_size=8", "train.log_every=1")
AS_CALM = 0.5


class SimulatedMachine:
    """Stands in for the monitor: after each step its watchers see some seconds of a given pressure.

    `shares`: the used share of memory from a step on.
    """

    def __init__(self, shares: dict[int, float], samples: int) -> None:
        self.shares = shares
        self.samples = samples
        self.watchers: Sequence[Callable[[Sample], None]] = ()
        self.seconds = 0.0

    def __call__(self, *, watchers: Sequence[Callable[[Sample], None]]) -> SimulatedMachine:
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
def under_pressure(monkeypatch, heard) -> Callable[..., Sitting]:
    """Make sittings on a machine whose used share of memory is `{step: share}` from each step on."""

    def make(shares: dict[int, float], *, samples: int = 8, steps: int | None = None) -> Sitting:
        machine = SimulatedMachine(shares, samples)
        monkeypatch.setattr("engine.training.launch.Monitor", machine)
        from engine.training.control import Control

        return Sitting(Control(), [heard, machine.hear], steps=steps)

    return make


def codes(heard) -> list[str]:
    return [event.code for event in heard.of(Warned)]


def in_flight(heard) -> list[int]:
    return [event.micro_batch for event in heard.of(Stepped)]


# --- the order of reductions ------------------------------------------------------------------------------


def test_micro_batches_halve_then_the_batch_then_the_run_stops_saved(
    store, make_config, under_pressure, heard
) -> None:
    finished = start(store, make_config(*SMALL), under_pressure({2: 0.95}), preset="tiny")
    assert codes(heard) == [
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
    assert "8 → 4 rows at once" in entries[1].reason
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
    assert codes(heard) == ["memory-high", "batch-reduced"]


def test_without_the_guard_nothing_changes(store, make_config, under_pressure, heard) -> None:
    finished = start(
        store, make_config(*SMALL, "memory.guard=false"), under_pressure({1: 0.99}), preset="tiny"
    )
    assert finished.status == "completed"
    assert codes(heard) == []
    assert set(in_flight(heard)) == {8}


def test_while_it_lasts_more_rows_come_back_up_to_those_asked_for(
    store, make_config, under_pressure, heard
) -> None:
    config = make_config(*SMALL, "train.micro_batch=4")
    sitting = under_pressure({1: 0.85, 3: AS_CALM}, samples=70)
    finished = start(store, config, sitting, preset="tiny")
    assert in_flight(heard) == [4, 2, 1, 2] + [4] * 8
    assert codes(heard)[-2:] == ["micro-batch-grown"] * 2
    assert finished.resources["batch_reductions"] == 2
    assert loads(store.get(finished.session).config_text, "config") == config


# --- the mathematics --------------------------------------------------------------------------------------

TWO_REDUCTIONS = {3: 0.85, 4: AS_CALM, 7: 0.85, 8: AS_CALM}


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
            raise OSError("the power went")

    config = make_config(*SMALL, "checkpoint.every_steps=6")
    sitting = under_pressure(TWO_REDUCTIONS)
    with pytest.raises(OSError, match="power"):
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


# --- allocations that fail --------------------------------------------------------------------------------


class Full:
    """A machine whose memory holds `rows` rows of a forward pass; more raise what torch raises."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, rows: int, error: Exception, passes: int = 1) -> None:
        self.passes = 0
        forward = TRM.forward

        def limited(model: TRM, state: State, inputs: torch.Tensor, *rest: object) -> tuple[State, Output]:
            self.passes += 1
            if len(inputs) > rows and self.passes >= passes:
                raise error
            return forward(model, state, inputs, *rest)

        monkeypatch.setattr(TRM, "forward", limited)


TORCH_ERROR = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")
NO_EVALUATION = ("eval.batch_size=1", "memory.guard=false")


def test_a_step_that_memory_cannot_hold_is_undone_and_taken_on_fewer_rows(
    store, make_config, make_sitting, heard, monkeypatch
) -> None:
    start(store, make_config(*SMALL, *NO_EVALUATION), make_sitting(), preset="tiny")
    undisturbed = [event.loss for event in heard.of(Stepped)]
    heard.events.clear()
    with monkeypatch.context() as patch:
        Full(patch, 3, TORCH_ERROR, passes=6)
        finished = start(store, make_config(*SMALL, *NO_EVALUATION), make_sitting(), preset="tiny")
    assert in_flight(heard) == [8] * 5 + [2] * 7
    assert codes(heard) == ["micro-batch-reduced"] * 2
    assert [event.loss for event in heard.of(Stepped)] == pytest.approx(undisturbed, rel=1e-4)
    assert replay(store, finished.session, make_sitting()).agrees


def test_where_not_even_one_row_fits_any_more_the_run_stops_saved(
    store, make_config, make_sitting, heard, monkeypatch
) -> None:
    config = make_config(*SMALL, *NO_EVALUATION)
    with monkeypatch.context() as patch:
        Full(patch, 0, MemoryError(), passes=6)
        stopped = start(store, config, make_sitting(), preset="tiny")
    assert (stopped.status, stopped.exit_code, stopped.steps) == ("stopped", 6, 5)
    assert codes(heard)[-1] == "out-of-memory"
    assert resume(store, stopped.session, make_sitting()).status == "completed"


def test_half_an_update_is_given_up_for_the_last_checkpoint(
    store, make_config, make_sitting, heard, monkeypatch
) -> None:
    whole = Adam.step
    steps = 0

    def broken(adam: Adam, *args: object) -> None:
        nonlocal steps
        steps += 1
        if steps == 7:
            adam.values.mul_(0.5)
            raise MemoryError
        whole(adam, *args)

    config = make_config(*SMALL, *NO_EVALUATION, "checkpoint.every_steps=5")
    undisturbed = start(store, config, make_sitting(), preset="tiny")
    losses = {event.step: event.loss for event in heard.of(Stepped)}
    heard.events.clear()
    monkeypatch.setattr(Adam, "step", broken)
    finished = start(store, config, make_sitting(), preset="tiny")
    assert [event.step for event in heard.of(Stepped)] == [*range(1, 7), *range(6, 13)]
    assert {event.step: event.loss for event in heard.of(Stepped)} == pytest.approx(losses, rel=1e-4)
    assert finished.steps == undisturbed.steps


def test_an_evaluation_that_memory_cannot_hold_takes_fewer_puzzles_at_once(
    store, make_config, make_sitting, heard, monkeypatch
) -> None:
    config = make_config("eval.every=6", "train.micro_batch=2")
    start(store, config, make_sitting(), preset="tiny")
    undisturbed = [event.figures["cell_accuracy"] for event in heard.of(Evaluated)]
    heard.events.clear()
    Full(monkeypatch, 4, MemoryError())
    finished = start(store, config, make_sitting(), preset="tiny")
    assert codes(heard) == ["evaluation-reduced"] * 6  # 250 → 3
    assert finished.status == "completed"
    assert [event.figures["cell_accuracy"] for event in heard.of(Evaluated)] == pytest.approx(undisturbed)


def test_a_lack_of_memory_anywhere_else_ends_the_run_with_what_is_saved(
    store, make_config, make_sitting
) -> None:
    def fail(event: object) -> None:
        if isinstance(event, Stepped) and event.step == 9:
            raise MemoryError

    sitting = make_sitting()
    sitting = dataclasses.replace(sitting, listeners=[*sitting.listeners, fail])
    stopped = start(store, make_config("checkpoint.every_steps=4"), sitting, preset="tiny")
    assert (stopped.status, stopped.exit_code) == ("stopped", 6)
    assert "step 8" in stopped.reason
    assert resume(store, stopped.session, make_sitting()).steps == 12


# --- the dry run ------------------------------------------------------------------------------------------


def everything(learner) -> tuple[dict[str, torch.Tensor], object]:
    tensors = {**learner.weights(), **learner.tensors(), "grads": learner.parameters.grads}
    return {name: tensor.clone() for name, tensor in tensors.items()}, learner.state()


@pytest.mark.parametrize("kind", [(), ("model.mixer=attention", "model.positions=rope", "model.heads=2")])
@pytest.mark.parametrize("rows", [8, 3])
def test_a_dry_run_changes_nothing(make_config, kind, rows: int) -> None:
    config = make_config("train.batch_size=8", *kind)
    learner, other = (build_learner(config, engine.tasks.build_task(config.task)) for _ in range(2))
    for _ in range(3):
        learner.learn(8)
        other.learn(8)
    learner.parameters.grads.zero_()
    before, state = everything(learner)
    learner.rehearse(rows)
    after, state_after = everything(learner)
    assert state == state_after
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert learner.learn(8) == other.learn(8)


class SmallMachine:
    """Readings of a machine with 1 GB, of which each row in flight takes 100 MB and the program 200 MB."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, row: int = 100_000_000) -> None:
        self.held = 200_000_000
        forward = TRM.forward

        def measured(model: TRM, state: State, inputs: torch.Tensor, *rest: object) -> tuple[State, Output]:
            self.held = 200_000_000 + len(inputs) * row
            return forward(model, state, inputs, *rest)

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
    learner = build_learner(config, engine.tasks.build_task(config.task))
    found = rehearse(learner, SmallMachine(monkeypatch))
    assert found.config.micro_batch == 4
    assert found.config.train.batch_size == 16
    assert found.decision.choice == "4 rows at once instead of 16"
    assert "600 MB" in found.decision.reason


def test_a_dry_run_that_fits_changes_no_setting(make_config, monkeypatch) -> None:
    config = make_config("train.batch_size=4")
    learner = build_learner(config, engine.tasks.build_task(config.task))
    assert rehearse(learner, SmallMachine(monkeypatch)).config == config


def test_where_one_row_does_not_fit_alternatives_are_named(make_config, monkeypatch) -> None:
    config = make_config("train.batch_size=4", "model.hidden_size=256", "model.l_cycles=6")
    learner = build_learner(config, engine.tasks.build_task(config.task))
    with pytest.raises(FitError, match="a single row") as caught:
        rehearse(learner, SmallMachine(monkeypatch, row=750_000_000))
    assert "--set" in str(caught.value)
    assert caught.value.exit_code == 4


def test_a_dry_run_out_of_memory_begins_with_fewer_rows(
    store, make_config, make_sitting, heard, monkeypatch
) -> None:
    Full(monkeypatch, 2, MemoryError())
    finished = start(store, make_config(*SMALL, "eval.batch_size=2"), make_sitting(), preset="tiny")
    assert set(in_flight(heard)) == {2}
    started = heard.events[0]
    assert started.decisions[-1]["choice"] == "2 rows at once instead of 8"
    assert finished.resources["batch_reductions"] == 1
    entries = store.get(finished.session).history.entries()
    assert [entry.step for entry in entries] == [0, 0]
    assert replay(store, finished.session, make_sitting()).agrees


def test_what_cannot_run_leaves_no_session(store, make_config, make_sitting, monkeypatch) -> None:
    Full(monkeypatch, 0, MemoryError())
    with pytest.raises(FitError, match="a single row"):
        start(store, make_config(*SMALL), make_sitting(), preset="tiny")
    assert store.list() == []
