from __future__ import annotations

import pytest

from trm_engine.errors import UsageError
from trm_engine.studies.links import compute, in_order

SETTINGS = {"train.batch_size": 256, "train.lr": 0.01, "model.mixer": "mlp_t", "train.flag": True}


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("6e-3 * sqrt(train.batch_size / 64)", 0.012),
        ("64000 // train.batch_size", 250),
        ("max(train.batch_size // 1000, 1)", 1),
        ("round(0.24576 * 8138)", 2000),
        ("-2 ** 3", -8),
    ],
)
def test_a_formula_of_settings(formula: str, value: float) -> None:
    assert compute(formula, SETTINGS, "link") == pytest.approx(value)


@pytest.mark.parametrize(
    "formula",
    [
        "__import__('os').system('true')",
        "(lambda: 1)()",
        "[1][0]",
        "'text'",
        "True",
        "open(1)",
        "train.lr.real",
        "train",
        "sqrt()",
        "1 if 1 else 2",
        "1 +",
        "9" * 600,
        "(" * 200 + ")" * 200,
    ],
)
def test_nothing_but_arithmetic_is_a_formula(formula: str) -> None:
    with pytest.raises(UsageError, match=r"^link"):
        compute(formula, SETTINGS, "link")


@pytest.mark.parametrize(
    "formula",
    [
        "1 / 0",
        "train.lr ** 1e9 / 0",
        "log(0)",
        "10.0 ** 400",
        "1e300 * 1e300",
        "train.hidden",
        "model.mixer",
        "train.flag",
    ],
)
def test_what_has_no_value_is_said_in_one_line(formula: str) -> None:
    with pytest.raises(UsageError) as caught:
        compute(formula, SETTINGS, "link train.x")
    assert "\n" not in str(caught.value)


def test_links_are_computed_after_what_they_read() -> None:
    links = {"train.warmup_steps": "train.steps // 10", "train.steps": "64000 // train.batch_size"}
    assert in_order(links, "link") == ["train.steps", "train.warmup_steps"]


def test_a_circle_of_links_is_named() -> None:
    links = {"a.x": "b.y + 1", "b.y": "c.z", "c.z": "a.x", "d.w": "1"}
    with pytest.raises(UsageError, match=r"in a circle: a\.x → b\.y → c\.z → a\.x"):
        in_order(links, "link")
