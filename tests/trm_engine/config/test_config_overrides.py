"""Single settings are changed by their dotted names, and differences are listed by them."""

from __future__ import annotations

import pytest

from trm_engine.config import Change, Config, TaskConfig, apply, diff, flatten
from trm_engine.errors import OVERRIDES, ConfigError
from trm_engine.tasks.sudoku.config import SudokuConfig

BASE = Config(title="base", task=SudokuConfig(clues=4))


def problems(*assignments: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        apply(BASE, assignments)
    assert caught.value.source == OVERRIDES
    return caught.value.problems


@pytest.mark.parametrize(
    ("assignment", "key", "value"),
    [
        ("train.steps=100", "train.steps", 100),
        (" train.steps = 1_000 ", "train.steps", 1000),
        ("train.lr=1e-3", "train.lr", 1e-3),
        ("train.lr=1", "train.lr", 1.0),
        ("train.continue_loss=true", "train.continue_loss", True),
        ("model.mixer=mlp_t", "model.mixer", "mlp_t"),
        ('train.loss="stablemax"', "train.loss", "stablemax"),
        ("model.states=1", "model.states", 1),
        ("task.data=a folder/puzzles=1.csv", "task.data", "a folder/puzzles=1.csv"),
        ("task.data=2024", "task.data", "2024"),
        ("task.data=2024-01-01", "task.data", "2024-01-01"),
        ("task.data=", "task.data", ""),
        ("title=true", "title", "true"),
    ],
)
def test_a_value_is_read_as_its_field_needs_it(assignment: str, key: str, value: object) -> None:
    changed = flatten(apply(BASE, [assignment]))[key]
    assert changed == value
    assert type(changed) is type(value)


def test_nothing_else_changes() -> None:
    changed = apply(BASE, ["train.steps=100", "model.heads=8"])
    assert diff(BASE, changed) == [Change("model.heads", 4, 8), Change("train.steps", 3000, 100)]


def test_without_assignments_nothing_changes() -> None:
    assert apply(BASE, []) == BASE


def test_the_last_of_two_values_counts() -> None:
    assert apply(BASE, ["train.steps=1", "train.steps=2"]).train.steps == 2


def test_settings_that_only_work_together_may_be_set_together() -> None:
    changed = apply(BASE, ["model.positions=rope", "model.mixer=attention"])
    assert (changed.model.mixer, changed.model.positions) == ("attention", "rope")


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("steps=100", '"steps" is not a setting. Did you mean train.steps?'),
        (
            "batch_size=100",
            '"batch_size" is not a setting. Did you mean train.batch_size or eval.batch_size?',
        ),
        ("train.stepz=100", '"train.stepz" is not a setting. Did you mean train.steps?'),
        ("trian.steps=100", '"trian.steps" is not a setting. Did you mean train.steps?'),
        ("trian.batch_size=100", '"trian.batch_size" is not a setting. Did you mean train.batch_size?'),
        ("model.lr=1", '"model.lr" is not a setting. Did you mean train.lr?'),
        ("train=1", "train is a section: write train.key=value"),
        (
            "qqq.zzzzzz=1",
            '"qqq.zzzzzz" is not a setting. Known: task, model, train, eval, checkpoint, memory, runtime, '
            "track.",
        ),
        ("memory.zzzzzz=1", '"memory.zzzzzz" is not a setting. Known: memory.budget_gb, memory.guard,'),
        ("train.lr", '"train.lr": write it as section.key=value'),
        ("=1", '"" is not a setting.'),
        ("train.lr=fast", 'train.lr: must be a number above 0, at most 10, not "fast"'),
        ("train.lr=30", "train.lr: 30 is too large; at most 10"),
        ("train.steps=", 'train.steps: must be a whole number from 1 to 1000000000, not ""'),
        ("train.steps=[1", 'train.steps: must be a whole number from 1 to 1000000000, not "[1"'),
        ("train.steps={a=1}", "train.steps: must be a whole number from 1 to 1000000000, not a table"),
        ("task.augment=True", 'task.augment: must be true or false, not "True"'),
        ("model.mixer=atention", 'must be "attention" or "mlp_t", not "atention". Did you mean "attention"?'),
        ("train.micro_batch=65", "train.micro_batch: 65 is more than batch_size = 64"),
        ("task.clues=17", "task.clues: 17 clues in a grid of 16 cells"),
        ("task.kind=sudok", "task.kind: must be "),
        ("task.data=\udcff", "task.data: must be text"),
        ("a\x1b\udcff.b=1", "is not a setting."),
        ("train.steps=" + "[" * 3000, "train.steps: must be a whole number"),
    ],
)
def test_a_bad_assignment_is_named_with_the_nearest_valid_one(assignment: str, message: str) -> None:
    (problem,) = problems(assignment)
    assert message in problem
    assert problem.isprintable()
    assert problem.encode()


def test_all_bad_assignments_are_told_at_once() -> None:
    found = problems("steps=1", "train.lr=fast", "model.heads", "eval.every=-1", "train.micro_batch=65")
    assert len(found) == 5


def test_rules_stay_silent_about_a_misspelt_setting() -> None:
    assert len(problems("train.batch_sise=128", "train.micro_batch=100")) == 1


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> type[TaskConfig]:
    """Register a second kind of task, forgotten after the test."""
    monkeypatch.setattr(TaskConfig, "kinds", dict(TaskConfig.kinds))

    class CountingConfig(TaskConfig, kind="counting"):
        """Counting."""

        up_to: int = 9
        """The last number."""

    return CountingConfig


def test_another_kind_of_task_starts_its_section_afresh(counting: type[TaskConfig]) -> None:
    changed = apply(BASE, ["task.up_to=5", "task.kind=counting"])
    assert changed.task == counting.model_validate({"kind": "counting", "up_to": 5})


def test_the_same_kind_of_task_keeps_its_settings() -> None:
    assert apply(BASE, ["task.kind=sudoku"]) == BASE


def test_settings_of_the_former_kind_are_refused(counting: type[TaskConfig]) -> None:
    (problem,) = problems("task.kind=counting", "task.clues=5")
    assert '"task.clues" is not a setting.' in problem


def test_settings_of_an_unknown_kind_are_not_judged() -> None:
    (problem,) = problems("task.kind=chess", "task.pawns=5")
    assert problem.startswith("task.kind: ")


def test_equal_configurations_do_not_differ() -> None:
    assert diff(BASE, apply(BASE, ["train.steps=3000"])) == []


def test_what_one_task_lacks_differs_from_nothing(counting: type[TaskConfig]) -> None:
    changes = {change.key: change for change in diff(BASE, apply(BASE, ["task.kind=counting"]))}
    assert changes["task.clues"] == Change("task.clues", 4, None)
    assert changes["task.up_to"] == Change("task.up_to", None, 9)
    assert changes["task.kind"] == Change("task.kind", "sudoku", "counting")
