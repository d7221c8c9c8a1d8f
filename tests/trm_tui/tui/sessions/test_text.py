"""Sessions that have learned text among those that solve puzzles: the loss stands where accuracy would."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.trm_tui.session_makers import make_session
from trm_engine.config import Config, apply, dumps
from trm_engine.config.puzzle_kind import PUZZLE
from trm_engine.config.text_kind import TEXT
from trm_engine.sessions import Checkpoint, Store
from trm_tui.shared.results import headline, last_measured, score
from trm_tui.workbench.browser.columns import column, measured
from trm_tui.workbench.browser.current_figures import current_figures
from trm_tui.workbench.browser.details import read_details
from trm_tui.workbench.browser.filter import parse_filter
from trm_tui.workbench.browser.listing import Order, in_order
from trm_tui.workbench.browser.session_row import SessionRow, ShownRecord, row_of
from trm_tui.workbench.charts.figures import FIGURES, TEXT_FIGURES, figures_of

NOW = datetime(2026, 3, 20, 15, 0, tzinfo=timezone.utc)


def row(name: str, **summary: object) -> SessionRow:
    return row_of(name, ShownRecord.model_validate({"name": name, "created": NOW, "summary": summary}))


SOLVER = row("solver", eval={"exact_accuracy": 0.5, "puzzles": 500})
POET = row("poet", eval={"val_loss": 1.95, "windows": 300}, best_val_loss=1.873)
NOVICE = row("novice", eval={"val_loss": 2.5})


def test_the_column_of_accuracy_shows_the_lowest_loss() -> None:
    assert [measured(one) for one in (SOLVER, POET, NOVICE, row("new"))] == ["50.0%", "1.873", "2.500", ""]


def test_a_lower_loss_sorts_as_the_better() -> None:
    best_first = in_order([NOVICE, SOLVER, POET], Order("exact", falls=True))
    assert [one.name for one in best_first] == ["solver", "poet", "novice"]
    assert column("exact").falls


@pytest.mark.parametrize(("words", "names"), [("loss<1.9", ["poet"]), ("loss>0", ["poet", "novice"])])
def test_the_loss_can_be_sought(words: str, names: list[str]) -> None:
    assert [one.name for one in parse_filter(words, NOW).of([SOLVER, POET, NOVICE])] == names


def test_of_two_evaluations_the_better_is_known() -> None:
    assert score({"val_loss": 1.8}) > score({"val_loss": 1.9})
    assert score({"exact_accuracy": 0.2}) > score({"exact_accuracy": 0.1})
    assert headline({"val_loss": 1.8734, "windows": 3}) == ("held-out", "1.873")
    assert headline({"exact_accuracy": 0.931}) == ("exact", "93.1%")
    nothing = [last_measured(summary) for summary in ({}, {"eval": {}}, {"eval": "?"}, None)]
    assert nothing == [("", "")] * 4


def test_text_has_figures_of_its_own() -> None:
    assert figures_of(PUZZLE) is FIGURES
    assert figures_of(TEXT) is TEXT_FIGURES
    assert not any("accuracy" in line.curve for figure in TEXT_FIGURES for line in figure.lines)


def text_session(store: Store, config: Config) -> str:
    """Write a session of text whose best loss is 1.5, without a summary."""
    import torch

    text = ("task.kind=text", "model.architecture=text", "model.mixer=attention", "model.positions=rope")
    with store.create(dumps(apply(config, text)), "poet", task="text") as session:
        session.save(Checkpoint(10, {"w": torch.ones(2)}, {}, {}), best_score=-1.5)
        summary = {"eval": {"val_loss": 1.6, "bits_per_character": 2.308, "characters": 9600}, "steps": 10}
        session.update(status="completed", summary=summary)
    return session.id


def test_the_details_tell_the_loss(tmp_path: Path, config: Config) -> None:
    store = Store(tmp_path)
    details = read_details(store, text_session(store, config))
    facts = dict(fact for _, group in details.groups for fact in group)
    assert facts["best loss"] == "1.5000 at step 10"
    assert facts["held-out loss"] == "1.6000 over 9,600 characters"
    assert facts["bits per character"] == "2.3080"
    assert "best exact" not in facts


def test_a_run_without_a_summary_tells_its_best_loss(tmp_path: Path, config: Config) -> None:
    store = Store(tmp_path)
    assert current_figures(store.root / text_session(store, config), "text")["best_val_loss"] == 1.5
    puzzles = make_session(store, config, "20260320-143000-sudoku-6x6-base", exact=0.25, checkpoints=(5,))
    assert current_figures(store.root / puzzles, "sudoku")["best_exact_accuracy"] == 0.25
