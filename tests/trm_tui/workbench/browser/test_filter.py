"""The filter language: what each term finds, what it refuses and where, and that nothing typed breaks it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trm_tui.session_makers import NOW, row
from trm_tui.workbench.browser.filter import FIELDS, FilterError, parse_filter
from trm_tui.workbench.browser.session_row import SessionRow

SETTINGS = {
    "train.lr": 0.0025,
    "train.steps": 3000,
    "model.mixer": "attention",
    "train.ema": True,
    "task.clues": 40,
}
GOOD = row(
    "20260320-143000-sudoku-6x6-good",
    name="Baseline run",
    tags=("best", "paper"),
    status="completed",
    note="try more steps",
    steps=3000,
    seconds=190.0,
    samples_per_second=1034.0,
    parameters=412_000,
    eval={"exact_accuracy": 0.9718},
)
BAD = row(
    "20260101-000000-maze-10-baad",
    task="maze",
    preset="maze-10",
    status="failed",
    created=NOW - timedelta(days=78),
)
ROWS = (GOOD, BAD)


def found(text: str) -> list[SessionRow]:
    return parse_filter(text, NOW).of(ROWS)


@pytest.mark.parametrize(
    "text",
    [
        "task:sudoku",
        "TASK:Sudoku",
        "task=sudoku",
        "exact>0.9",
        "exact>90%",
        "exact>90",
        "exact=97.2%",
        "exact:0.97",
        "exact>=0.9718",
        "exact<1",
        "tag:best",
        "tag=paper",
        "tags:pap",
        "status:comp",
        "status:stopped,completed",
        "-status:failed",
        "status!=failed",
        "steps>=1000",
        "steps>=3k",
        "steps=3000",
        "params<1M",
        "parameters>400k",
        "rate>1000",
        "samples/s>1000",
        "time>3m",
        "time<=3:10",
        "time:3m",
        "duration>0.05h",
        "age<2h",
        "age<1d",
        "started:today",
        "started>=2026-03",
        "started:2026-03-20",
        "started>2026-02",
        "started>2026-03-19",
        "name:baseline",
        'name:"line run"',
        'name="baseline run"',
        "note:more",
        "id:good",
        "preset:6x6",
        "more steps",
        '"more steps"',
        "task:sudoku exact>0.9 tag:best status:completed steps>=1000 base",
    ],
)
def test_a_filter_finds_the_session_that_is_meant(text: str) -> None:
    assert found(text) == [GOOD]


@pytest.mark.parametrize("text", ["", "   ", "-nothinglikeit", "2026", "task:", "name:,"])
def test_a_filter_that_excludes_nothing_finds_all(text: str) -> None:
    assert found(text) == [GOOD, BAD]


@pytest.mark.parametrize(
    "text",
    [
        "tag=bes",
        "name=baseline",
        "exact>0.9718",
        "steps>3000",
        "steps<3000",
        "name=base,run",
        "started:yesterday",
    ],
)
def test_a_filter_that_nothing_fits_finds_nothing(text: str) -> None:
    assert found(text) == []


def test_a_session_without_a_figure_fits_no_comparison_of_it() -> None:
    for operator in (">", ">=", "<", "<=", "=", ":"):
        assert BAD not in found(f"exact{operator}0.5")
    assert BAD in found("-exact>0.5")
    assert BAD in found("exact!=0.5")


@pytest.mark.parametrize(
    ("text", "said", "part"),
    [
        ("task:sudoku exakt>0.9", 'Did you mean "exact"', "exakt"),
        ("exact>", "a fraction such as 0.9 or 90%", "exact>"),
        ("exact>lots", "a fraction such as 0.9", "exact>lots"),
        ("exact>3k", "a fraction such as 0.9", "exact>3k"),
        ("steps>90%", "a number such as 1000", "steps>90%"),
        ("time>soon", "a duration such as", "time>soon"),
        ("started>7d", "or use age<7d", "started>7d"),
        ("started>2026-13", "a date such as", "started>2026-13"),
        ("age<2026-01-01", "a duration such as", "age<2026-01-01"),
        ("name>5", "is text: use :", ">"),
        ("http://example.org", "is not a field", "http"),
    ],
)
def test_what_cannot_be_understood_is_named_with_its_place(text: str, said: str, part: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text, NOW)
    assert said in str(caught.value)
    assert text[caught.value.start : caught.value.end] == part


def test_the_other_terms_of_a_wrong_filter_still_hold() -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter("task:maze exakt>0.9 failed", NOW)
    assert caught.value.rest.of(ROWS) == [BAD]


def test_quotes_keep_operators_as_text() -> None:
    named = row(name="a:b c>1")
    for text in ('"a:b"', '"c>1"', 'name:"a:b c>1"', '"a:b c'):
        assert parse_filter(text, NOW)(named)


def test_a_week_and_a_month_count_as_the_calendar_does() -> None:
    december = row(created=datetime(2025, 12, 31, 23, 59, tzinfo=timezone.utc))
    january = row(created=datetime(2026, 1, 1, tzinfo=timezone.utc))
    assert parse_filter("started:2025-12", NOW).of((december, january)) == [december]
    assert parse_filter("started:2025", NOW).of((december, january)) == [december]
    assert parse_filter("started>2025", NOW).of((december, january)) == [january]
    assert parse_filter("started<2026-01-01", NOW).of((december, january)) == [december]


# --- whatever is typed ------------------------------------------------------------------------------------

_WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_TERMS = st.one_of(
    _WORDS,
    st.builds(
        lambda turned, name, operator, value: f"{turned}{name}{operator}{value}",
        st.sampled_from(["", "-"]),
        st.sampled_from([*FIELDS, "nonsense"]),
        st.sampled_from([":", "=", "!=", "<", ">", "<=", ">="]),
        st.one_of(
            _WORDS, st.sampled_from(["0.9", "90%", "3k", "5m", "2026-02-30", "2026-01", "1:30", "today"])
        ),
    ),
)


@given(st.lists(_TERMS, max_size=6).map(" ".join))
def test_any_text_is_a_filter_or_a_clear_error(text: str) -> None:
    wrong: FilterError | None = None
    try:
        wanted = parse_filter(text, NOW)
    except FilterError as error:
        wrong, wanted = error, error.rest
    assert wrong is None or (0 <= wrong.start < wrong.end <= len(text) and str(wrong))
    assert all(wanted(one) in (True, False) for one in ROWS)


@given(_TERMS)
def test_a_minus_turns_a_term_round(term: str) -> None:
    if term.startswith("-") or len(term.split()) != 1 or term != term.strip():
        return
    try:
        plain, turned = parse_filter(term, NOW), parse_filter(f"-{term}", NOW)
    except FilterError:
        return
    assert all(plain(one) != turned(one) for one in ROWS)


@given(st.lists(_TERMS, min_size=1, max_size=4), _TERMS)
def test_one_term_more_finds_no_more(terms: list[str], more: str) -> None:
    if '"' in "".join(terms):
        return  # an open quote takes the next term in
    try:
        few, fewer = parse_filter(" ".join(terms), NOW), parse_filter(" ".join([*terms, more]), NOW)
    except FilterError:
        return
    assert {one.id for one in fewer.of(ROWS)} <= {one.id for one in few.of(ROWS)}


@given(
    st.text(
        st.characters(exclude_characters='"', exclude_categories=["Cs", "Cc", "Cf"]), min_size=1, max_size=30
    )
)
def test_a_quoted_part_of_a_name_finds_it(name: str) -> None:
    assert parse_filter(f'"{name}"', NOW)(row(name=name)) or not name.strip()


@given(st.floats(0, 1), st.floats(0, 1))
def test_comparisons_agree_with_the_numbers(value: float, limit: float) -> None:
    one = row(eval={"exact_accuracy": value})
    written = f"{limit:.6f}"
    for operator, holds in (
        (">", value > float(written)),
        ("<=", value <= float(written)),
        ("<", value < float(written)),
    ):
        assert parse_filter(f"exact{operator}{written}", NOW)(one) == holds


# --- settings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "train.lr>0.001",
        "train.lr>1e-3",
        "train.lr=0.0025",
        "train.lr<=2.5e-3",
        "TRAIN.LR<1",
        "train.steps=3k",
        "train.steps:3000",
        "model.mixer=attention,mlp",
        "model.mixer:att",
        "-model.mixer=mlp",
        "model.mixer!=mlp",
        "task.clues>=40",
        "train.lr>0.001 task:sudoku",
    ],
)
def test_settings_are_fields(text: str) -> None:
    wanted = parse_filter(text, NOW)
    assert wanted.needs_settings
    rows = [replace(GOOD, settings=SETTINGS), GOOD]
    assert wanted.of(rows)[0] is rows[0]


def test_words_with_a_dot_are_no_setting() -> None:
    assert not parse_filter("file.txt", NOW).needs_settings


@pytest.mark.parametrize(
    "text", ["train.lr>0.0025", "train.lr<0.0025", "train.steps!=3000", "model.mixer=att"]
)
def test_settings_are_compared_exactly(text: str) -> None:
    assert parse_filter(text, NOW).of([replace(GOOD, settings=SETTINGS)]) == []


@pytest.mark.parametrize("text", ["train.lr>0.001", "model.mixer=mlp", "task.clues<9"])
def test_a_session_whose_settings_are_not_known_never_fits(text: str) -> None:
    assert parse_filter(text, NOW).of([GOOD, replace(GOOD, settings={})]) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("train.rl>1", '"train.rl" is not a setting. Did you mean "train.lr"?'),
        ("train.lr>much", "train.lr> needs a number such as 0.001, 1e-3 or 2k"),
    ],
)
def test_what_a_setting_cannot_be_asked_is_said(text: str, told: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(f"task:x {text}", NOW)
    assert str(caught.value) == told
    assert caught.value.start == len("task:x ")
