"""One field over several values."""

from __future__ import annotations

import pytest

from tests.trm_tui.editor_pilot import SIX
from trm_tui.workbench.editor.draft import Draft, Origin
from trm_tui.workbench.editor.sweep import sweep_problem, sweep_suggestion, sweep_words, variants

DRAFT = Draft.of(Origin("six", SIX))


def test_each_value_becomes_a_run() -> None:
    found = list(variants(DRAFT, "train.lr", "0.001, 0.002"))
    assert [variant.config.train.lr for variant in found] == [0.001, 0.002]
    assert sweep_words(DRAFT, "train.lr", "0.001 0.002") == "2 runs: six lr=0.001, six lr=0.002"
    assert [variant.config.title for variant in found] == ["", "Six"], (
        "a variant keeps no claim of its parent"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0.001", "two values or more"),
        ("", "two values or more"),
        ("0.001 0.001", "stands there twice"),
        ("0.001 x", "x: "),
        ("0.001 99", "99: "),
        (" ".join(map(str, range(101))), "at most 100"),
        ("0.001 0.002", ""),
    ],
)
def test_what_is_wrong_is_said(text: str, problem: str) -> None:
    said = sweep_problem(DRAFT, "train.lr", text)
    assert problem in said if problem else not said


def test_values_to_begin_with_are_possible_ones() -> None:
    for key in ("train.lr", "train.steps", "train.optimizer", "model.layers", "runtime.threads"):
        text = sweep_suggestion(DRAFT, key)
        assert text
        if len(text.split()) > 1 and key != "train.optimizer":
            assert sweep_problem(DRAFT, key, text) == "", key
