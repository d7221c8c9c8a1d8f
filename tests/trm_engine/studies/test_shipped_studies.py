"""The two suites that come with the program: all experiments of the design are there, and can run."""

from __future__ import annotations

import pytest

from trm_engine.errors import UsageError
from trm_engine.studies.catalogue import find_experiment, select, studies_of, suites
from trm_engine.studies.plan import base_of, build_plan, resolve

COUNTS = {f"exp{n:02}": count for n, count in enumerate((6, 11, 5, 11, 6, 6, 3, 5, 5, 5), start=1)}
COUNTS |= {"contrib01": 2, "contrib02": 2}


def test_there_are_two_suites() -> None:
    assert suites() == ["laptop", "published"]


@pytest.mark.parametrize("suite", ["laptop", "published"])
def test_a_suite_has_twelve_studies_and_67_experiments(suite: str) -> None:
    assert {study.name: len(study.experiments) for study in studies_of(suite)} == COUNTS
    assert sum(COUNTS.values()) == 67


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("suite", ["laptop", "published"])
def test_every_experiment_is_a_sound_configuration(suite: str, corrected: bool) -> None:
    plan = build_plan(select(suite), corrected=corrected, seeds=1)
    assert plan.wanted == 67
    for study, experiments in plan.selection.studies:
        for experiment in experiments:
            prefix = f"{suite}/{experiment.name}"
            assert plan.of(prefix), f"{study.id}: {experiment.name}"


def test_the_published_design_has_54_different_experiments() -> None:
    plan = build_plan(select("published"))
    assert len(plan.trials) == 54
    (baseline,) = plan.of("published/exp01c")
    assert len(baseline.experiments) == 14


@pytest.mark.parametrize("suite", ["laptop", "published"])
def test_every_part_has_a_baseline_among_its_experiments(suite: str) -> None:
    for study in studies_of(suite):
        for part in study.file.part:
            assert part.baseline, f"{study.id}: {part.name}"


def test_corrections_change_what_they_say() -> None:
    def steps(name: str, *, corrected: bool) -> tuple[int, int]:
        study, experiment = find_experiment(name)
        config = resolve(study, experiment, base_of(study), corrected=corrected)
        return config.train.steps, config.train.warmup_steps

    assert steps("published/exp06_f", corrected=False) == (1017, 2000)
    assert steps("published/exp06_f", corrected=True) == (1017, 250)
    assert steps("published/exp04a_100", corrected=False)[0] == 813
    assert steps("published/exp04a_100", corrected=True)[0] == 8138


def test_a_name_nearly_right_is_answered_with_the_right_one() -> None:
    with pytest.raises(UsageError, match='Did you mean "exp01a"'):
        find_experiment("laptop/exp01aa")
    with pytest.raises(UsageError, match="no such study"):
        select("laptop/exp99")
    with pytest.raises(UsageError, match='Did you mean "laptop"'):
        select("laptob")
