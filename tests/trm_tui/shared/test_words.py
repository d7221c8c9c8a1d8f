"""Evaluations in words: those of their kind, and plain ones for a kind that has none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

import pytest

from trm_engine.config.kinds import KINDS, LearnerKind, Score
from trm_engine.config.puzzle_kind import PUZZLE
from trm_engine.config.text_kind import TEXT
from trm_tui.shared.results import aside, facts, headline, last_measured, score, sentence
from trm_tui.shared.words import kind_measured, words_of
from trm_tui.workbench.browser.session_row import ShownRecord, row_of
from trm_tui.workbench.charts.figures import evaluation_curves, figures_of, figures_to_compare

PUZZLES = {
    "puzzles": 500,
    "exact_accuracy": 0.931,
    "cell_accuracy": 0.98,
    "early_exact_accuracy": 0.925,
    "mean_steps": 3.4,
    "ran_steps": 8.0,
    "q_halt_accuracy": 0.99,
}
TEXTS = {"windows": 20, "characters": 9600, "val_loss": 1.8734, "bits_per_character": 2.7}


@pytest.fixture
def strange() -> Iterator[LearnerKind]:
    """A kind that the program knows nothing of but its entry."""
    kind = LearnerKind(
        name="strange",
        models="a strange model",
        score=Score("mean_error", "error", "target_loss", higher_is_better=False),
        costs="",
        model="",
        learner="",
    )
    yield kind
    del KINDS["strange"]


def test_an_evaluation_is_told_in_the_words_of_its_kind() -> None:
    assert sentence(PUZZLES, final=True) == "93.1% of 500 test puzzles exact, 98.0% of cells"
    assert sentence(TEXTS, final=True) == "loss 1.8734 on all 20 held-out windows, 2.700 bits per character"
    assert facts(PUZZLES)[0] == ("exact accuracy", "93.10% of 500 puzzles after 8 supervision steps")
    assert facts(TEXTS)[0] == ("held-out loss", "1.8734 over 9,600 characters")
    assert (aside(PUZZLES), aside(TEXTS)) == ([], [("bits", "2.700 per character")])


def test_what_other_right_answers_give_is_told_where_it_was_measured() -> None:
    names = [name for name, _ in facts(PUZZLES)]
    assert "solved" not in names
    assert [name for name, _ in facts({**PUZZLES, "valid_accuracy": 0.95})][1] == "solved"


def test_figures_of_no_evaluation_are_told_nothing_of() -> None:
    assert kind_measured({"loss": 1.0}) is None
    assert headline({}) == ("", "")
    assert (sentence({}, final=False), facts({}), aside({}), score({})) == ("", [], [], 0)


def test_a_kind_without_words_is_shown_plainly(strange: LearnerKind) -> None:
    figures = {"mean_error": 0.25, "examples": 12}
    assert headline(figures) == ("error", "0.25")
    assert sentence(figures, final=False) == "mean error 0.25 on held-out examples"
    assert facts(figures) == [("mean error", "0.25"), ("examples", "12")]
    assert last_measured({"eval": figures}) == ("mean error", "mean error 0.25")
    assert score({"mean_error": 0.2}) > score({"mean_error": 0.25})
    assert words_of(strange).best == "best error"


def test_a_kind_without_charts_has_that_of_its_score(strange: LearnerKind) -> None:
    assert "mean_error" in evaluation_curves()
    assert [figure.title for figure in figures_of(strange)][:2] == ["Loss", "mean error"]
    assert figures_to_compare([{"loss": None}, {"mean_error": None}]) == figures_of(strange)  # type: ignore[dict-item]
    assert figures_to_compare([]) == figures_of(PUZZLE)
    assert figures_of(TEXT) != figures_of(PUZZLE)


def test_a_session_of_any_kind_shows_and_sorts_by_its_score(strange: LearnerKind) -> None:
    now = datetime(2026, 3, 20, tzinfo=timezone.utc)
    summary = {"eval": {"mean_error": 0.5}, "best_mean_error": 0.25}
    row = row_of("a", ShownRecord.model_validate({"created": now, "summary": summary}))
    assert (row.measured, row.score) == ("0.25", -0.25)
