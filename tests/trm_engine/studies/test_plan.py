from __future__ import annotations

from pathlib import Path

import pytest
from tiny import BASE, STUDY, write_study

from trm_engine.config import apply, loads
from trm_engine.config.diff import trial_digest
from trm_engine.config.presets import find
from trm_engine.errors import ConfigError, TrmError, UsageError
from trm_engine.studies.catalogue import select
from trm_engine.studies.plan import build_plan


def planned(folder: Path, text: str = STUDY, **options):
    return build_plan(select(str(write_study(folder, text))), **options)


def test_each_experiment_runs_once_with_each_seed(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    assert [trial.name for trial in plan.trials] == ["ta-s0", "ta-s1", "tb-s0", "tb-s1"]
    assert [trial.config.train.seed for trial in plan.trials] == [0, 1, 0, 1]
    assert plan.trials[0].config.train.lr == pytest.approx(1e-3 * (4 / 6) ** 0.5)
    assert plan.trials[2].config.train.lr == pytest.approx(1e-3)


def test_equal_trials_run_once_and_belong_to_all_who_want_them(tmp_path: Path) -> None:
    again = '[[part]]\nname = "x"\n[[part.experiment]]\nname = "again"\nset.train = { batch_size = 6 }\n'
    plan = planned(tmp_path, STUDY + again)
    assert (plan.wanted, len(plan.trials)) == (6, 4)
    assert [trial.experiments for trial in plan.trials] == [
        ("ta",),
        ("ta",),
        ("tb", "again"),
        ("tb", "again"),
    ]


def test_overrides_come_before_what_follows_from_them(tmp_path: Path) -> None:
    plan = planned(tmp_path, seeds=1, overrides=["train.batch_size=24"])
    assert [trial.config.train.lr for trial in plan.trials] == pytest.approx([2e-3])
    held = planned(tmp_path, seeds=1, overrides=["train.lr=0.5"])
    assert [trial.config.train.lr for trial in held.trials] == [0.5, 0.5]


def test_a_correction_is_taken_when_asked_for(tmp_path: Path) -> None:
    text = STUDY + '[correction]\nabout = "too short"\n[correction.set.train]\nsteps = 40\n'
    assert {trial.config.train.steps for trial in planned(tmp_path, text).trials} == {20}
    assert {trial.config.train.steps for trial in planned(tmp_path, text, corrected=True).trials} == {40}


def test_a_pattern_narrows_the_experiments(tmp_path: Path) -> None:
    name = str(write_study(tmp_path))
    assert [e.name for _, experiments in select(name, "*b").studies for e in experiments] == ["tb"]
    with pytest.raises(UsageError, match="no experiment fits"):
        select(name, "x*")


def test_axes_make_all_combinations(tmp_path: Path) -> None:
    text = STUDY.replace("batch_size = [4, 6]", "batch_size = [4, 6]\nsteps = [10, 20, 30]")
    plan = planned(tmp_path, text, seeds=1)
    assert [(t.config.train.batch_size, t.config.train.steps) for t in plan.trials] == [
        (4, 10),
        (4, 20),
        (4, 30),
        (6, 10),
        (6, 20),
        (6, 30),
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('title = "Tiny"', "titel = 1", "titel: unknown key"),
        ("batch_size = [4, 6]", "batch_size = 4", "vary.train.batch_size is not a list"),
        ("batch_size = [4, 6]", "batch_size = [4, 0]", "tb: train.batch_size"),
        ("batch_size = [4, 6]", "batch_sise = [4, 6]", "batch_size"),
        ('name = "t"', 'name = "T 1"', "is not a name"),
        ('name = "t"', 'name = "t"\nnames = ["x"]', "1 names for 2 combinations"),
        ('name = "t"', 'name = "t"\nnames = ["x", "x"]', "tx: is given twice"),
        ('name = "t"', 'name = "t"\nbaseline = "tz"', "is not one of its experiments"),
        ('lr = "1e-3', 'lr = "train.steps', "train.lr"),
        ('base = "base.toml"', 'base = "sudoku-44"', "sudoku-44"),
        ('lr = "', 'steps = "train.lr"\nlr = "train.steps + 0 * ', "in a circle"),
        ("seeds = [0, 1]", "seeds = []", "seeds"),
        ("[[part]]", "[[part]", "TOML"),
    ],
)
def test_what_is_wrong_is_found_before_anything_runs(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in STUDY
    with pytest.raises(TrmError) as caught:
        planned(tmp_path, STUDY.replace(old, new, 1))
    assert words in str(caught.value)


def test_every_impossible_experiment_is_listed_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        planned(tmp_path, STUDY.replace("[4, 6]", "[0, 6, -1]"))
    assert {problem[:2] for problem in caught.value.problems} == {"ta", "tc"}


def test_a_trial_is_named_by_what_decides_its_result() -> None:
    config = loads(BASE, "base")
    name = trial_digest(config)
    beside = apply(
        config,
        ["runtime.threads=2", "checkpoint.keep=5", "train.log_every=7", "title=x", "track.wandb=online"],
    )
    assert trial_digest(beside) == name
    for change in ("train.seed=1", "train.lr=0.5", "runtime.precision=bf16", "task.clues=7"):
        assert trial_digest(apply(config, [change])) != name
    longer = trial_digest(apply(config, ["train.steps=30"]))
    assert longer.rpartition("-")[0] == name.rpartition("-")[0]
    assert longer != name


def test_a_setting_that_came_later_renames_no_experiment_while_it_is_off() -> None:
    # The name that this had before model.attention_window was a setting.
    config = apply(find("sudoku-4x4").config, ["model.mixer=attention", "model.positions=rope"])
    assert trial_digest(config) == "1c2dd5da1c015c90-600"
    assert trial_digest(apply(config, ["model.attention_window=3"])) != trial_digest(config)
