"""Files that are written whole: the new one, or the old one, and nothing beside it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from trm_engine.errors import UsageError
from trm_engine.files import whole_file


def test_a_file_takes_its_place_when_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with whole_file(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with suppress(ZeroDivisionError), whole_file(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("link", [False, True])
def test_where_nothing_is_to_be_replaced_what_exists_is_refused(tmp_path: Path, link: bool) -> None:
    path = tmp_path / "file"
    if link:
        path.symlink_to(tmp_path / "nowhere")
    else:
        path.write_text("old")
    with pytest.raises(UsageError, match="exists already"), whole_file(path, replace=False):
        pytest.fail("it began")


def test_two_writers_of_one_file_have_names_of_their_own(tmp_path: Path) -> None:
    with whole_file(tmp_path / "file") as one, whole_file(tmp_path / "file") as other:
        assert one != other
        one.write_text("1")
        other.write_text("2")
    assert (tmp_path / "file").read_text() == "1"
