"""What computes fastest is measured, remembered and recorded; exact stays exact."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch

import trm_engine.tasks
from trm_engine.config import Config, loads
from trm_engine.hardware import Hardware
from trm_engine.learning.build import build_learner
from trm_engine.learning.learner import Learner
from trm_engine.sessions import Store
from trm_engine.training.events import Started
from trm_engine.training.replay import replay
from trm_engine.training.runs import resume, start
from trm_engine.tuning import tuner
from trm_engine.tuning.cache import TuningCache
from trm_engine.tuning.tuner import Tuned, tune

ATTENTION = ("model.mixer=attention", "model.positions=rope", "model.heads=2")
KINDS = pytest.mark.parametrize("kind", [(), ATTENTION, ("text",)], ids=["mlp", "attention", "text"])
FOUR_CORES = Hardware.model_validate(
    {"cpu": {"model": "four", "usable_cores": 4, "usable_physical_cores": 4}, "torch": {"version": "1"}}
)


def learner_of(make_config, *overrides: str) -> Learner:
    config = make_config(*overrides)
    return build_learner(config, trm_engine.tasks.build_task(config.task))


def gradients(learner: Learner) -> torch.Tensor:
    learner.compute.clear()
    learner.compute.reduce(learner.compute.run(learner.work, learner.draw(), 0, 6))
    return learner.parameters.grads.clone()


class Rates:
    """Rows a second by choice instead of by the clock; counts how often it is asked."""

    def __init__(self, rates: Mapping[str, float]) -> None:
        self.rates = rates
        self.asked = 0

    def __call__(self, learner: Learner) -> float:
        self.asked += 1
        runtime = learner.config.runtime
        rate = 1.0
        for choice in (
            *(runtime.gemm, runtime.attention, runtime.parallelism),
            *(runtime.kernels, runtime.precision),
        ):
            rate *= self.rates.get(choice, 1.0)
        return rate * self.rates.get(str(learner._threads), 1.0)


@pytest.fixture
def cache(tmp_path) -> TuningCache:
    return TuningCache(tmp_path / "tuning.json")


@pytest.fixture(autouse=True)
def onednn_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuner, "onednn_problem", lambda: None)


@pytest.fixture(autouse=True)
def kernels_can_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuner, "kernels_problem", lambda: None)


def tuned(learner: Learner, cache: TuningCache, rates: Rates, **how: int) -> dict[str, str]:
    found: Tuned = tune(learner, FOUR_CORES, cache=cache, rate_of=rates, **how)
    return {decision.subject: decision.choice for decision in found.decisions}


SETTINGS = ("gemm", "attention", "parallelism", "kernels", "precision")
AUTO = ("runtime.threads=0", *(f"runtime.{setting}=auto" for setting in SETTINGS), *ATTENTION)


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ({}, {"gemm": "default", "attention": "sdpa", "parallelism": "rows", "precision": "exact"}),
        ({"onednn": 2.0}, {"gemm": "onednn"}),
        ({"onednn": 1.04}, {"gemm": "default"}),
        ({"products": 1.1}, {"attention": "products"}),
        ({"operations": 1.1}, {"parallelism": "operations"}),
        ({}, {"kernels": "fused"}),
        ({"compiled": 1.1}, {"kernels": "compiled"}),
        ({"bf16": 1.2}, {"precision": "bf16"}),
        ({"bf16": 1.05}, {"precision": "exact"}),
        ({"3": 1.2}, {"threads": "3"}),
        ({"3": 0.9}, {"threads": "4"}),
    ],
)
def test_what_trial_steps_find_faster_is_put_in_force(make_config, cache, rates, expected) -> None:
    learner = learner_of(make_config, *AUTO)
    found = tuned(learner, cache, Rates(rates))
    assert expected.items() <= found.items()
    runtime = learner.config.runtime
    in_force = {name: getattr(runtime, name) for name in SETTINGS}
    assert in_force.items() <= found.items()
    assert learner._threads == int(found["threads"])


def test_trials_change_nothing_of_the_learner(make_config, cache) -> None:
    learner, untouched = learner_of(make_config, *AUTO), learner_of(make_config, *ATTENTION)
    tune(learner, FOUR_CORES, cache=cache)
    assert learner.state() == untouched.state()
    for name, tensor in untouched.tensors().items():
        assert torch.equal(learner.tensors()[name], tensor)


def test_a_trial_takes_place_once_for_the_same_machine_and_shapes(make_config, cache) -> None:
    first, again, other = Rates({"products": 2.0}), Rates({}), Rates({})
    tuned(learner_of(make_config, *AUTO), cache, first)
    assert first.asked > 0
    assert tuned(learner_of(make_config, *AUTO), cache, again)["attention"] == "products"
    assert again.asked == 0
    tuned(learner_of(make_config, *AUTO, "model.hidden_size=16"), cache, other)
    assert other.asked == first.asked


def test_a_fresh_measurement_replaces_what_was_known(make_config, cache) -> None:
    tuned(learner_of(make_config, *AUTO), cache, Rates({}))
    tuned(learner_of(make_config, *AUTO), TuningCache(cache.file, fresh=True), Rates({"products": 2.0}))
    assert tuned(learner_of(make_config, *AUTO), cache, Rates({}))["attention"] == "products"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"key": {"rates": 1}}', b"\xff\x00"])
def test_a_damaged_memory_is_measured_anew(make_config, cache, content) -> None:
    cache.file.write_bytes(content)
    rates = Rates({})
    tuned(learner_of(make_config, *AUTO), cache, rates)
    assert rates.asked > 0
    assert cache.trials()


def test_what_is_asked_for_stands_and_is_not_measured(make_config, cache) -> None:
    given = {"gemm": "onednn", "attention": "products", "parallelism": "operations", "precision": "bf16"}
    options = [f"runtime.{name}={choice}" for name, choice in given.items()]
    rates = Rates({})
    found = tuned(learner_of(make_config, *ATTENTION, *options, "runtime.threads=3"), cache, rates)
    assert (given | {"threads": "3"}).items() <= found.items()
    assert rates.asked == 0


def test_without_tuning_everything_is_plain_and_nothing_is_measured(make_config, cache) -> None:
    learner, rates = (
        learner_of(make_config, *AUTO, "runtime.tuning=off", "runtime.precision=exact"),
        Rates({}),
    )
    found = tuned(learner, cache, rates)
    assert found["parallelism"] == "operations"
    assert (found["gemm"], found["attention"], found["threads"]) == ("default", "sdpa", "4")
    assert rates.asked == 0


def test_kernels_are_not_tried_where_tuning_is_off_or_they_cannot_be_compiled(
    make_config, cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "kernels" not in tuned(learner_of(make_config, *AUTO, "runtime.tuning=off"), cache, Rates({}))
    monkeypatch.setattr(tuner, "kernels_problem", lambda: "no C++ compiler is installed")
    for asked in ("auto", "compiled"):  # also a session that comes from a machine that has one
        learner = learner_of(make_config, *AUTO, f"runtime.kernels={asked}")
        found = tune(learner, FOUR_CORES, cache=cache, rate_of=Rates({"compiled": 2.0}))
        assert "kernels: fused (not compiled: no C++ compiler is installed)" in map(str, found.decisions)
        assert learner.config.runtime.kernels == "fused"


@pytest.mark.parametrize("how", ["runtime.reduction=exact", "runtime.precision=bf16"])
def test_kernels_are_not_tried_where_other_arithmetic_is_asked_for(make_config, cache, how) -> None:
    found = tuned(learner_of(make_config, *AUTO, how), cache, Rates({"compiled": 2.0}))
    assert found["kernels"] == "fused"


def test_threads_of_an_earlier_sitting_stand(make_config, cache) -> None:
    found = tuned(learner_of(make_config, *AUTO), cache, Rates({"3": 9.0}), threads=2)
    assert found["threads"] == "2"


def test_where_memory_runs_out_in_a_trial_the_first_answers_stand(make_config, cache) -> None:
    def fails(_learner: Learner) -> float:
        raise MemoryError

    found = tune(learner_of(make_config, *AUTO), FOUR_CORES, cache=cache, rate_of=fails)
    assert "attention: sdpa (not measured: out of memory)" in map(str, found.decisions)
    assert cache.trials() == []


def test_a_run_that_is_to_stop_measures_no_further(make_config, cache) -> None:
    rates = Rates({"products": 2.0})
    learner = learner_of(make_config, *AUTO)
    tune(learner, FOUR_CORES, cache=cache, rate_of=rates, stopping=lambda: True)
    assert rates.asked <= 6  # once for each question
    assert learner.config.runtime.attention == "sdpa"
    assert cache.trials() == []


@KINDS
def test_products_in_bfloat16_come_near_the_exact_gradients_but_are_not_the_same(make_config, kind) -> None:
    exact = gradients(learner_of(make_config, *kind))
    reduced = gradients(learner_of(make_config, *kind, "runtime.precision=bf16"))
    assert not torch.equal(exact, reduced)
    assert torch.nn.functional.cosine_similarity(exact, reduced, dim=0) > 0.9
    assert reduced.dtype == torch.float32


@KINDS
@pytest.mark.parametrize(
    "how",
    [
        ("runtime.precision=bf16",),
        ("runtime.parallelism=rows", "runtime.threads=2"),
        ("runtime.kernels=compiled",),
    ],
    ids=["bf16", "rows", "compiled"],
)
def test_a_run_resumes_and_replays_bit_for_bit(store: Store, make_config, make_sitting, kind, how) -> None:
    config = make_config(*kind, *how)
    whole = start(store, config, make_sitting(), preset="p")
    stopped = start(store, config, make_sitting(steps=5), preset="p")
    assert resume(store, stopped.session, make_sitting()).weights_sha256 == whole.weights_sha256
    assert replay(store, whole.session, make_sitting()).agrees


def test_a_session_records_what_auto_has_become(store: Store, make_config, make_sitting, heard) -> None:
    finished = start(store, make_config(*AUTO), make_sitting(), preset="p")
    recorded: Config = loads(store.get(finished.session).config_text, "the session")
    (begun,) = heard.of(Started)
    made = {decision["subject"]: decision["choice"] for decision in begun.decisions}
    for setting in SETTINGS:
        assert getattr(recorded.runtime, setting) == made[setting] != "auto"
