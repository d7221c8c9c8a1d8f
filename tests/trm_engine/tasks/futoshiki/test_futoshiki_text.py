"""The notations of Futoshiki say the same puzzle; what is wrong with an answer is named and marked."""

from __future__ import annotations

import numpy as np
import pytest

from trm_engine.errors import UsageError
from trm_engine.tasks import build_puzzles
from trm_engine.tasks.futoshiki.board import Board
from trm_engine.tasks.futoshiki.config import FutoshikiConfig
from trm_engine.tasks.futoshiki.text import line, read, render

BOARD = Board(3)
# 1 in the corner, less on its right; the last row's middle is greater than its left and than what is above.
DRAWN = """\
1 < .   .
        v
.   .   .
    ^    \n\
. < .   3"""
LINE = "1<.-." + "----v" + ".-.-." + "--^--" + ".<.-3"


@pytest.mark.parametrize(
    "text",
    [
        LINE,
        DRAWN,
        DRAWN.replace(".", "_").replace("^", "∧").replace("v", "∨") + "\n\n",
        "1<. .\n    v\n. . .\n  ^\n.<. 3",
        "3:1,0L,0D,0,0,0,0,0LU,3",
        "3:1,0L,0D,0,0,0,0,0LU,3,",
        "3dk:1,0L,0D,0,0,0,0,0LU,3",
    ],
)
def test_every_notation_reads_as_the_same_puzzle(text):
    assert line(BOARD, read(BOARD, text.replace("_", "."))) == LINE
    assert line(BOARD, read(BOARD, text)) == LINE


def test_what_is_written_is_read_back():
    tokens = read(BOARD, LINE)
    assert read(BOARD, render(BOARD, tokens)).tolist() == tokens.tolist()
    assert render(BOARD, tokens).splitlines()[0] == "1 < .   ."
    assert line(BOARD, [0, 99]) == "??"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (LINE[:-1], "has 24 symbols on its line; a 3×3 grid is drawn in 5 lines of 5 symbols"),
        (LINE.replace("3", "4"), 'row 3, column 3 of the puzzle is "4"'),
        (LINE.replace("1<", "1^"), 'the sign right of row 1, column 1 of the puzzle is "^"'),
        (LINE.replace("v", "<"), 'the sign below row 1, column 3 of the puzzle is "<"'),
        (DRAWN + "\n.", "has 6 lines"),
        ("1\n2\n3\n4\n" + "1" * 20, "a line of the puzzle has 10 symbols"),
        ("4:0,0", "the puzzle is 4×4; this task's are 3×3"),
        ("3#123", "random seed of a game"),
        ("3a:0,0", "a game of Adjacent"),
        ("3:1,0", "has 2 cells; a 3×3 grid has 9"),
        ("3:1,0,0,0,0,0,0,0,4", 'cell 9 of the puzzle is "4"'),
        ("3:1,0,0,0,0,0,0,0,0R", "cell 9 of the puzzle has no neighbour on the side R"),
        ("3:1U,0,0,0,0,0,0,0,0", "cell 1 of the puzzle has no neighbour on the side U"),
    ],
)
def test_what_is_no_puzzle_is_refused_with_the_reason(text, words):
    with pytest.raises(UsageError) as caught:
        read(BOARD, text)
    assert words in str(caught.value)


SIGN = "the sign right of row 1, column 1"


# --- the rules --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def task():
    return build_puzzles(FutoshikiConfig(size=3, train_size=20, test_size=8))


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("1<.-.|----v|.-.-.|--^--|.<.-3", ((2,), "row 1, column 2 holds no digit")),
        ("2<3-1|----v|3-1-2|--^--|1<2-3", ((0,), "row 1, column 1 is not as the puzzle has it")),
        ("1-3-2|----v|3-2-1|--^--|1<2-3", ((1,), f"{SIGN} is not as the puzzle has it")),
        ("1<2-2|----v|.-.-.|--^--|.<.-3", ((2, 4), "2 appears 2 times in row 1")),
        ("1<.-.|----v|1-.-.|--^--|.<.-3", ((0, 10), "1 appears 2 times in column 1")),
        ("1<.-2|----v|.-.-3|--^--|.<.-3", ((4, 9, 14), "the sign below row 1, column 3 is not met")),
        ("1<.-.|----v|.-2-.|--^--|2<1-3", ((20, 21, 22), "the sign right of row 3, column 1 is not met")),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_named_and_marked(task, answer, fault):
    puzzle = task.parse(LINE)
    wrong = task.read(answer.replace("|", ""))
    assert fault in [*map(tuple, task.faults(puzzle, wrong))]
    assert not task.check(puzzle, wrong).solved
    assert not task.solved(puzzle[None], wrong[None])[0]


def test_a_puzzle_with_what_cannot_stand_there_is_faulty(task):
    puzzle = task.parse(LINE).copy()
    assert task.faults_of_puzzle(puzzle) == []
    puzzle[0] = BOARD.no_sign
    puzzle[1] = 2
    assert [fault.cells for fault in task.faults_of_puzzle(puzzle)] == [(0,), (1,)]
    assert task.faults_of_puzzle(np.full(25, 200, np.uint8))[0].cells == (0,)


def test_no_test_puzzle_is_an_image_of_a_training_puzzle(task):
    train, test = (set(task.images.hashes(part.inputs).tolist()) for part in (task.train, task.test))
    assert (len(train), len(test)) == (20, 8)
    assert not train & test
    assert "counted from above" in task.facts["unseen"]
