"""What the details of a session say: facts, checkpoints, the timeline; and what a comparison finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trm_tui.session_makers import NOW, make_session, stop_the_clock
from trm_engine.config import Config, apply, dumps
from trm_engine.errors import SessionError
from trm_engine.sessions import Event, HistoryEntry, Store
from trm_tui.tui.common.hanging import Line
from trm_tui.tui.sessions.compare import differences_content
from trm_tui.tui.sessions.panes import checkpoint_content, facts_lines, timeline_lines
from trm_tui.workbench.browser.comparing import MOST, compare, differences
from trm_tui.workbench.browser.details import read_checkpoints, read_details
from trm_tui.workbench.browser.timeline import say_value, timeline

ONE, TWO = "20260320-120000-sudoku-6x6-one1", "20260319-120000-sudoku-6x6-two2"
HOSTILE = "\x1b[2J\u202eevil\x9b31m"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    stop_the_clock(monkeypatch)
    return Store(tmp_path / "sessions")


def plain(lines: list[Line]) -> str:
    return "\n".join(f"{line.head.plain}{line.text.plain}" for line in lines)


def said(store: Store, session_id: str) -> str:
    return plain(facts_lines(read_details(store, session_id)))


def test_the_facts_of_a_session_are_all_there(store: Store, config: Config) -> None:
    make_session(
        store,
        config,
        ONE,
        name="baseline",
        tags=["best"],
        note="first\nsecond",
        exact=0.972,
        checkpoints=(250, 500),
    )
    text = said(store, ONE)
    for words in (
        "baseline",
        "completed · last step reached",
        "2026-03-20 14:30",
        "best",
        "first\nsecond",
        "500 of 3,000",
        "97.2% at step 500",
        "97.2% of 500 puzzles",
        "1,034 samples/s",
        "parameters",
        "sha256 abababababababab…",
        "Generated with seed 0.",
        "Intel Core i5-8279U",
        "610 MB",
        "torch",
    ):
        assert words in text


def test_a_session_that_was_replayed_names_its_parent(store: Store, config: Config) -> None:
    make_session(store, config, ONE, parent={"session": TWO, "step": 0, "how": "replayed"})
    assert f"replayed from {TWO}" in said(store, ONE)


def test_a_session_with_an_unreadable_configuration_still_shows_its_facts(
    store: Store, config: Config
) -> None:
    make_session(store, config, ONE, name="broken")
    (store.root / ONE / "config.toml").write_text("task = 3")
    details = read_details(store, ONE)
    assert "config" in details.problem or "task" in details.problem
    assert "broken" in plain(facts_lines(details))


def test_a_session_that_is_not_there_is_an_error(store: Store) -> None:
    with pytest.raises(SessionError):
        read_details(store, ONE)


def test_hostile_text_of_a_record_is_made_harmless(store: Store, config: Config) -> None:
    make_session(store, config, ONE, note=HOSTILE, preset=HOSTILE, facts={HOSTILE: HOSTILE})
    text = said(store, ONE)
    assert "evil" in text
    assert not any(sign in text for sign in "\x1b\u202e\x9b")


def test_checkpoints_come_the_newest_first_with_the_best_marked_and_the_damaged_named(
    store: Store, config: Config
) -> None:
    make_session(store, config, ONE, checkpoints=(100, 200, 300))
    (store.root / ONE / "checkpoints" / "000000200" / "weights.safetensors").write_bytes(b"x")
    saved = read_checkpoints(store, ONE)
    assert [(one.step, one.best, bool(one.problem)) for one in saved] == [
        (300, True, False),
        (200, False, True),
        (100, False, False),
    ]
    assert "★ best" in checkpoint_content(saved[0], NOW).plain
    assert "✗" in checkpoint_content(saved[1], NOW).plain


# --- timeline ---------------------------------------------------------------------------------------------


def entry(number: int, config: Config, time: str, reason: str, step: int = 0) -> HistoryEntry:
    return HistoryEntry(number, step, time, reason, dumps(config))


def test_the_timeline_tells_changes_and_events_in_order(config: Config) -> None:
    slower = apply(config, ["train.lr=0.001", "train.steps=4000"])
    history = [
        entry(1, config, "2026-03-20T10:00:00Z", "created"),
        entry(2, slower, "2026-03-20T12:00:00Z", "resumed with other settings", 500),
    ]
    events = [
        Event("2026-03-20T11:00:00Z", "WARNING", "memory 81 %"),
        Event("2026-03-20T09:59:00Z", "INFO", "decision: threads: 4"),
        Event("2026-03-20T13:00:00Z", "INFO", "completed: last step reached"),
    ]
    moments = timeline(history, events)
    assert [(m.kind, m.title) for m in moments] == [
        ("config", "created"),
        ("warning", "memory 81 %"),
        ("config", "resumed with other settings"),
        ("info", "completed: last step reached"),
    ]
    assert moments[2].changes == ("train.steps 3000 → 4000", "train.lr 0.002 → 0.001")
    text = plain(timeline_lines(moments, NOW))
    assert "12:00 step 500 resumed with other settings" in text


def test_the_first_configuration_is_held_against_its_preset(config: Config) -> None:
    history = [entry(1, apply(config, ["train.seed=7"]), "2026-03-20T10:00:00Z", "created")]
    assert timeline(history, [], config)[0].changes == ("train.seed 0 → 7",)
    assert timeline([entry(1, config, "2026-03-20T10:00:00Z", "created")], [], config)[0].changes == ()
    assert timeline(history, [])[0].changes == ()


def test_a_time_that_is_none_keeps_its_place(config: Config) -> None:
    history = [entry(1, config, "once upon a time", "created")]
    events = [Event("2026-03-20T11:00:00Z", "INFO", "later"), Event("never", "ERROR", "lost")]
    assert [m.title for m in timeline(history, events)] == ["created", "later", "lost"]


def test_a_configuration_of_another_age_is_named_not_raised() -> None:
    moments = timeline([HistoryEntry(1, 0, "2026-03-20T10:00:00Z", "created", "nonsense = [")], [])
    assert len(moments[0].changes) == 1


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "—"), (True, "yes"), (0.0020, "0.002"), ("", '""'), ("a\nb", "a b"), (3000, "3000")],
)
def test_values_are_written_for_people(value: object, words: str) -> None:
    assert say_value(value) == words  # type: ignore[arg-type]


# --- comparing --------------------------------------------------------------------------------------------


def test_a_comparison_holds_curves_and_the_settings_that_differ(store: Store, config: Config) -> None:
    make_session(store, config, ONE, name="one")
    make_session(store, apply(config, ["train.lr=0.004"]), TWO, name="two")
    found = compare(store, [ONE, TWO])
    assert [s.title for s in found.sessions] == ["one", "two"]
    assert [(d.key, tuple(d.values)) for d in found.differences] == [("train.lr", ("0.002", "0.004"))]
    assert list(found.sessions[0].curves["exact_accuracy"].steps) == [250.0, 500.0]
    text = differences_content(found).plain
    assert [line.rstrip() for line in text.splitlines()] == ["          one    two", "train.lr  0.002  0.004"]


def test_sessions_of_one_name_are_told_apart(store: Store, config: Config) -> None:
    for found in (ONE, TWO):
        make_session(store, config, found, name="same")
    assert [s.title for s in compare(store, [ONE, TWO]).sessions] == ["same ·one1", "same ·two2"]


def test_what_cannot_be_compared_is_named_and_left_out(store: Store, config: Config) -> None:
    make_session(store, config, ONE, name="one")
    found = compare(store, [ONE, "20250101-000000-gone-gone"])
    assert [s.title for s in found.sessions] == ["one"]
    assert "there is no session" in found.problems[0]


def test_more_than_can_be_told_apart_are_cut_and_said_to_be(store: Store, config: Config) -> None:
    ids = [make_session(store, config, f"2026031{n}-120000-a-000{n}", steps=50) for n in range(MOST + 1)]
    found = compare(store, ids)
    assert len(found.sessions) == MOST
    assert f"only the first {MOST} of {MOST + 1}" in found.problems[0]


def test_settings_of_different_tasks_stand_beside_a_dash(config: Config) -> None:
    other = apply(config, ["task.box_rows=3", "task.box_cols=3"])
    third = apply(config, ["task.box_cols=3"])
    keys = [d.key for d in differences([config, other, third])]
    assert keys == ["task.box_rows", "task.box_cols"]
    assert differences([config]) == []
