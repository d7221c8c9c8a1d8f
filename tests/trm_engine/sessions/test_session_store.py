"""The store: making, finding, opening, marking, deleting and restoring sessions."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import trm_engine
from trm_engine.errors import ResourceError, SessionError, UsageError
from trm_engine.paths import sessions_folder
from trm_engine.sessions import store as store_module
from trm_engine.sessions.checkpoints.checkpoint import Checkpoint
from trm_engine.sessions.record import Parent
from trm_engine.sessions.store import Store

TOML = "[train]\nsteps = 10\n"


def make(store: Store, preset: str = "sudoku-4x4", **fields: object) -> str:
    with store.create(TOML, preset, **fields) as session:
        return session.id


def copy_as(store: Store, source: str, target: str) -> None:
    shutil.copytree(store.root / source, store.root / target)


def test_a_new_session_is_whole_and_open(store: Store) -> None:
    parent = Parent(session="20260101-000000-a-bcde", step=5, how="extended")
    with store.create(
        TOML, "Sudoku.toml", name="first", tags=["b", "a"], task="sudoku", parent=parent
    ) as session:
        assert session.record.preset == "Sudoku.toml"
        assert (session.record.name, session.record.tags, session.record.task) == (
            "first",
            ("a", "b"),
            "sudoku",
        )
        assert session.record.parent == parent
        assert session.record.versions.keys() == {"python", "torch", "numpy", "trm-tui"}
        assert session.status == "created"
        assert session.config_text == TOML
        assert [(entry.step, entry.config_toml) for entry in session.history.entries()] == [(0, TOML)]
        assert session.checkpoints() == []
        with pytest.raises(SessionError, match=f"in use by process {os.getpid()}"):
            store.open(session.id)
    store.open(session.id).close()


def test_making_one_fails_whole(tmp_path: Path, faulty_disk) -> None:
    disk = faulty_disk()
    make(Store(tmp_path / "counted", disk))
    for k in range(1, disk.operations):
        store = Store(tmp_path / f"fault-{k}", faulty_disk(k))
        with pytest.raises(SessionError, match="cannot make a session"):
            make(store)
        assert list(store.root.iterdir()) == []


def test_a_session_without_its_checkpoints_folder_can_save(
    store: Store, make_checkpoint: Callable[..., Checkpoint]
) -> None:
    session_id = make(store)
    (store.root / session_id / "checkpoints").rmdir()
    with store.open(session_id) as session:
        session.save(make_checkpoint(1))
        assert [info.step for info in session.checkpoints()] == [1]


def test_a_session_without_its_configuration_has_its_history(store: Store) -> None:
    session_id = make(store)
    (store.root / session_id / "config.toml").unlink()
    assert store.config_text(session_id) == TOML
    (store.root / session_id / "history" / "0001.toml").unlink()
    with pytest.raises(SessionError, match=r"is damaged: config\.toml cannot be used .* no history"):
        store.config_text(session_id)


def test_a_configuration_changes_with_its_history(store: Store) -> None:
    with store.create(TOML, "a") as session:
        session.configure("[train]\nsteps = 20\n", 10, "extended")
        assert session.config_text == "[train]\nsteps = 20\n"
        assert [entry.reason for entry in session.history.entries()] == ["created", "extended"]


def test_only_the_holder_of_the_lock_may_save(
    store: Store, make_checkpoint: Callable[..., Checkpoint]
) -> None:
    with store.create(TOML, "a") as session:
        session.save(make_checkpoint(1), best_score=0.5)
        assert session.best is not None
        reader = store.get(session.id)
        assert reader.load()[0].step == 1
        with pytest.raises(RuntimeError, match="not open for a run"):
            reader.save(make_checkpoint(2))
        with pytest.raises(RuntimeError, match="not open for a run"):
            reader.configure(TOML, 0, "x")
    with pytest.raises(RuntimeError, match="not open for a run"):
        session.save(make_checkpoint(2))


def test_opening_tidies_what_a_killed_save_has_left(
    store: Store, make_checkpoint: Callable[..., Checkpoint]
) -> None:
    with store.create(TOML, "a") as session:
        session.save(make_checkpoint(1))
    folder = session.path / "checkpoints"
    shutil.copytree(folder / "000000001", folder / ".new-000000002")
    (folder / "000000001").rename(folder / ".old-000000001")
    with store.open(session.id):
        assert [path.name for path in folder.iterdir()] == ["000000001"]


def test_a_run_that_nobody_runs_is_interrupted(store: Store, make_checkpoint) -> None:
    with store.create(TOML, "a") as session:
        session.save(make_checkpoint(1))
        for status in ("running", "paused"):
            session.update(status=status)
            assert store.get(session.id).status == store.list()[0].status == status
    assert store.get(session.id).status == store.list()[0].status == "interrupted"
    assert store.get(session.id).record.status == "paused"


def test_two_that_change_the_record_keep_each_others_changes(store: Store) -> None:
    with store.create(TOML, "a") as running:
        store.tag(running.id, "good", "6x6")
        store.note(running.id, "look at this")
        running.update(status="completed", summary={"steps": 10})
        store.untag(running.id, "good", "never-there")
        store.rename(running.id, "a name")
    record = store.get(running.id).record
    assert (record.status, record.tags, record.note, record.name) == (
        "completed",
        ("6x6",),
        "look at this",
        "a name",
    )


def test_bad_tags_and_names_change_nothing(store: Store) -> None:
    session_id = make(store)
    with pytest.raises(UsageError):
        store.tag(session_id, "fine", "not fine")
    with pytest.raises(UsageError):
        store.rename(session_id, "latest")
    with pytest.raises(UsageError):
        make(store, tags=["not fine"])
    assert [(record.tags, record.name) for record in store.list()] == [((), "")]


def test_a_session_is_found_by_id_prefix_name_and_latest(store: Store) -> None:
    first = make(store, "aaa", name="the one")
    second = make(store, "bbb")
    for name in ("20250101-000000-old-abcd", "20240101-000000-old-abcd"):
        copy_as(store, first, name)
        store.rename(name, "twin")
    assert store.resolve(second) == second
    assert store.resolve("the one") == first
    assert store.resolve("2024") == "20240101-000000-old-abcd"
    assert store.resolve("latest") == second
    with pytest.raises(SessionError, match=r'"twin" means 2 sessions: 20240101-000000-old-abcd, 2025'):
        store.resolve("twin")
    with pytest.raises(SessionError, match='"20" means 4 sessions'):
        store.resolve("20")


def test_a_session_that_does_not_exist_is_named_with_the_nearest(store: Store) -> None:
    make(store, name="sudoku-run")
    with pytest.raises(SessionError, match=r'no session "sudoko-run".* Did you mean "sudoku-run"'):
        store.resolve("sudoko-run")
    with pytest.raises(SessionError, match="sessions list"):
        store.resolve("§§§")


def test_an_empty_store_says_that_there_is_no_session(store: Store) -> None:
    assert store.list() == []
    assert store.trash() == []
    for ref in ("latest", "abc", ""):
        with pytest.raises(SessionError, match="there is no session"):
            store.get(ref)


def test_a_damaged_session_is_listed_and_hinders_no_other(store: Store) -> None:
    damaged, sound = make(store, "aaa"), make(store, "bbb")
    (store.root / damaged / "session.json").write_text("{")
    (store.root / "empty-folder").mkdir()
    assert {record.id: record.status for record in store.list()} == {
        damaged: "damaged",
        sound: "unsaved",
        "empty-folder": "damaged",
    }
    assert store.resolve("latest") == sound
    for use in (store.get, store.open):
        with pytest.raises(SessionError, match=f"session {damaged} is damaged"):
            use(damaged)
    store.delete(damaged)
    assert damaged not in [record.id for record in store.list()]


def test_a_session_that_vanishes_while_listing_is_not_listed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = make(store)
    monkeypatch.setattr(store_module, "_ids_in", lambda _: ["20260101-000000-gone-abcd", session_id])
    assert [record.id for record in store.list()] == [session_id]


def test_what_is_no_session_is_not_listed(store: Store, tmp_path: Path) -> None:
    session_id = make(store)
    (store.root / "README.md").write_text("x")
    (store.root / "a-file").write_text("x")
    (store.root / "Upper").mkdir()
    (store.root / "link").symlink_to(store.root / session_id)
    assert [record.id for record in store.list()] == [session_id]


def test_a_deleted_session_comes_back_from_the_trash(store: Store) -> None:
    session_id = make(store, name="mine")
    assert store.delete("mine") == session_id
    assert store.list() == []
    assert [record.name for record in store.trash()] == ["mine"]
    store.restore(session_id)
    assert [record.name for record in store.list()] == ["mine"]
    assert store.trash() == []


def test_a_session_in_use_is_neither_deleted_nor_exported(store: Store, tmp_path: Path) -> None:
    with store.create(TOML, "a") as session:
        for use in (store.delete, lambda ref: store.export(ref, tmp_path / "x.zip")):
            with pytest.raises(SessionError, match="in use by"):
                use(session.id)
        assert [record.id for record in store.list()] == [session.id]
    assert not (tmp_path / "x.zip").exists()


def test_restoring_never_replaces(store: Store) -> None:
    session_id = make(store)
    store.delete(session_id)
    (store.root / session_id).mkdir()
    with pytest.raises(SessionError, match="exists already"):
        store.restore(session_id)
    assert [record.id for record in store.trash()] == [session_id]


def test_deleting_leaves_what_links_point_to(store: Store, tmp_path: Path) -> None:
    session_id = make(store)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file").write_text("precious")
    (store.root / session_id / "data").symlink_to(tmp_path / "data")
    store.delete(session_id)
    assert (tmp_path / "data" / "file").read_text() == "precious"


def test_a_trash_that_is_a_link_is_not_used(store: Store, tmp_path: Path) -> None:
    session_id = make(store)
    (tmp_path / "elsewhere").mkdir()
    (store.root / ".trash").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SessionError, match="cannot delete"):
        store.delete(session_id)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_full_disk_is_said(tmp_path: Path, faulty_disk) -> None:
    session_id = make(Store(tmp_path, faulty_disk()))
    full = Store(tmp_path, faulty_disk(1, 28, dead=True))
    with pytest.raises(ResourceError, match="cannot update the record"):
        full.note(session_id, "x")
    assert full.get(session_id).record.note == ""


def test_a_file_in_the_place_of_the_sessions_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "sessions").write_text("x")
    store = Store(tmp_path / "sessions")
    with pytest.raises(SessionError, match="cannot read the sessions folder"):
        store.list()
    with pytest.raises(SessionError, match="cannot make a session"):
        store.create(TOML, "a")


def test_the_sessions_folder_is_chosen_by_environment_then_checkout_then_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("TRM_SESSIONS_DIR", raising=False)
    assert sessions_folder().is_relative_to(tmp_path / "home")
    assert sessions_folder().parts[-2:] == ("trm-tui", "sessions")
    (tmp_path / "sessions").mkdir()
    assert sessions_folder() == Path("sessions")
    monkeypatch.setenv("TRM_SESSIONS_DIR", "~/runs")
    assert sessions_folder() == tmp_path / "home" / "runs"


def test_listing_does_not_import_torch(store: Store) -> None:
    make(store)
    code = (
        "import sys; from pathlib import Path; from trm_engine.sessions import Store\n"
        "store = Store(Path(sys.argv[1]))\n"
        "assert len(store.list()) == 1 and store.get('latest').checkpoints() == []\n"
        "assert not {'torch', 'numpy', 'safetensors'} & sys.modules.keys()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(trm_engine.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code, str(store.root)], env=environment, check=True)
