"""A session of the first numerics (`numerics_1.zip`, trained by an earlier version) stays usable.

Its 12 steps on 4×4 Sudoku with a model of 3 000 weights were stopped after 6.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from trm_engine.inference.load import load
from trm_engine.learning.learner import NUMERICS
from trm_engine.sessions import Store
from trm_engine.training.events import Warned
from trm_engine.training.provenance import with_its_kernels
from trm_engine.training.replay import replay
from trm_engine.training.runs import resume, start

ARCHIVE = Path(__file__).with_name("numerics_1.zip")


@pytest.fixture
def earlier(store: Store) -> str:
    return store.import_archive(ARCHIVE)


def words(heard) -> list[str]:
    return [event.message for event in heard.of(Warned) if event.code == "numerics"]


def test_it_is_read_with_its_weights_and_history(store: Store, earlier: str) -> None:
    session = store.get(earlier)
    assert (session.record.numerics, session.record.status) == (1, "stopped")
    assert [record["step"] for record in session.metrics.read()] == [3, 6]
    assert load(store, earlier).step == 6


def test_it_goes_on_and_says_that_its_steps_compute_differently(
    store: Store, earlier: str, make_sitting, heard
) -> None:
    finished = resume(store, earlier, make_sitting())
    assert (finished.status, finished.steps) == ("completed", 12)
    (word,) = words(heard)
    assert "numerics 1, here 2" in word
    assert store.get(earlier).record.numerics == 1  # what it began with: a replay cannot agree


def test_a_replay_says_why_its_losses_cannot_agree(store: Store, earlier: str, make_sitting, heard) -> None:
    outcome = replay(store, earlier, make_sitting())
    assert outcome.finished.steps == 6
    assert not outcome.agrees
    assert any("numerics 1 → 2" in difference for difference in outcome.differences)
    assert any("cannot agree to the bit" in word for word in words(heard))


@pytest.mark.parametrize(
    ("recorded", "kernels"),
    [
        ((), "fused"),  # a version without this setting, which had one kind of kernels
        (("runtime.gemm=auto",), "auto"),  # nothing was chosen yet
        (("runtime.tuning=off",), "auto"),
        (("runtime.kernels=compiled",), "compiled"),
    ],
)
def test_kernels_that_were_not_recorded_are_those_of_their_time(make_config, recorded, kernels) -> None:
    config = make_config("runtime.kernels=auto", *recorded)
    assert with_its_kernels(config).runtime.kernels == kernels


def test_a_new_session_records_its_numerics_and_has_nothing_to_say(
    store: Store, make_config, make_sitting, heard
) -> None:
    run = start(store, make_config(), make_sitting(steps=3), preset="tiny")
    assert store.get(run.session).record.numerics == NUMERICS
    resume(store, run.session, make_sitting(steps=1))
    assert replay(store, run.session, make_sitting()).agrees
    assert words(heard) == []
