"""A session as one file: it comes back as it was, and no file can reach outside or fill the disk."""

from __future__ import annotations

import random
import shutil
import stat
import warnings
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from trm_engine.errors import ResourceError, SessionError, TrmError, UsageError
from trm_engine.sessions import archive
from trm_engine.sessions.checkpoints.checkpoint import Checkpoint
from trm_engine.sessions.store import Store

TOML = "[train]\nsteps = 10\n"


@pytest.fixture
def session_id(store: Store, make_checkpoint: Callable[..., Checkpoint]) -> str:
    with store.create(TOML, "sudoku-4x4", name="mine") as session:
        session.metrics.append({"step": 1})
        session.log("info", "started")
        session.save(make_checkpoint(1), best_score=0.5)
        return session.id


@pytest.fixture
def exported(store: Store, session_id: str, tmp_path: Path) -> Path:
    file = tmp_path / "session.zip"
    store.export(session_id, file)
    return file


@pytest.fixture
def other(tmp_path: Path, faulty_disk) -> Store:
    return Store(tmp_path / "other" / "sessions", faulty_disk())


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def rewrite(file: Path, change: Callable[[ZipFile], None], without: str = "") -> None:
    """Copy an archive, but for one member, and change the copy."""
    with ZipFile(file) as old:
        members = [(info, old.read(info)) for info in old.infolist()]
    with ZipFile(file, "w", ZIP_DEFLATED) as new:
        for info, data in members:
            if not without or not info.filename.endswith(without):
                new.writestr(info, data)
        change(new)


def refused(store: Store, file: Path) -> str:
    """Import a file that must be refused; return what is said, when it has left nothing behind."""
    with pytest.raises(SessionError) as caught:
        store.import_archive(file)
    assert list(store.root.iterdir()) == []
    assert [path.name for path in store.root.parent.iterdir()] == ["sessions"]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_session_comes_back_as_it_was(store: Store, session_id: str, exported: Path, other: Store) -> None:
    assert other.import_archive(exported) == session_id
    assert contents(other.root / session_id) == contents(store.root / session_id)
    with other.open("mine") as session:
        assert session.load()[0].step == 1
        assert session.metrics.read() == [{"step": 1}]


def test_the_same_session_gives_the_same_archive(
    store: Store, session_id: str, exported: Path, tmp_path: Path
) -> None:
    store.export(session_id, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == exported.read_bytes()


def test_locks_links_and_foreign_files_stay_behind(store: Store, session_id: str, tmp_path: Path) -> None:
    folder = store.root / session_id
    (tmp_path / "secret").write_text("secret")
    (folder / "notes.txt").write_text("mine")
    shutil.rmtree(folder / "history")
    (folder / "history").symlink_to(tmp_path)
    (folder / "events.log").unlink()
    (folder / "events.log").symlink_to(tmp_path / "secret")
    store.export(session_id, tmp_path / "session.zip")
    with ZipFile(tmp_path / "session.zip") as found:
        assert [name.removeprefix(f"{session_id}/") for name in found.namelist()] == [
            "checkpoints/000000001/MANIFEST.json",
            "checkpoints/000000001/state.json",
            "checkpoints/000000001/state.safetensors",
            "checkpoints/000000001/weights.safetensors",
            "checkpoints/best.json",
            "config.toml",
            "metrics.jsonl",
            "session.json",
        ]


def test_an_id_that_is_taken_is_replaced_by_a_new_one(store: Store, session_id: str, exported: Path) -> None:
    second = store.import_archive(exported)
    assert second != session_id
    assert store.get(second).record.id == second
    assert second[:15] == session_id[:15]
    for known in (session_id, second):
        store.delete(known)
    assert store.import_archive(exported) not in (session_id, second)


def test_exporting_never_replaces_a_file(store: Store, session_id: str, exported: Path) -> None:
    before = exported.read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        store.export(session_id, exported)
    assert exported.read_bytes() == before


def test_exporting_where_nothing_can_be_written_leaves_nothing(
    store: Store, session_id: str, tmp_path: Path
) -> None:
    with pytest.raises(SessionError, match="cannot export"):
        store.export(session_id, tmp_path / "missing" / "x.zip")


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/evil",
        "{id}/../../evil",
        "{id}/../session.json",
        "{id}//session.json",
        "{id}/checkpoints/../../evil",
        "{id}/checkpoints/000000001/evil.pkl",
        "{id}/checkpoints/1/state.json",
        "{id}\\..\\evil",
        "{id}/.run.lock",
        "{id}/history/0001.toml/x",
        "evil/session.json",
        "{id}/\x1b[2J",
    ],
)
def test_a_member_that_is_no_file_of_a_session_is_refused(
    name: str, session_id: str, exported: Path, other: Store
) -> None:
    rewrite(exported, lambda new: new.writestr(name.format(id=session_id), b"evil"))
    message = refused(other, exported)
    assert "is not a file of a session" in message
    assert "\x1b" not in message


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_a_member_that_is_no_plain_file_is_refused(
    kind: int, session_id: str, exported: Path, other: Store
) -> None:
    info = ZipInfo(f"{session_id}/history/0002.toml")
    info.external_attr = (kind | 0o777) << 16
    rewrite(exported, lambda new: new.writestr(info, "/etc/passwd"))
    assert "is not a plain file" in refused(other, exported)


def test_a_member_that_comes_twice_is_refused(session_id: str, exported: Path, other: Store) -> None:
    def twice(new: ZipFile) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            new.writestr(f"{session_id}/config.toml", "x = 1\n")

    rewrite(exported, twice)
    assert "is not a file of a session" in refused(other, exported)


@pytest.mark.parametrize("name", ["session.json", "config.toml"])
def test_an_archive_without_the_essentials_is_refused(name: str, exported: Path, other: Store) -> None:
    rewrite(exported, lambda _: None, without=name)
    assert f"{name} is missing" in refused(other, exported)


def test_a_record_that_cannot_be_used_is_refused(session_id: str, exported: Path, other: Store) -> None:
    rewrite(exported, lambda new: new.writestr(f"{session_id}/session.json", "{"), without="session.json")
    assert "damaged" in refused(other, exported)


def test_a_text_that_unpacks_too_large_is_refused(session_id: str, exported: Path, other: Store) -> None:
    rewrite(exported, lambda new: new.writestr(f"{session_id}/history/0002.toml", b"#" * 1_000_001))
    assert "too large" in refused(other, exported)


def test_an_odd_packing_is_refused(session_id: str, exported: Path, other: Store) -> None:
    rewrite(exported, lambda new: new.writestr(f"{session_id}/history/0002.toml", "", ZIP_BZIP2))
    assert "unsupported compression" in refused(other, exported)


def test_an_archive_that_unpacks_too_large_is_refused(
    exported: Path, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 1000)
    assert "at most 1.0 kB" in refused(other, exported)


def test_an_archive_that_does_not_fit_on_the_disk_is_refused(
    exported: Path, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive.Disk, "free_bytes", lambda *_: 1000)
    with pytest.raises(ResourceError, match=r"has 1\.0 kB free"):
        other.import_archive(exported)
    assert list(other.root.iterdir()) == []


def test_an_import_leaves_some_of_the_disk_free(
    exported: Path, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ZipFile(exported) as opened:
        needed = sum(info.file_size for info in opened.infolist())
    monkeypatch.setattr(archive.Disk, "free_bytes", lambda *_: needed + archive.RESERVE_BYTES - 1)
    with pytest.raises(ResourceError, match="of which 268 MB are left: free some"):
        other.import_archive(exported)
    monkeypatch.setattr(archive.Disk, "free_bytes", lambda *_: needed + archive.RESERVE_BYTES)
    assert other.import_archive(exported)


@pytest.mark.parametrize("name", ["metrics.jsonl", "events.log", "checkpoints/000000001/weights.safetensors"])
def test_an_archive_that_unpacks_to_a_multiple_of_itself_is_refused(
    session_id: str, exported: Path, other: Store, name: str
) -> None:
    zeros = bytes(archive.RATIO_FREE_BYTES * 2)
    rewrite(exported, lambda new: new.writestr(f"{session_id}/{name}", zeros), without=name)
    assert "no session shrinks to less than a 100th" in refused(other, exported)


def test_an_import_that_was_killed_does_not_hinder_the_next(
    session_id: str, exported: Path, other: Store
) -> None:
    (other.root / f".import-{session_id}").mkdir(parents=True)
    (other.root / f".import-{session_id}" / "config.toml").write_text("half")
    other.import_archive(exported)
    assert [path.name for path in other.root.iterdir()] == [session_id]


def test_an_archive_with_too_many_files_is_refused(
    exported: Path, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_FILES", 3)
    assert "at most 3" in refused(other, exported)


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + b"\0" * 18, b"no archive at all", b"\x1f\x8b\x08"])
def test_a_file_that_is_no_archive_is_refused(content: bytes, tmp_path: Path, other: Store) -> None:
    (tmp_path / "file.zip").write_bytes(content)
    assert "file.zip" in refused(other, tmp_path / "file.zip")


def test_a_missing_file_is_said(tmp_path: Path, other: Store) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        other.import_archive(tmp_path / "none.zip")


def test_a_changed_byte_is_refused_or_harmless(
    store: Store, session_id: str, exported: Path, tmp_path: Path, faulty_disk
) -> None:
    """Check that it is an error for people, or hit a flag or a date that nobody reads."""
    sound, wanted = exported.read_bytes(), contents(store.root / session_id)
    rng = random.Random(7)
    for place in rng.sample(range(len(sound)), 150):
        data = bytearray(sound)
        data[place] ^= 1 << rng.randrange(8)
        exported.write_bytes(data)
        shutil.rmtree(tmp_path / "other", ignore_errors=True)
        other = Store(tmp_path / "other", faulty_disk())
        try:
            found = other.import_archive(exported)
        except TrmError:
            assert list(other.root.iterdir()) == []
        else:
            assert contents(other.root / found) == wanted
