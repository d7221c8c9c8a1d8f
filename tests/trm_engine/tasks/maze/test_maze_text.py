"""How mazes are written and read: spaces are cells, frames are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trm_engine.errors import UsageError
from trm_engine.tasks.maze.text import GOAL, OPEN, PATH, START, WALL, grid, line, parse, render

MAZE = "S # #   # G"[:4] + "  #   G "  # 3 rows of 4
TOKENS = parse(3, 4, MAZE)


def test_cells_have_the_published_tokens():
    assert parse(2, 2, "# SG").tolist() == [1, 2, 3, 4]
    assert (WALL, OPEN, START, GOAL, PATH) == (1, 2, 3, 4, 5)


def test_a_line_keeps_the_spaces_at_its_ends():
    assert line(TOKENS) == MAZE
    assert line(TOKENS).endswith(" ")


def test_points_are_open_cells_too():
    assert (parse(3, 4, MAZE.replace(" ", ".")) == TOKENS).all()


@given(st.integers(2, 6), st.integers(2, 6), st.integers(0, 10_000))
def test_what_is_drawn_can_be_read(rows, cols, seed):
    rng = np.random.default_rng(seed)
    tokens = rng.integers(WALL, OPEN + 1, rows * cols, dtype=np.uint8)
    start, goal = rng.permutation(rows * cols)[:2]
    tokens[start], tokens[goal] = START, GOAL
    for written in (line(tokens), render(tokens, cols), "\n".join(map("".join, grid(tokens, cols))) + "\n"):
        assert (parse(rows, cols, written) == tokens).all()


def test_a_drawing_is_framed_and_twice_as_wide_as_high():
    assert render([1, 2, 3, 4, 5, 1], 3) == "┌──────┐\n│██  S │\n│G o ██│\n└──────┘"


def test_a_path_reads_as_open_cells():
    assert parse(2, 2, "Soo" + "G").tolist() == [START, OPEN, OPEN, GOAL]


def test_tokens_that_are_no_cell_show_as_a_question():
    assert line([0, 1, 9]) == "?#?"
    assert "? " in render([0, 1, 3, 4], 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("S #G ", "5 cells on its line; 3×4 has 12"),
        ("S  #\nG  #", "2 rows"),
        ("S  #\nG #\n    ", "row 2 of the maze has 3 cells instead of 4"),
        ("S  #Gx######", 'row 2, column 2 of the maze is "x"'),
        ("S  #G SS####", "3 cells that are a start"),
        ("S  #  ######", "0 cells that are a goal"),
        ("S" * 100_000, "100000 characters long"),
        ("", "0 cells on its line"),
    ],
)
def test_what_is_no_maze_is_refused_with_the_reason(text, words):
    with pytest.raises(UsageError, match=words):
        parse(3, 4, text)


def test_hostile_symbols_are_not_repeated():
    with pytest.raises(UsageError) as caught:
        parse(2, 2, "S\x1b G")
    assert "\x1b" not in str(caught.value)
