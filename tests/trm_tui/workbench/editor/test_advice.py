"""The fit of a draft and the ways out: each is known to solve the problem it is offered for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trm_engine.config import Config, apply, dumps
from trm_engine.hardware import Hardware, Memory, load_profile
from trm_engine.monitoring.monitor import Sample
from trm_engine.planning.estimate import estimate
from trm_engine.sessions import Store
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_tui.workbench.editor.draft import Draft, Origin
from trm_tui.workbench.editor.machine import (
    Machine,
    Observed,
    Rate,
    profile_machine,
    rate_of,
    rate_of_sessions,
    this_machine,
)
from trm_tui.workbench.editor.remedies import MOST, advise, fixes
from trm_tui.workbench.recorder import Recorder

SMALL = Origin("six", Config(task=SudokuConfig(box_cols=3, train_size=3000)))
LARGE = Origin(
    "published",
    apply(
        Config(task=SudokuConfig(box_rows=3, box_cols=3)),
        [
            "model.hidden_size=512",
            "model.heads=8",
            "model.mixer=attention",
            "model.positions=rope",
            "model.h_cycles=3",
            "model.l_cycles=6",
            "train.batch_size=768",
            "train.micro_batch=16",
            "train.lr=1e-4",
        ],
    ),
)
LAPTOP = profile_machine(load_profile("macbook-pro-2018-i5"))
TINY = Machine(Hardware(memory=Memory(total_bytes=10**9, available_bytes=6 * 10**8)))


def changed(origin: Origin, **texts: str) -> Draft:
    return Draft.of(origin).with_texts({key.replace("__", "."): text for key, text in texts.items()})


# --- ways out of problems ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        ({"model__hidden_size": "511"}, {"model.hidden_size": "512"}),
        ({"model__layers": "0"}, {"model.layers": "1"}),
        ({"model__layers": "99"}, {"model.layers": "32"}),
        ({"model__layers": "two"}, {"model.layers": "2"}),
        ({"model__layers": ""}, {"model.layers": "2"}),
        ({"model__positions": "none"}, {"model.positions": "rope"}),
        ({"train__lr": "inf"}, {"train.lr": "0.0001"}),
        ({"train__continue_loss": "true", "train__halt_max_steps": "1"}, {"train.continue_loss": "false"}),
        ({"eval__every": "0", "eval__target_accuracy": "0.9"}, {"eval.target_accuracy": "0"}),
    ],
)
def test_the_first_way_out_is_the_nearest_value(texts: dict[str, str], first: dict[str, str]) -> None:
    assert fixes(changed(LARGE, **texts))[0].texts == first


def test_the_field_that_brought_the_problem_about_can_go_back() -> None:
    remedies = fixes(changed(LARGE, model__heads="255"))
    assert {"model.heads": "8"} in [remedy.texts for remedy in remedies]


def test_a_sound_draft_needs_no_way_out() -> None:
    assert fixes(Draft.of(SMALL)) == []


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([key for key in SMALL.values if key != "task.kind"]),
        st.one_of(st.text(max_size=5), st.integers(-5, 10**5).map(str), st.floats(-1, 20).map(str)),
        min_size=1,
        max_size=4,
    )
)
def test_every_way_out_solves_a_problem_and_brings_no_other(texts: dict[str, str]) -> None:
    draft = Draft.of(SMALL).with_texts(texts)
    remedies = fixes(draft)
    assert len(remedies) <= MOST
    for remedy in remedies:
        after = draft.with_texts(remedy.texts).checked
        assert after.count < draft.checked.count
        assert set(after.problems) < set(draft.checked.problems)


@pytest.mark.parametrize(
    "key", ["train.lr", "model.layers", "model.mixer", "task.seed", "train.continue_loss"]
)
def test_any_field_that_holds_nonsense_has_a_way_out(key: str) -> None:
    assert fixes(Draft.of(SMALL).with_texts({key: "nonsense"}))


# --- the fit ----------------------------------------------------------------------------------------------


def test_the_fit_is_the_engine_s_estimate() -> None:
    advice = advise(Draft.of(SMALL), LAPTOP)
    expected = estimate(
        SMALL.config,
        budget_bytes=LAPTOP.hardware.memory.available_bytes,
        gemm_gflops=LAPTOP.hardware.gemm_gflops,
    )
    assert (advice.fit, advice.ready, advice.remedies) == (expected, True, ())


def test_an_epoch_is_every_training_puzzle_once() -> None:
    advice = advise(Draft.of(SMALL), LAPTOP)
    assert advice.fit is not None
    assert advice.fit.samples_per_second is not None
    assert advice.fit.epoch_seconds == pytest.approx(3000 / advice.fit.samples_per_second)


def test_without_a_rate_there_is_no_time() -> None:
    advice = advise(Draft.of(SMALL), Machine(LAPTOP.hardware))
    assert advice.fit is not None
    assert (advice.fit.epoch_seconds, advice.fit.seconds) == (None, None)


def test_only_a_changed_draft_is_compared_with_what_it_was() -> None:
    assert advise(Draft.of(SMALL), LAPTOP).original is None
    wider = advise(changed(SMALL, model__hidden_size="128"), LAPTOP)
    assert wider.original == advise(Draft.of(SMALL), LAPTOP).fit


def test_while_something_is_wrong_there_is_no_fit_but_ways_out() -> None:
    advice = advise(changed(SMALL, model__layers="0"), LAPTOP)
    assert (advice.fit, advice.ready) == (None, False)
    assert advice.remedies[0].texts == {"model.layers": "1"}


@pytest.mark.parametrize("layers", ["4", "8", "16"])
def test_ways_out_of_memory_fit(layers: str) -> None:
    draft = changed(LARGE, model__layers=layers)
    advice = advise(draft, TINY)
    assert advice.fit is not None
    assert not advice.fit.fits
    assert advice.remedies
    for remedy in advice.remedies:
        assert advise(draft.with_texts(remedy.texts), TINY).ready
        assert "needs" in remedy.effect


def test_a_machine_whose_memory_is_unknown_refuses_nothing() -> None:
    advice = advise(changed(LARGE, model__layers="32"), Machine(Hardware()))
    assert advice.ready
    assert advice.fit is not None
    assert advice.fit.budget_bytes is None


# --- the machine ------------------------------------------------------------------------------------------


def test_this_machine_has_the_memory_that_is_available_now() -> None:
    hardware = Hardware(memory=Memory(total_bytes=8, available_bytes=6, limit_bytes=7, headroom_bytes=5))
    machine = this_machine(hardware, Sample(1.0, available_bytes=4), None)
    assert machine.hardware.memory.effective_available_bytes == 4
    assert machine.name == "this machine"


def test_a_measured_rate_counts_more_than_an_observed_one() -> None:
    observed = Rate(50.0, "as a run ran")
    assert this_machine(Hardware(), Sample(0.0), observed).rate == observed
    measured = this_machine(Hardware(gemm_gflops=110.0), Sample(0.0), observed).rate
    assert measured is not None
    assert measured.gflops == 110.0


def test_a_profile_that_stands_in_keeps_its_own_memory() -> None:
    machine = this_machine(LAPTOP.hardware, Sample(0.0, available_bytes=1), None)
    assert machine.hardware.memory == LAPTOP.hardware.memory
    assert machine.name == "macbook-pro-2018-i5"


def test_the_observed_rate_predicts_the_speed_it_was_observed_at() -> None:
    rate = rate_of(SMALL.config, 1034.0, "as it ran")
    assert rate is not None
    assert estimate(SMALL.config, gemm_gflops=rate.gflops).samples_per_second == pytest.approx(1034.0)
    assert rate_of(SMALL.config, 0.0, "as it ran") is None


def test_a_session_on_this_processor_tells_the_rate(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for speed, model in ((700.0, "here"), (9000.0, "elsewhere"), (None, "here")):
        with store.create(dumps(SMALL.config), "six", hardware={"cpu": {"model": model}}) as session:
            session.update(summary={"samples_per_second": speed})
    here = Hardware.model_validate({"cpu": {"model": "here"}})
    assert rate_of_sessions(store, here) == rate_of(SMALL.config, 700.0, "as six ran")


def test_without_sessions_nothing_is_known_of_the_rate(tmp_path: Path) -> None:
    assert rate_of_sessions(Store(tmp_path / "none"), None) is None


def test_a_run_that_trains_tells_the_rate_once_it_is_under_way() -> None:
    from tests.trm_tui.fake_engine import started, stepped

    observed, recorder = Observed(), Recorder(1, "mine")
    recorder(started("s", SMALL.config))
    recorder(stepped(10, samples_per_second=400.0))
    assert not observed.see(recorder.snapshot()), "one figure is not enough"
    for step in (20, 30, 40):
        recorder(stepped(step, samples_per_second=1000.0))
    assert observed.see(recorder.snapshot())
    assert observed.rate == rate_of(SMALL.config, 1000.0, "as mine runs")
    recorder(stepped(50, samples_per_second=1001.0))
    assert not observed.see(recorder.snapshot()), "nothing noticeably new"
    observed.remember(Rate(1.0, "older"))
    assert observed.rate.gflops > 1.0
