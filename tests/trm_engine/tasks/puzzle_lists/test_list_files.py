"""What a person hands over as a list: pipes that bring nothing or too much, stdin, encodings."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from trm_engine.errors import UsageError
from trm_engine.tasks.puzzle_lists.columns import Names, find_columns
from trm_engine.tasks.puzzle_lists.files import decoded, is_pipe, readable


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_a_pipe_without_a_writer_is_not_waited_for_for_ever(pipe: Path) -> None:
    with (
        pytest.raises(
            UsageError, match=r"is a pipe through which nothing came for 0\.05 s; save it as a file"
        ),
        readable(pipe, patience=0.05),
    ):
        pytest.fail("it was opened")


def test_what_a_pipe_brings_is_bounded() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"1" * 1000)
    os.close(writing)
    try:
        with (
            pytest.raises(UsageError, match="brings more than 999 B; save it as a file"),
            readable(Path(f"/dev/fd/{reading}"), most=999),
        ):
            pytest.fail("it was opened")
    finally:
        os.close(reading)


def test_an_endless_device_is_bounded() -> None:
    with pytest.raises(UsageError, match=r"brings more than"), readable(Path("/dev/zero"), most=10**7):
        pytest.fail("it was opened")


def test_an_empty_device_is_an_empty_list() -> None:
    with readable(Path(os.devnull)) as file:
        assert file.path.read_bytes() == b""


def test_stdin_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("12.4\r\n".encode("utf-16"))))
    with readable(Path("-")) as file:
        assert (file.name, file.path.read_bytes()) == ("-", b"12.4\n")


def test_the_same_file_is_read_where_it_is_text_already(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"12.4\r\n")
    with readable(tmp_path / "list.txt") as file:
        assert file.path == tmp_path / "list.txt"


def test_what_is_written_for_reading_is_gone_afterwards(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"1\r2\r")
    with readable(tmp_path / "list.txt") as file:
        assert file.path.read_bytes() == b"1\n2\n"
    assert not file.path.exists()


def test_files_and_folders_are_no_pipes(tmp_path: Path, pipe: Path) -> None:
    (tmp_path / "list.txt").write_text("")
    assert [is_pipe(path) for path in (tmp_path, tmp_path / "list.txt", pipe, Path("-"))] == [
        *(False, False),
        *(True, True),
    ]


@pytest.mark.parametrize("raw", ["12\n".encode("utf-8-sig"), "12\r\n".encode("utf-16"), b"12\r", b"12\n"])
def test_a_puzzle_that_was_pasted_is_text_whatever_its_encoding(raw: bytes) -> None:
    assert decoded(raw) == "12\n"


def test_a_puzzle_that_is_compressed_is_named() -> None:
    with pytest.raises(UsageError, match="is compressed"):
        decoded(b"\x1f\x8b\x08\x00")


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("puzzle,solution", (",", 0, 1)),
        ("\ufeffPuzzle;Solution", (";", 0, 1)),
        ("id\tQuizzes\tSolutions", ("\t", 1, 2)),
        ("puzzle|solution", ("|", 0, 1)),
        ("solution:puzzle", (":", 1, 0)),
        ('"Initial Board","Solved-Board"', (",", 0, 1)),
        ("question", (",", 0, None)),
        ("Puzzle: hard", None),
        ("a,b", None),
        ("", None),
    ],
)
def test_a_header_names_its_columns(header: str, found: tuple[str, int, int | None] | None) -> None:
    columns = find_columns(header, Names())
    assert (columns and (columns.separator, columns.puzzle, columns.solution)) == found
