"""Lists of mazes as people have them: other signs, encodings and separators, drawings, lost spaces."""

from __future__ import annotations

from pathlib import Path

import pytest

from trm_engine.errors import UsageError
from trm_engine.tasks.maze.config import MazeConfig
from trm_engine.tasks.maze.files import read_list
from trm_engine.tasks.maze.rules import Shape
from trm_engine.tasks.maze.task import MazeTask
from trm_engine.tasks.maze.text import line, parse, render

SHAPE = Shape(4, 4)
FIRST, FIRST_SOLVED = "S   ### G   ####", "Sooo###oGooo####"
SOUND = [("S  ### ###  ###G", "Soo###o###oo###G"), (FIRST, FIRST_SOLVED)]


def drawn(maze: str) -> str:
    return "\n".join(maze[first : first + 4] for first in range(0, 16, 4)) + "\n"


def table(separator: str, header: str = "question,answer", end: str = "\n") -> str:
    rows = [header.replace(",", separator), *(separator.join(pair) for pair in SOUND)]
    return end.join([*rows, ""])


def framed(maze: str) -> str:
    return render(parse(4, 4, maze), 4) + "\n"


FORMS = {
    **{f"CSV with {separator!r}": table(separator) for separator in ",;\t|"},
    "UTF-16": table(";", end="\r\n").encode("utf-16"),
    "old Macs": table(",", end="\r"),
    "E for the goal": table(",").replace("G", "E"),
    "T for the goal": "".join(f"{a}\n" for a, _ in SOUND).replace("G", "T"),
    "F for the goal, X for the path": "".join(f"{a};{b}\n" for a, b in SOUND)
    .replace("G", "F")
    .replace("o", "X"),
    "blocks for walls": "".join(f"{a}\n" for a, _ in SOUND).replace("#", "█"),
    "maze and path": table(",", "maze,path"),
    "input and label": table(",", "input,label"),
    "drawings": "\n".join(drawn(a) for a, _ in SOUND),
    "drawings without empty lines": "".join(drawn(a) for a, _ in SOUND),
    "drawings in frames": "".join(framed(a) for a, _ in SOUND),
}


def read(folder: Path, content: str | bytes, columns: str = "") -> list[tuple[str, str]]:
    path = folder / "mazes.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = read_list(SHAPE, path, columns=columns)
    return [(line(a), line(b)) for a, b in zip(found.inputs, found.labels, strict=True)]


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_a_list_is_the_same_mazes(tmp_path: Path, content: str | bytes) -> None:
    assert read(tmp_path, content) == SOUND


def test_a_setting_names_the_columns(tmp_path: Path) -> None:
    content = table(",", "frage,antwort")
    assert read(tmp_path, content, columns="Frage,Antwort") == SOUND
    with pytest.raises(
        UsageError, match=r"\[task\] columns: the first line has no column mine; it has frage"
    ):
        read(tmp_path, content, columns="mine")


LOST = {
    "a line whose end was stripped": (f"{FIRST}\n{SOUND[0][0][:-1]}\n", "line 2: has 15"),
    "a column": (f"question\n{SOUND[0][0][:-2]}\n", "the maze has 14 cells"),
    "a row whose end was stripped": (drawn(FIRST).replace("S   ", "S"), "has 1 characters"),
    "a later row whose end was stripped": (
        drawn(FIRST).replace("G   ", "G"),
        "row 3 of the maze has 1 cells",
    ),
    "a row of spaces": (drawn("####S##G        ").replace("    \n", "\n"), "has 2 rows; a 4×4 maze has 4"),
}


@pytest.mark.parametrize(("content", "words"), LOST.values(), ids=LOST.keys())
def test_lost_spaces_are_said_to_be_lost(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(UsageError, match=r"where they get lost, write open cells as \.") as caught:
        read(tmp_path, content)
    assert words in str(caught.value)


def test_a_puzzle_to_solve_says_that_spaces_get_lost() -> None:
    task = MazeTask(MazeConfig(rows=4, cols=4, min_path=3))
    with pytest.raises(UsageError, match=r"has 3 rows; .*where they get lost, write open cells as \."):
        task.parse("S  #\n## #\n#  G\n\n")
    with pytest.raises(UsageError, match=r"0 cells that are a goal.*X is read as a path"):
        task.parse("S  X\n####\n####\n####\n")


def test_a_puzzle_to_solve_may_call_its_goal_an_end() -> None:
    task = MazeTask(MazeConfig(rows=4, cols=4, min_path=3))
    assert task.parse("S  E\n####\n####\n####\n").tolist() == task.parse("S  G############").tolist()
