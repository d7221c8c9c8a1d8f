"""One odd record, folder or file among the sessions: it is damaged, and hinders no other."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from pathlib import Path

import pytest
from filelock import FileLock

from trm_engine.errors import SessionError
from trm_engine.sessions import Store
from trm_engine.sessions.lock import RUN_LOCK

GOOD = {"id": "a", "created": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z"}
ODD = {
    "infinite": {"summary": {"seconds": float("inf")}},
    "none": {"summary": {"eval": {"exact_accuracy": float("nan")}}},
    "in a list": {"hardware": {"cores": [1, float("-inf")]}},
    "huge": {"summary": {"steps": 10**400}},
    "year 1": {"created": "0001-01-01T00:00:00+14:00"},
    "year 9999": {"updated": "9999-12-31T23:59:59-14:00"},
    "no zone": {"created": "2026-01-01T00:00:00"},
    "no status": {"status": "fine"},
    "no text": {"name": 3},
    "no table": {"facts": []},
}


def write(store: Store, name: str, record: dict[str, object]) -> None:
    (store.root / name).mkdir(parents=True)
    (store.root / name / "session.json").write_text(json.dumps({**GOOD, **record}))


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_record_is_a_damaged_one(store: Store, odd: str) -> None:
    write(store, "good", {"summary": {"steps": 3}})
    write(store, "odd", ODD[odd])
    assert {record.id: record.status for record in store.list()} == {"good": "unsaved", "odd": "damaged"}
    assert store.resolve("latest") == "good"
    with pytest.raises(SessionError, match="session odd is damaged"):
        store.get("odd")


def test_what_is_no_file_is_not_waited_for(store: Store) -> None:
    write(store, "good", {})
    for name in ("pipe", "device"):
        (store.root / name).mkdir()
    os.mkfifo(store.root / "pipe" / "session.json")
    (store.root / "device" / "session.json").symlink_to("/dev/zero")
    for name in ("config.toml", "metrics.jsonl", "events.log"):
        os.mkfifo(store.root / "good" / name)
    assert {record.id: record.status for record in store.list()} == {
        "device": "damaged",
        "good": "unsaved",
        "pipe": "damaged",
    }
    session = store.get("good")
    for read in (session.metrics.read, session.events, lambda: session.config_text):
        with pytest.raises(SessionError, match=r"it is not a plain file|no history"):
            read()


@pytest.mark.parametrize("seconds", [-1e11, 1e12])
def test_a_folder_of_no_time_is_listed(store: Store, seconds: float) -> None:
    (store.root / "empty").mkdir(parents=True)
    try:
        os.utime(store.root / "empty", (seconds, seconds))
    except (OSError, OverflowError):
        pytest.skip("this file system keeps no such time")
    assert [record.status for record in store.list()] == ["damaged"]


def test_names_that_are_no_text_are_no_sessions(store: Store) -> None:
    write(store, "good", {})
    (store.root / os.fsdecode(b"caf\xe9")).mkdir()
    assert [record.id for record in store.list()] == ["good"]


def test_a_folder_that_cannot_be_read_is_said(store: Store, make_checkpoint, monkeypatch) -> None:
    with store.create("", "six") as session:
        session.save(make_checkpoint(1))
    whole = Path.iterdir

    def refused(path: Path) -> object:
        if path.name == "checkpoints":
            raise PermissionError(13, "Permission denied", str(path))
        return whole(path)

    monkeypatch.setattr(Path, "iterdir", refused)
    for read in (session.load, session.checkpoints):
        with pytest.raises(SessionError, match=r"cannot read the checkpoints of .*: Permission denied"):
            read()


def test_latest_is_a_session_that_can_go_on(store: Store, make_checkpoint) -> None:
    with store.create("", "six") as good:
        good.save(make_checkpoint(1))
    with store.create("", "six") as killed:
        killed.update(status="running")
        assert store.resolve("latest") == killed.id  # it runs
    assert store.get(killed.id).status == "unsaved"
    assert store.resolve("latest") == good.id
    with pytest.raises(SessionError, match=r"ended before anything was saved.*anew: .*config\.toml"):
        store.get(killed.id).load()


def test_what_a_crash_left_of_a_session_in_the_making_is_removed_with_a_word(store: Store) -> None:
    for name in (".new-20260101-000000-six-abcd", ".import-20260101-000000-six-abcd"):
        (store.root / name / "checkpoints").mkdir(parents=True)
        (store.root / name / RUN_LOCK).touch()
    (store.root / ".new-just-begun").mkdir()
    with store.create("", "six") as session:
        pass
    assert sorted(path.name for path in store.root.iterdir()) == sorted([".new-just-begun", session.id])
    assert [event.message.split(":")[0] for event in session.events()] == [
        "removed .import-20260101-000000-six-abcd",
        "removed .new-20260101-000000-six-abcd",
    ]


def test_a_file_system_without_locks_at_all_is_named(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.create("", "six") as held:
        pass

    def missing(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", missing)
    with pytest.raises(SessionError, match=f"cannot lock session 2.*: {os.strerror(errno.ENOSYS)}"):
        store.create("", "six")
    assert [path.name for path in store.root.iterdir()] == [held.id]
    assert store.list()[0].status == "unsaved"  # and is not taken for one that runs


@pytest.mark.parametrize("error", [OSError(37, "No locks available"), OSError(95, "Operation not supported")])
def test_where_nothing_can_be_locked_a_remedy_is_named_and_nothing_left(
    store: Store, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(FileLock, "acquire", refused)
    with pytest.raises(SessionError, match=f"cannot lock .*: {error.strerror}.* on a local disk"):
        store.create("", "six")
    assert list(store.root.iterdir()) == []


def test_a_figure_that_is_no_number_is_recorded_as_none(store: Store) -> None:
    with store.create("", "six") as session:
        session.update(summary={"loss": float("nan"), "eval": {"x": [float("inf")]}})
    assert store.get(session.id).record.summary == {"loss": None, "eval": {"x": [None]}}
