from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tests.trm_engine.studies.finished import planned
from trm_engine.studies.analysis.arms import Arm
from trm_engine.studies.analysis.pairs import compare_with_baseline
from trm_engine.studies.analysis.results import Result
from trm_engine.studies.plan import Plan

STUDY = """
title = "Pairs"
base = "base.toml"
seeds = [0, 1, 2]
[[part]]
name = "p"
[[part.experiment]]
name = "base"
[[part.experiment]]
name = "other"
set.train.lr = 0.01
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return planned(tmp_path, STUDY)


def arm(plan: Plan, name: str, solved: list[np.ndarray], test_set: str = "same") -> Arm:
    trials = plan.of(name)
    results = [
        Result(trial, "s", {"exact_accuracy": float(bits.mean())}, (), 1.0, bits, test_set)
        for trial, bits in zip(trials, solved, strict=False)
    ]
    return Arm(name, "", None, tuple(results))


def bits(text: str) -> np.ndarray:
    return np.array([letter == "1" for letter in text])


def test_mcnemar_counts_what_only_one_of_two_solved(plan: Plan) -> None:
    """Ten puzzles told apart, nine of them by the arm: p = 2 · (1 + 10)/1024."""
    base = bits("1" + "0" * 9 + "1" * 40 + "0" * 50)
    other = bits("0" + "1" * 9 + "1" * 40 + "0" * 50)
    (pair,) = compare_with_baseline([arm(plan, "base", [base]), arm(plan, "other", [other])], "base")
    assert (pair.gained, pair.lost, pair.puzzles) == (9, 1, 100)
    assert pair.p_puzzles == pytest.approx(22 / 1024)
    assert pair.p_seeds is None
    assert pair.verdict == "better with this seed"
    half = 1.6449 * math.sqrt((10 - 64 / 100) / 100**2)
    assert (pair.interval.low, pair.interval.high) == pytest.approx((0.08 - half, 0.08 + half), abs=1e-4)


def test_several_seeds_are_tested_by_their_differences(plan: Plan) -> None:
    rng = np.random.default_rng(0)
    same = [rng.random(400) < 0.8 for _ in range(3)]
    other = [rng.random(400) < 0.8 for _ in range(3)]
    (pair,) = compare_with_baseline([arm(plan, "base", same), arm(plan, "other", other)], "base")
    assert pair.seeds == 3
    assert pair.verdict == "not told apart"
    better = [one | (rng.random(400) < 0.5) for one in same]
    (pair,) = compare_with_baseline([arm(plan, "base", same), arm(plan, "other", better)], "base")
    assert pair.verdict == "better"
    assert pair.interval.low > 0


def test_other_test_puzzles_are_not_compared(plan: Plan) -> None:
    arms = [arm(plan, "base", [bits("1100")]), arm(plan, "other", [bits("1111")], test_set="others")]
    assert compare_with_baseline(arms, "base") == []


def test_equal_settings_are_said_to_differ_about_as_often_as_the_level_allows(plan: Plan) -> None:
    rng, wrong = np.random.default_rng(5), 0
    for _ in range(200):
        sets = []
        for _ in range(2):
            p = np.clip(0.8 + 0.013 * rng.standard_normal(3), 0, 1)
            sets.append([rng.random(400) < one for one in p])
        (pair,) = compare_with_baseline([arm(plan, "base", sets[0]), arm(plan, "other", sets[1])], "base")
        wrong += pair.verdict != "not told apart"
    assert wrong <= 16
