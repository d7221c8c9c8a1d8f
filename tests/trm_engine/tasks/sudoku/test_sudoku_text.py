import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trm_engine.errors import UsageError
from trm_engine.tasks.sudoku.generation.generate import random_grids
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.rules import first_fault
from trm_engine.tasks.sudoku.text import check, parse, render, to_digits, to_tokens

FOUR = Geometry(2, 2)
SOLVED = "1234341221434321"
DRAWING = """\
+-----+-----+
| 1 2 | 3 4 |
| . 3 | 1 . |
+-----+-----+
| . . | 4 . |
| . 4 | 2 . |
+-----+-----+"""


GRIDS = {
    shape: random_grids(Geometry(*shape), 1, np.random.default_rng(0))[0]
    for shape in [(1, 2), (2, 2), (2, 3), (3, 3), (3, 4), (4, 4)]
}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(GRIDS)), st.data())
def test_what_is_drawn_is_read_back(shape, data):
    geometry = Geometry(*shape)
    grid = GRIDS[shape]
    shown = data.draw(st.lists(st.booleans(), min_size=geometry.cells, max_size=geometry.cells))
    tokens = to_tokens(np.where(shown, grid, 0).astype(np.uint8))
    assert parse(geometry, render(geometry, tokens)).tolist() == tokens.tolist()


def test_a_drawing_shows_the_boxes():
    tokens = parse(FOUR, "1234.31...4..42.")
    assert render(FOUR, tokens) == DRAWING


def test_boxes_that_are_not_square_are_drawn_as_they_are():
    lines = render(Geometry(2, 3), np.ones(36, np.uint8)).splitlines()
    assert lines[0] == "+-------+-------+"
    assert [line == lines[0] for line in lines] == [True, False, False] * 3 + [True]


@pytest.mark.parametrize(
    "text",
    ["1234.31...4..42.", "1234031000400420", "1234 .31.\n..4. .42.\n", "12|34\n.3|1.\n--+--\n..|4.\n.4|2."],
)
def test_one_puzzle_may_be_written_in_many_ways(text):
    assert parse(FOUR, text).tolist() == [2, 3, 4, 5, 1, 4, 2, 1, 1, 1, 5, 1, 1, 5, 3, 1]


def test_digits_above_nine_are_letters_of_either_case():
    geometry = Geometry(4, 4)
    assert parse(geometry, "g" + "." * 254 + "A")[[0, -1]].tolist() == [17, 11]
    assert "G" in render(geometry, np.full(256, 17))


@pytest.mark.parametrize("token", [0, 6, 99, -100])
def test_what_is_no_cell_is_drawn_as_a_question_mark(token):
    assert "| ? 1 |" in render(FOUR, [token, 2] + [1] * 14)


def test_drawing_another_number_of_cells_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="15 tokens"):
        render(FOUR, [1] * 15)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "0 cells; a 4×4 grid has 16"),
        ("123", "3 cells; a 4×4 grid has 16"),
        ("." * 17, "17 cells"),
        ("5" + "." * 15, 'cell 1 of the puzzle is "5": a cell is one of 1234'),
        ("..z" + "." * 13, 'cell 3 of the puzzle is "z"'),
        ("\x1b" + "." * 15, 'cell 1 of the puzzle is ""'),
        ("11" + "." * 14, "1 appears 2 times in row 1"),
        ("3...3..........." + "", "3 appears 2 times in column 1"),
        ("2....2.........." + "", "2 appears 2 times in box 1"),
        ("." * 10_000, "10000 characters long"),
    ],
)
def test_text_that_is_no_puzzle_is_refused_with_the_reason(text, words):
    with pytest.raises(UsageError) as caught:
        parse(FOUR, text)
    assert words in str(caught.value)


def tokens(text):
    return np.array([1 if c == "." else int(c) + 1 for c in text])


def test_a_right_answer_is_judged_solved():
    assert check(FOUR, tokens("1..............."), tokens(SOLVED)).solved


@pytest.mark.parametrize(
    ("puzzle", "answer", "reason"),
    [
        ("." * 16, "." + SOLVED[1:], "row 1, column 1 holds no digit"),
        ("." * 15 + "2", SOLVED, "the clue 2 at row 4, column 4 became 1"),
        ("." * 16, "1134" + SOLVED[4:], "1 appears 2 times in row 1"),
        ("." * 16, "1234" * 4, "1 appears 4 times in column 1"),
        ("." * 16, "1234234134124123", "2 appears 2 times in box 1"),
    ],
)
def test_a_wrong_answer_is_judged_with_its_reason(puzzle, answer, reason):
    verdict = check(FOUR, tokens(puzzle), tokens(answer))
    assert not verdict.solved
    assert verdict.reason == reason


@pytest.mark.parametrize("token", [0, 6, 255])
def test_an_answer_with_a_token_that_is_no_digit_is_not_solved(token):
    answer = tokens(SOLVED)
    answer[5] = token
    assert check(FOUR, tokens("." * 16), answer).reason == "row 2, column 2 holds no digit"


def test_tokens_and_digits_convert_both_ways_and_ignored_labels_are_blank():
    digits = np.arange(5, dtype=np.uint8)
    assert to_tokens(digits).tolist() == [1, 2, 3, 4, 5]
    assert to_digits(to_tokens(digits)).tolist() == digits.tolist()
    assert to_digits(np.array([0, -100])).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("puzzle", "solution", "what"),
    [
        ("11" + "." * 14, SOLVED, "the puzzle has no solution: 1 appears 2 times in row 1"),
        ("." * 16, "." + SOLVED[1:], "the solution is incomplete: row 1, column 1 is blank"),
        ("2" + "." * 15, SOLVED, "the solution has 1 at row 1, column 1 where the puzzle has 2"),
        ("." * 16, "1234" * 4, "the solution breaks the rules: 1 appears 4 times in column 1"),
    ],
)
def test_the_first_faulty_row_is_found_and_explained(puzzle, solution, what):
    sound = "1" + "." * 15, SOLVED
    rows = [sound] * 1500 + [(puzzle, solution)] + [sound] * 3 + [(puzzle, solution)]
    puzzles, solutions = (to_digits(np.array([tokens(row[part]) for row in rows])) for part in (0, 1))
    assert first_fault(FOUR, puzzles, solutions) == (1500, what)
    assert first_fault(FOUR, puzzles[:1500], solutions[:1500]) is None
    assert first_fault(FOUR, puzzles[:5], 0 * solutions[:5]) is None
