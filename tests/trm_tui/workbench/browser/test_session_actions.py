"""What is done to sessions on disk, what a person is told, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trm_engine.errors import SessionError, TrmError
from trm_engine.sessions import Store
from trm_tui.workbench.browser import session_actions

IDS = [f"2026010{n}-000000-a-000{n}" for n in (1, 2, 3)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    for found in IDS:
        folder = tmp_path / found
        folder.mkdir()
        time = "2026-01-01T00:00:00Z"
        (folder / "session.json").write_text(json.dumps({"id": found, "created": time, "updated": time}))
    return Store(tmp_path)


def tags(store: Store) -> list[tuple[str, ...]]:
    return [record.tags for record in store.list()]


def test_a_name_and_a_note_are_written_and_taken_away(store: Store) -> None:
    assert session_actions.rename(store, IDS[0], "mine") == "named mine"
    assert store.get("mine").id == IDS[0]
    assert "cleared" in session_actions.rename(store, IDS[0], "")
    assert session_actions.note(store, IDS[0], "two\nlines") == "noted"
    assert store.get(IDS[0]).record.note == "two\nlines"
    assert "cleared" in session_actions.note(store, IDS[0], "")


def test_tags_of_one_session_are_those_written(store: Store) -> None:
    assert session_actions.retag(store, IDS[0], "b a") == "tagged a b"
    assert session_actions.retag(store, IDS[0], "b, a,c") == "tagged a b c"
    assert session_actions.retag(store, IDS[0], "a") == "tagged a"
    assert session_actions.retag(store, IDS[0], "") == "no tags"


def test_tags_of_several_are_added_and_taken_away(store: Store) -> None:
    store.tag(IDS[0], "old")
    assert "2 sessions" in session_actions.change_tags(store, IDS[:2], "new -old")
    assert tags(store) == [("new",), ("new",), ()]


def test_deleted_sessions_come_back(store: Store) -> None:
    message, done = session_actions.delete(store, IDS[:2])
    assert "2 sessions moved to the trash" in message
    assert "u takes them back" in message
    assert [record.id for record in store.list()] == IDS[2:]
    assert "2 sessions restored" in session_actions.restore(store, done)
    assert [record.id for record in store.list()] == IDS


def test_what_is_in_use_stays_and_is_named(store: Store) -> None:
    with store.open(IDS[0]):
        message, done = session_actions.delete(store, IDS[:2])
        assert list(done) == IDS[1:2]
        assert "not 1 session" in message
        assert "in use" in message
        with pytest.raises(SessionError, match="in use"):
            session_actions.delete(store, IDS[:1])


@pytest.mark.parametrize("name", ["x" * 81, "latest"])
def test_a_name_that_cannot_be_is_named_before(name: str) -> None:
    assert session_actions.name_problem(name)
    assert session_actions.name_problem("fine") == ""


def test_tags_that_cannot_be_are_named_before() -> None:
    assert session_actions.tags_problem("good also/good v1.0") == ""
    assert session_actions.tags_problem("best, paper") == ""
    assert session_actions.tags_problem("bad! good")
    assert session_actions.tags_problem("new -old", changing=True) == ""
    assert session_actions.tags_problem("-", changing=True)


def test_an_archive_goes_round(store: Store, tmp_path: Path) -> None:
    (tmp_path / IDS[0] / "config.toml").write_text("[task]\nkind = 'sudoku'\n")
    store.export(IDS[0], tmp_path / "a.zip")
    store.delete(IDS[0])
    assert "imported" in session_actions.import_archive(store, tmp_path / "a.zip")
    with pytest.raises(TrmError):
        session_actions.import_archive(store, tmp_path / "none.zip")
