"""The notations of Light Up say the same puzzle, and what is none is refused with the reason."""

from __future__ import annotations

import numpy as np
import pytest

from trm_engine.errors import UsageError
from trm_engine.tasks.light_up.light import Shape
from trm_engine.tasks.light_up.text import line, parse, read, render

SHAPE = Shape(3, 4)
CELLS = "1..##...2..0"
TOKENS = [5, 1, 1, 3, 3, 1, 1, 1, 6, 1, 1, 4]


@pytest.mark.parametrize(
    "text",
    [
        CELLS,
        "1 . . #\n# . . .\n2 . . 0",
        "| 1 - - x |\r\n| X - - - |\r\n| 2 - - 0 |\n",
        "1__B\n█···\n2__0",
        "4x3:1bBBc2b0",
        "4x3b20s4d0:1bBBc2b0",
        "https://puzz.link/p?akari/4/3/b..ic0",
        "http://pzv.jp/p.html?lightup/4/3/1h..i2h0",
        "akari/4/3/b..ic0",
    ],
)
def test_every_notation_reads_as_the_same_puzzle(text):
    assert parse(SHAPE, text).tolist() == TOKENS


def test_open_cells_at_the_end_may_be_left_out_of_an_address():
    assert parse(SHAPE, "akari/4/3/.").tolist() == [3] + [1] * 11
    assert parse(SHAPE, "akari/4/3/").tolist() == [1] * 12


def test_a_solution_is_read_with_its_bulbs_and_a_puzzle_without():
    solution = "1*.##.*.2*.0"
    assert read(SHAPE, solution).tolist() == [5, 2, 1, 3, 3, 1, 2, 1, 6, 2, 1, 4]
    assert parse(SHAPE, solution).tolist() == TOKENS
    assert read(SHAPE, "1L.##.o.2O.0").tolist() == read(SHAPE, solution).tolist()


def test_what_is_written_is_read_back():
    tokens = np.array([5, 2, 1, 3, 3, 1, 2, 1, 6, 2, 1, 8])
    assert read(SHAPE, line(tokens)).tolist() == tokens.tolist()
    assert read(SHAPE, render(SHAPE, tokens)).tolist() == tokens.tolist()
    assert line([0, 9]) == "??"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1..##...2..", "has 11 cells; a 3×4 grid has 12"),
        ("1..##...2..5", 'row 3, column 4 of the puzzle is "5": a cell is'),
        ("4x4:1b", "has 4 rows of 4 cells; this task's are 3×4"),
        ("3x4:1b", "has 4 rows of 3 cells"),
        ("4x3#123", "random seed of a game"),
        ("4x3:1b5", 'the game holds "5"'),
        ("4x3:zzz", "has 78 cells"),
        ("akari/5/3/1", "has 3 rows of 5 cells"),
        ("akari/4/3/1f", 'holds an "f"'),
        ("akari/4/3/zz", "has 40 cells"),
    ],
)
def test_what_is_no_puzzle_is_refused_with_the_reason(text, words):
    with pytest.raises(UsageError) as caught:
        parse(SHAPE, text)
    assert words in str(caught.value)
