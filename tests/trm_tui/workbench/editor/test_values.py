"""Settings as they are typed: text and value, and the next value up or down."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trm_engine.config import FieldInfo, TaskConfig, Value
from trm_engine.config.build import check
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_tui.workbench.editor.draft import fields_of
from trm_tui.workbench.editor.values import read, show, stepped

FIELDS = fields_of(SudokuConfig)
NUMBERS = [info for info in FIELDS.values() if info.type_name in ("int", "float") and not info.choices]


def field(type_name: str) -> FieldInfo:
    return FieldInfo("model", "size", type_name, None, "Size.")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("type_name", "text", "value"),
    [
        ("int", "64", 64),
        ("int", " 1_000 ", 1000),
        ("int", "1e6", 1_000_000),
        ("int", "1.5", 1.5),
        ("int", "many", "many"),
        ("int", "", ""),
        ("int", "9" * 5000, math.inf),
        ("float", "2e-3", 0.002),
        ("float", ".5", 0.5),
        ("float", "3", 3.0),
        ("float", "1,5", "1,5"),
        ("bool", "true", True),
        ("bool", "False", False),
        ("bool", "yes", "yes"),
        ("str", " 12 ", " 12 "),
    ],
)
def test_text_is_read_as_the_field_s_type_or_kept(type_name: str, text: str, value: Value) -> None:
    found = read(field(type_name), text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (64, "64"),
        (10000.0, "10000"),
        (0.002, "0.002"),
        (1e-5, "1e-5"),
        (1e22, "1e22"),
        ("a b", "a b"),
    ],
)
def test_values_are_shown_as_a_person_would_type_them(value: Value, text: str) -> None:
    assert show(value) == text


@given(st.floats(allow_nan=False))
def test_a_number_that_is_shown_reads_as_the_same_number(value: float) -> None:
    assert read(field("float"), show(value)) == value


@given(st.integers(-(10**20), 10**20))
def test_a_whole_number_that_is_shown_reads_as_the_same_number(value: int) -> None:
    found = read(field("int"), show(value))
    assert (found, type(found)) == (value, int)


@given(st.text())
def test_text_stays_as_it_is(value: str) -> None:
    assert read(field("str"), show(value)) == value


@given(st.text(), st.sampled_from(["int", "float", "bool", "str"]))
def test_no_text_is_too_odd_to_be_read(text: str, type_name: str) -> None:
    assert isinstance(read(field(type_name), text), (bool, int, float, str))


@pytest.mark.parametrize(
    ("key", "value", "lower", "higher"),
    [
        ("model.hidden_size", 64, 32, 128),
        ("model.layers", 2, 1, 3),
        ("model.layers", 1, 1, 2),
        ("train.steps", 3000, 2000, 4000),
        ("train.steps", 1000, 900, 2000),
        ("train.steps", 3456, 3000, 4000),
        ("eval.every", 0, 0, 1),
        ("train.lr", 2e-3, 1e-3, 3e-3),
        ("train.lr", 1e-3, 9e-4, 2e-3),
        ("train.lr", 10.0, 9.0, 10.0),
        ("train.ema", 0.995, 0.994, 0.996),
        ("train.ema", 0.0, 0.0, 0.1),
        ("train.lr_min_ratio", 1.0, 0.99, 1.0),
        ("train.continue_loss", False, True, True),
        ("model.positions", "rope", "none", "learned"),
        ("model.positions", "roap", "none", "rope"),
        ("model.states", 2, 1, 1),
        ("title", "Sudoku", "Sudoku", "Sudoku"),
    ],
)
def test_the_next_value_is_the_next_round_one(key: str, value: Value, lower: Value, higher: Value) -> None:
    info = FIELDS[key]
    assert (stepped(info, value, up=False), stepped(info, value, up=True)) == (lower, higher)


@given(st.data(), st.sampled_from(NUMBERS), st.booleans())
def test_from_any_allowed_number_a_step_leads_to_an_allowed_one_on_the_right_side(
    data: st.DataObject, info: FieldInfo, up: bool
) -> None:
    low, high = info.minimum or 0, info.maximum if info.maximum is not None else 1e9
    if info.type_name == "int":
        value: int | float = data.draw(st.integers(int(low), int(high)))
    else:
        value = data.draw(
            st.floats(low, high, exclude_min=info.above_minimum, exclude_max=info.below_maximum).filter(
                lambda number: not 0 < number < 1e-12
            )
        )
    found = stepped(info, value, up=up)
    assert found >= value if up else found <= value  # type: ignore[operator]
    assert type(found) is type(value)
    (section, name) = info.key.split(".")
    problems = check(
        {
            "task": {"kind": "sudoku"},
            section: {name: found} | ({"kind": "sudoku"} if section == "task" else {}),
        }
    )[1]
    assert not [p for p in problems if (p.field == name and "small" in p.message) or "large" in p.message]


def test_an_odd_value_stays_where_it_is() -> None:
    info = FIELDS["train.lr"]
    assert [stepped(info, value, up=True) for value in ("abc", math.inf)] == ["abc", math.inf]


def test_another_kind_of_task_has_other_fields() -> None:
    assert "task.clues" in FIELDS
    assert "task.clues" not in fields_of(TaskConfig)
