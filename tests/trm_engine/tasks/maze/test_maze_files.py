"""Lists of mazes: the Hub's CSV and plain text, and what is said of those that are not sound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trm_engine.errors import UsageError
from trm_engine.tasks.maze import files
from trm_engine.tasks.maze.files import read_list
from trm_engine.tasks.maze.rules import Shape
from trm_engine.tasks.maze.text import line

SHAPE = Shape(3, 3)
# Both begin or end with open cells; the second has several shortest paths.
MAZE, ANSWER = "  S ##  G", "ooSo##ooG"
OPEN, DOWN_FIRST = "S       G", "S  o  ooG"
HUB = "source,question,answer,rating\n"

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(text: str) -> Path:
        path = tmp_path / "mazes.csv"
        path.write_bytes(text.encode())
        return path

    return make


def rows(path: Path, **options: bool) -> list[tuple[str, str]]:
    found = read_list(SHAPE, path, **options)
    return [(line(a), line(b)) for a, b in zip(found.inputs, found.labels, strict=True)]


def test_the_layout_of_the_hub_is_read_with_all_its_spaces(write):
    assert rows(write(HUB + f",{MAZE},{ANSWER},7\n,{OPEN},{DOWN_FIRST},5\n")) == [
        (MAZE, ANSWER),
        (OPEN, DOWN_FIRST),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("between", [" ", ",", ";", "\t"])
def test_a_line_of_text_holds_a_maze_and_its_answer(write, end, between):
    assert rows(write(f"{MAZE}{between}{ANSWER}{end}{end}{OPEN}{between}{DOWN_FIRST}")) == [
        (MAZE, ANSWER),
        (OPEN, DOWN_FIRST),
    ]


def test_a_missing_answer_is_found(write):
    assert rows(write(f"{MAZE}\n{OPEN}\n")) == [(MAZE, ANSWER), (OPEN, DOWN_FIRST)]
    assert rows(write(f"maze\n{MAZE}\n")) == [(MAZE, ANSWER)]
    assert rows(write(HUB + f",{OPEN},,\n")) == [(OPEN, DOWN_FIRST)]


def test_any_shortest_path_is_a_sound_answer(write):
    assert rows(write(f"{OPEN} Soo  o  G\n")) == [(OPEN, "Soo  o  G")]


def test_walls_at_the_beginning_of_a_line_are_no_comment(write):
    assert rows(write("###S  ##G\n")) == [("###S  ##G", "###Soo##G")]


def test_uniqueness_is_asked_for(write):
    assert rows(write(f"{MAZE}\n"), check_unique=True)
    with pytest.raises(UsageError, match="line 2: the maze has more than one shortest path"):
        rows(write(f"{MAZE}\n{OPEN}\n"), check_unique=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no mazes"),
        (HUB, "holds no mazes"),
        (f"{MAZE}x\n", "line 1: has 10 characters"),
        (HUB + f",{MAZE[1:]},{ANSWER},7\n", "line 2: the maze has 8 cells; a 3×3 maze has 9"),
        (HUB + f",{MAZE},{ANSWER[1:]},7\n", "line 2: the answer has 8 cells"),
        (HUB + f",{MAZE}\n", "line 2: has 2 columns"),
        (f"{MAZE[:-1]}x\n", 'line 1: row 3, column 3 of the maze is "x"'),
        (f"{MAZE} {ANSWER[:-1]}é\n", 'line 1: row 3, column 3 of the answer is "é"'),
        ("S        \n", "line 1: the maze has 0 goals"),
        ("SSG      \n", "line 1: the maze has 2 starts"),
        ("S ####  G\n", "line 1: no path leads"),
        (f"{MAZE} {MAZE}\n", "line 1: the answer is no path: it breaks off at row 1, column 3"),
        (f"{OPEN} Soo###ooG\n", "line 1: the answer changes an open cell to a wall"),
        (f"{MAZE}\n" + "#" * 9000, "line 2: is longer than 8192 bytes"),
        ('question\n"' + MAZE, "line 2: is not valid CSV: unexpected end of data"),
    ],
)
def test_what_is_not_sound_is_named_with_its_line(write, text, words):
    path = write(text)
    with pytest.raises(UsageError, match=words) as caught:
        rows(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_longer_answer_is_refused(write):
    with pytest.raises(UsageError, match="the answer is a path, but 2 cells longer than the shortest"):
        rows(write("S G       S Gooo   \n"))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"gone\.csv: cannot be read"):
        read_list(SHAPE, tmp_path / "gone.csv")


def test_a_file_beyond_any_list_is_refused_before_it_is_read(write, monkeypatch):
    monkeypatch.setattr(files, "_BOUNDS", files._BOUNDS._replace(file=5))
    with pytest.raises(UsageError, match="is larger than 5 B"):
        rows(write(f"{MAZE}\n"))


@given(data=st.binary(max_size=200))
def test_whatever_a_file_holds_it_is_mazes_or_a_clear_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "mazes.csv"
    path.write_bytes(data)
    with pytest.raises(UsageError):
        read_list(Shape(15, 15), path)
