"""Files that a crash leaves whole, lines that survive a torn one, and links that lead nowhere."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from trm_engine.errors import ResourceError, SessionError
from trm_engine.files import Disk, append_lines, disk_errors, read_text, remove_tree, write_atomically


@pytest.mark.parametrize("dead", [False, True], ids=["one fails", "all later fail"])
def test_a_fault_at_any_operation_leaves_the_old_file_or_the_new(
    dead: bool, tmp_path: Path, faulty_disk
) -> None:
    path = tmp_path / "record.json"
    counted = faulty_disk()
    write_atomically(counted, path, b"counted")
    for k in range(1, counted.operations + 1):
        path.write_bytes(b"old")
        with pytest.raises(OSError, match="Input/output"):
            write_atomically(faulty_disk(k, dead=dead), path, b"new")
        assert path.read_bytes() == (b"new" if k == counted.operations else b"old")
        write_atomically(faulty_disk(), path, b"later")
        assert [found.name for found in tmp_path.iterdir()] == ["record.json"]


def test_the_real_disk_does_what_a_save_asks(tmp_path: Path) -> None:
    disk = Disk()
    disk.make_folder(tmp_path / "a")
    disk.write(tmp_path / "a" / "file", [b"ab", memoryview(b"cd")])
    disk.sync(tmp_path / "a" / "file")
    disk.sync(tmp_path / "a")
    disk.rename(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b" / "file").read_bytes() == b"abcd"
    disk.remove_file(tmp_path / "b" / "file")
    disk.remove_folder(tmp_path / "b")
    assert list(tmp_path.iterdir()) == []
    assert disk.free_bytes(tmp_path) > 0


def test_writing_does_not_follow_a_link(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / "link").symlink_to("victim")
    with pytest.raises(OSError, match="symbolic links"):
        Disk().write(tmp_path / "link", [b"bad"])
    with pytest.raises(OSError, match="symbolic links"):
        append_lines(tmp_path / "link", b"bad\n")
    assert (tmp_path / "victim").read_bytes() == b"precious"


def test_removing_a_folder_leaves_what_its_links_point_to(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_bytes(b"precious")
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "folder" / "deep" / "link").symlink_to(tmp_path / "outside")
    remove_tree(Disk(), tmp_path / "folder")
    assert not (tmp_path / "folder").exists()
    assert (tmp_path / "outside" / "file").read_bytes() == b"precious"


def test_a_torn_line_is_ended_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    append_lines(path, b"one\n")
    with path.open("ab") as file:
        file.write(b"tw")
    append_lines(path, b"three\n")
    append_lines(path, b"four\n")
    assert path.read_bytes() == b"one\ntw\nthree\nfour\n"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 11)
    assert read_text(tmp_path / "file", 11) == "x" * 11
    with pytest.raises(ValueError, match="larger than 10 bytes"):
        read_text(tmp_path / "file", 10)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(errno.ENOSPC, ResourceError), (errno.EDQUOT, ResourceError), (errno.EROFS, SessionError)],
)
def test_a_failing_disk_is_said_in_one_line(code: int, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught, disk_errors("save it"):
        raise OSError(code, "no\x1b[31m luck", "file\x1b[2J")
    assert str(caught.value).startswith("cannot save it: ")
    assert "\n" not in str(caught.value)
    assert "file[2J" in str(caught.value)
