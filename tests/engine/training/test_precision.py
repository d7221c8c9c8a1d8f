"""Precision is a choice with a name, recorded; exact stays exact."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, chain, repeat

import pytest
import torch

import engine.tasks
from engine.config import loads
from engine.runs import Store
from engine.training.build import build_learner
from engine.training.events import Started
from engine.training.launch import replay, resume, start
from engine.training.learner import Learner
from engine.training.precision import settle_precision

ATTENTION = ("model.mixer=attention", "model.positions=rope", "model.heads=2")
KINDS = pytest.mark.parametrize("kind", [(), ATTENTION, ("text",)], ids=["mlp", "attention", "text"])


def learner_of(make_config, *overrides: str) -> Learner:
    config = make_config(*overrides)
    return build_learner(config, engine.tasks.build_task(config.task))


def gradients(learner: Learner) -> torch.Tensor:
    batch = learner.draw(6)
    learner.parameters.grads.zero_()
    with learner._precision():
        batch.backward(0, 6)
    return learner.parameters.grads.clone()


@KINDS
def test_products_in_bfloat16_come_near_the_exact_gradients_but_are_not_the_same(make_config, kind) -> None:
    exact = gradients(learner_of(make_config, *kind))
    reduced = gradients(learner_of(make_config, *kind, "runtime.precision=bf16"))
    assert not torch.equal(exact, reduced)
    assert torch.nn.functional.cosine_similarity(exact, reduced, dim=0) > 0.9
    assert reduced.dtype == torch.float32


@KINDS
def test_a_run_in_bfloat16_resumes_and_replays_bit_for_bit(
    store: Store, make_config, make_sitting, kind
) -> None:
    config = make_config(*kind, "runtime.precision=bf16")
    whole = start(store, config, make_sitting(), preset="p")
    stopped = start(store, config, make_sitting(steps=5), preset="p")
    assert resume(store, stopped.session, make_sitting()).weights_sha256 == whole.weights_sha256
    assert replay(store, whole.session, make_sitting()).agrees


def clock_of(exact: float, reduced: float) -> Callable[[], float]:
    """Return a clock by which trials take these seconds, in turns."""
    lengths = chain.from_iterable(repeat((0.0, exact, 0.0, reduced)))  # begin, end, begin, end
    readings = accumulate(lengths)
    return lambda: next(readings)


@pytest.mark.parametrize(
    ("exact", "reduced", "chosen"), [(2.0, 1.0, "bf16"), (1.0, 1.0, "exact"), (1.0, 2.0, "exact")]
)
def test_auto_takes_what_a_trial_finds_faster_and_changes_nothing(
    make_config, exact, reduced, chosen
) -> None:
    learner, untouched = learner_of(make_config, "runtime.precision=auto"), learner_of(make_config)
    decision = settle_precision(learner, clock_of(exact, reduced))
    assert decision.choice == learner.config.runtime.precision == chosen
    assert "times as fast" in decision.reason
    assert learner.state() == untouched.state()
    assert all(
        torch.equal(a, b)
        for a, b in zip(learner.tensors().values(), untouched.tensors().values(), strict=True)
    )


def test_a_session_records_what_auto_has_become(store: Store, make_config, make_sitting, heard) -> None:
    finished = start(store, make_config("runtime.precision=auto"), make_sitting(), preset="p")
    recorded = loads(store.get(finished.session).config_text, "the session").runtime.precision
    assert recorded in ("exact", "bf16")
    (begun,) = heard.of(Started)
    assert {"subject": "precision", "choice": recorded} in [
        {"subject": made["subject"], "choice": made["choice"]} for made in begun.decisions
    ]
