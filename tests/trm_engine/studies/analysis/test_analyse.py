from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.trm_engine.studies.finished import finish, planned
from trm_engine.errors import TrmError
from trm_engine.sessions import Store
from trm_engine.studies.analysis.analyse import Analysis, PartAnalysis, analyse
from trm_engine.studies.analysis.conclusions import conclusions, of_frontiers
from trm_engine.studies.plan import Plan

STUDY = """
title = "Width"
base = "base.toml"
seeds = [0, 1, 2]
fits = ["exact_accuracy", "loss"]
targets = [0.5]
[[part]]
name = "w"
x = "model.hidden_size"
baseline = "wf"
[part.vary.model]
hidden_size = [8, 16, 32, 64, 128, 256]
"""


def law(x: float) -> float:
    return 0.95 - 1.2 * x**-0.5


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "sessions")


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return planned(tmp_path, STUDY)


def filled(store: Store, plan: Plan, *, diverged: str = "") -> Analysis:
    noise = np.random.default_rng(1)
    for trial in plan.trials:
        accuracy = law(trial.config.model.hidden_size) + 0.01 * noise.standard_normal()
        if trial.name == diverged:
            finish(store, trial, 0.0, status="diverged")
        else:
            finish(store, trial, accuracy)
    return analyse(store, plan)


def only(analysis: Analysis) -> PartAnalysis:
    (part,) = analysis.parts
    return part


def test_laws_go_over_the_axis_and_the_figures_that_the_file_names(store: Store, plan: Plan) -> None:
    part = only(filled(store, plan))
    assert [one.figure for one in part.laws] == ["exact_accuracy", "loss"]
    fit = part.laws[0].fit
    assert fit is not None
    assert fit.points.x.tolist() == [8, 16, 32, 64, 128, 256]
    interval = fit.interval("c")
    assert interval is not None
    assert interval.low <= 0.5 <= interval.high
    assert fit.preferred in ("power law", "not distinguishable")


def test_a_diverged_trial_changes_no_figure_and_is_listed(store: Store, plan: Plan) -> None:
    found = filled(store, plan, diverged="wc-s1")
    (missing,) = found.missing
    assert (missing.trial.name, missing.why) == ("wc-s1", "diverged at step 1,000 of 1,000")
    summary = only(found).figures["exact_accuracy"]["wc"]
    assert summary.seeds == 2
    assert summary.mean == pytest.approx(law(32), abs=0.02)


def test_nothing_run_is_all_missing(store: Store, plan: Plan) -> None:
    found = analyse(store, plan)
    assert len(found.missing) == 18
    assert {one.why for one in found.missing} == {"not begun"}
    assert only(found).finished == 0
    assert conclusions(only(found)) == [
        "Exact accuracy over model.hidden_size: no law, since no exact accuracy over model.hidden_size yet.",
        "Held-out loss over model.hidden_size: no law, since no held-out loss over model.hidden_size yet.",
    ]


def test_arms_are_compared_with_the_baseline_of_their_part(store: Store, plan: Plan) -> None:
    part = only(filled(store, plan))
    assert [pair.arm for pair in part.pairs] == ["wa", "wb", "wc", "wd", "we"]
    worst = part.pairs[0]
    assert worst.verdict == "worse"
    assert worst.difference == pytest.approx(law(8) - law(256), abs=0.02)
    assert worst.gained == 0


def test_targets_are_looked_up_for_every_run(store: Store, plan: Plan) -> None:
    part = only(filled(store, plan))
    reached = part.reaches[0.5]
    assert [len(reached[arm.name]) for arm in part.arms] == [3] * 6
    # Accuracy grows evenly from 0 to its end, evaluated every 100 steps.
    at = 1000 * 0.5 / law(256)
    assert [one.low for one in reached["wf"]] == [at // 100 * 100] * 3
    assert reached["wf"][0].step == pytest.approx(at, rel=0.05)


def test_values_at_the_same_place_have_no_law(store: Store, tmp_path: Path) -> None:
    study = STUDY + '[[part.experiment]]\nname = "again"\nset.model.hidden_size = 8\nset.train.lr = 0.01\n'
    found = filled(store, planned(tmp_path / "other", study))
    law_found = only(found).laws[0]
    assert law_found.fit is None
    assert "wa, again stand at the same model.hidden_size" in law_found.why_not


def test_what_stands_at_0_is_left_out_of_the_law_and_named(store: Store, tmp_path: Path) -> None:
    study = STUDY.replace("model.hidden_size", "task.images").replace("[part.vary.model]", "[part.vary.task]")
    study = study.replace("hidden_size = [8, 16, 32, 64, 128, 256]", "images = [1, 10, 100, 1000, 10000, 0]")
    plan = planned(tmp_path / "images", study)
    for trial in plan.trials:
        finish(store, trial, 0.5)
    law_found = only(analyse(store, plan)).laws[0]
    assert law_found.fit is not None
    assert len(law_found.fit.points) == 5
    assert law_found.why_not == "left out, task.images not above 0: wf"


def test_an_axis_may_be_a_cost_or_a_formula(store: Store, tmp_path: Path) -> None:
    for axis, of_first in (("rows", 64000), ("1 / (1 - train.ema)", 200), ("model.hidden_size ** 2", 64)):
        plan = planned(tmp_path / axis[:4], STUDY.replace('"model.hidden_size"', f'"{axis}"'))
        assert only(analyse(store, plan)).arms[0].x == pytest.approx(of_first)


@pytest.mark.parametrize("axis", ["model.hiden_size", "model.mixer", "open('x')", "cost"])
def test_an_axis_that_is_none_is_found_before_anything_runs(tmp_path: Path, axis: str) -> None:
    with pytest.raises(TrmError, match="x of part w"):
        planned(tmp_path, STUDY.replace('"model.hidden_size"', f'"{axis}"'))


def test_frontiers_hold_every_arm_once_and_other_looks_at_it(store: Store, plan: Plan) -> None:
    found = filled(store, plan)
    assert [one.cost for one in found.frontiers] == [
        "parameters",
        "flops",
        "training_flops",
        "seconds",
        "inference_flops",
    ]
    first, *_, inference = found.frontiers
    assert [s.candidate.name for s in first.standings] == ["wa", "wb", "wc", "wd", "we", "wf"]
    assert all(standing.share > 0.9 for standing in first.standings)
    assert "wa, halting at 0" in [s.candidate.name for s in inference.standings]
    assert len(of_frontiers(found)) == 5


def test_equal_sessions_give_equal_conclusions(store: Store, plan: Plan) -> None:
    first = filled(store, plan)
    assert conclusions(only(first)) == conclusions(only(analyse(store, plan)))
