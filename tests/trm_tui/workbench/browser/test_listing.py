"""The table's model: rows from records, columns that give way, sorting by any column, marks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.trm_tui.session_makers import NOW, row
from trm_tui.tui.sessions.signs import STATUS_SIGNS, fitted
from trm_tui.workbench.browser.columns import (
    COLUMNS,
    GAP,
    chosen_columns,
    column,
    columns_problem,
    fitting,
    short_count,
    when,
)
from trm_tui.workbench.browser.filter import parse_filter
from trm_tui.workbench.browser.listing import Listing, Order, in_order
from trm_tui.workbench.browser.session_curve import sparkline
from trm_tui.workbench.browser.session_row import SessionRow

HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202eevil\x9b31m"


def listing(*rows: SessionRow) -> Listing:
    made = Listing()
    made.replace({one.id: one for one in rows})
    return made


# --- rows -------------------------------------------------------------------------------------------------


def test_a_session_without_a_name_is_called_by_its_preset_and_the_end_of_its_id() -> None:
    assert row("20260320-120000-sudoku-6x6-ab12").title == "sudoku-6x6 ·ab12"
    assert row(name="mine").title == "mine"
    assert row("20260320-120000-x-ab12", preset="").title == "20260320-120000-x-ab12"


def test_the_best_accuracy_wins_over_the_last() -> None:
    assert row(eval={"exact_accuracy": 0.5}).exact == 0.5
    assert row(eval={"exact_accuracy": 0.5}, best_exact_accuracy=0.7).exact == 0.7
    assert row(best_exact_accuracy=0.7).exact == 0.7
    assert row().exact is None


@pytest.mark.parametrize(
    "summary", [{"steps": "many"}, {"steps": True}, {"eval": 3}, {"eval": {"exact_accuracy": []}}]
)
def test_a_summary_of_wrong_types_counts_as_unknown(summary: dict[str, object]) -> None:
    made = row(**summary)
    assert (made.steps, made.exact) == (None, None)


def test_foreign_text_is_made_harmless() -> None:
    made = row(name=HOSTILE, note=HOSTILE, task=HOSTILE, tags=(HOSTILE,))
    texts = (made.name, made.title, made.note, made.task, *made.tags, made.text)
    assert not any(sign in text for text in texts for sign in "\x1b\x07\u202e\x9b")


# --- columns ----------------------------------------------------------------------------------------------


@given(st.integers(1, 400))
def test_columns_fill_the_room_and_never_more(room: int) -> None:
    shown = fitting(room)
    used = sum(width for _, width in shown) + GAP * (len(shown) - 1)
    assert used <= room
    assert [c for c, _ in shown] == [c for c in COLUMNS if c in dict(shown)], "their order stays"


def test_at_78_cells_the_figures_that_matter_are_shown() -> None:
    assert [c.key for c, _ in fitting(76)] == ["name", "status", "steps", "exact", "time", "started"]
    assert [c.key for c, _ in fitting(138)] == [c.key for c in COLUMNS]


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(minutes=5), "15:25"),
        (timedelta(hours=20), "Thu 19:30"),
        (timedelta(days=20), "28 Feb"),
        (timedelta(days=200), "2025-09-01"),
        (timedelta(days=-1), "21 Mar"),
    ],
)
def test_times_are_as_brief_as_they_are_understood(ago: timedelta, said: str) -> None:
    assert when(NOW - ago, NOW) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [(None, ""), (0, "0"), (940, "940"), (1500, "1.5k"), (412_000, "412k"), (6_830_000, "6.83M")],
)
def test_counts_are_short(count: float | None, said: str) -> None:
    assert short_count(count) == said


@given(st.text(max_size=40), st.integers(0, 30), st.booleans())
def test_a_fitted_text_is_exactly_as_wide_as_asked(text: str, width: int, right: bool) -> None:
    line = fitted(text, width, right=right)
    assert cell_len(line) == width
    assert "\n" not in line


def test_every_status_has_a_sign_of_its_own_meaning() -> None:
    assert set(STATUS_SIGNS) >= {
        "running",
        "paused",
        "completed",
        "stopped",
        "diverged",
        "failed",
        "interrupted",
        "damaged",
    }
    assert all(cell_len(sign) == 1 for sign, _ in STATUS_SIGNS.values())


# --- sorting ----------------------------------------------------------------------------------------------


def sample() -> list[SessionRow]:
    return [
        row("20260101-000000-a-0001", name="beta", steps=100, seconds=9.0, tags=("x",)),
        row("20260102-000000-a-0002", name="Alpha", steps=3000, samples_per_second=12.0, status="failed"),
        row("20260103-000000-a-0003", name="gamma", eval={"exact_accuracy": 0.5}, parameters=5, task="maze"),
    ]


@pytest.mark.parametrize("key", [c.key for c in COLUMNS])
@pytest.mark.parametrize("falls", [True, False])
def test_every_column_sorts_both_ways_with_the_unknown_last(key: str, falls: bool) -> None:
    value = column(key).value
    ordered = [value(one) for one in in_order(sample(), Order(key, falls))]
    known = [found for found in ordered if found is not None]
    assert known == sorted(known, reverse=falls)  # type: ignore[type-var]
    assert ordered[len(known) :] == [None] * (len(ordered) - len(known))


def test_equals_stand_the_newest_first_either_way() -> None:
    rows = [row(f"2026010{n}-000000-a-000{n}", name="same") for n in (1, 3, 2)]
    for falls in (True, False):
        assert [one.id[:8] for one in in_order(rows, Order("name", falls))] == [
            "20260103",
            "20260102",
            "20260101",
        ]


def test_a_column_chosen_again_turns_round_and_another_begins_anew() -> None:
    order = Order("exact", True).by("exact")
    assert order == Order("exact", False)
    assert order.by("name") == Order("name", False)
    assert order.by("steps") == Order("steps", True)


def test_moving_through_the_columns_comes_round() -> None:
    order, keys = Order("name", False), []
    for _ in COLUMNS:
        keys.append(order.key)
        order = order.moved(1)
    assert keys == [c.key for c in COLUMNS]
    assert order == Order("name", False)
    assert order.moved(-1).key == COLUMNS[-1].key


# --- marks and filters ------------------------------------------------------------------------------------


def test_marks_keep_their_order_and_go_with_their_sessions() -> None:
    rows = sample()
    made = listing(*rows)
    for one in (rows[2], rows[0]):
        made.toggle_mark(one.id)
    assert made.marked == (rows[2].id, rows[0].id)
    made.replace({one.id: one for one in rows[:2]})
    assert made.marked == (rows[0].id,)
    made.toggle_mark(rows[0].id)
    assert made.marked == ()


def test_marking_all_marks_what_is_shown_and_then_nothing() -> None:
    made = listing(*sample())
    made.narrow(parse_filter("task:sudoku", NOW))
    made.mark_shown()
    assert len(made.marked) == 2
    made.mark_shown()
    assert made.marked == ()


def test_a_filter_stays_when_the_sessions_change() -> None:
    rows = sample()
    made = listing(rows[0])
    made.narrow(parse_filter("task:maze", NOW))
    assert made.shown == []
    made.replace({one.id: one for one in rows})
    assert [one.task for one in made.shown] == ["maze"]
    assert made.place(rows[2].id) == 0
    assert made.place(rows[0].id) is None


# --- chosen columns ---------------------------------------------------------------------------------------


def test_columns_are_chosen_by_name_settings_among_them() -> None:
    columns = chosen_columns("status, train.lr name EXACT train.lr")
    assert [c.key for c in columns] == ["name", "status", "train.lr", "exact"]
    assert chosen_columns("  ") == COLUMNS
    lr = columns[2]
    assert (lr.title, lr.text(replace(row(), settings={"train.lr": 0.0025}), NOW)) == ("lr", "0.0025")
    assert lr.text(row(), NOW) == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [("statsu", 'Did you mean "status"?'), ("train.rl", 'Did you mean "train.lr"?'), ("task.anything", "")],
)
def test_what_is_no_column_is_said(words: str, told: str) -> None:
    assert told in columns_problem(words)
    assert bool(columns_problem(words)) == bool(told)


def test_sessions_are_sorted_by_a_setting_numbers_words_and_none_alike() -> None:
    values = (10, 2.5, "word", True, 1e-4)
    rows = [
        replace(row(f"20260101-00000{n}-a-aaaa"), settings={"task.x": value})
        for n, value in enumerate(values)
    ]
    made = listing(*rows, row("20260101-000009-a-aaaa"))
    made.columns = chosen_columns("task.x")
    assert made.needs_settings
    made.sort(Order().moved(1, made.columns).by("task.x").moved(1, made.columns))
    found = [(one.settings or {}).get("task.x") for one in in_order(made.shown, Order("task.x", falls=False))]
    assert found == [1e-4, True, 2.5, 10, "word", None]


def test_a_curve_is_drawn_from_its_lowest_to_its_highest_value() -> None:
    assert sparkline((), 5) == ""
    assert sparkline((0.5,), 5) == "▄"
    assert sparkline((0.0, 0.25, 0.5, 1.0), 5) == "▁▂▄█"
    assert sparkline([n / 99 for n in range(100)], 4) == "▁▃▆█"
    (curve,) = chosen_columns("curve")[1:]
    assert curve.text(replace(row(), curve=(0.0, 1.0)), NOW) == "▁█"
    assert curve.text(row(), NOW) == ""
