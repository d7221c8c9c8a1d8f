"""ARC grids as tokens on a canvas, and as text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trm_engine.errors import UsageError
from trm_engine.tasks.arc.text import lines, parse_grid, shift, symbols, to_grid, to_tokens

SIZE = 4
GRID = np.array([[0, 1, 2], [9, 8, 7]], np.uint8)
grids = st.integers(1, SIZE).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(0, 9), min_size=width, max_size=width), min_size=1, max_size=SIZE
    ).map(lambda rows: np.array(rows, np.uint8))
)


def canvas(tokens: np.ndarray) -> list[list[int]]:
    rows: list[list[int]] = tokens.reshape(SIZE, SIZE).tolist()
    return rows


def test_a_grid_stands_in_the_corner_with_its_ends_marked() -> None:
    assert canvas(to_tokens(GRID, SIZE)) == [[2, 3, 4, 1], [11, 10, 9, 1], [1, 1, 1, 0], [0, 0, 0, 0]]


def test_a_grid_that_fills_the_canvas_has_no_ends() -> None:
    assert canvas(to_tokens(np.full((4, 4), 3, np.uint8), SIZE)) == [[5] * 4] * 4


def test_a_shifted_grid_loses_the_ends_that_leave_the_canvas() -> None:
    moved = shift(to_tokens(GRID, SIZE), SIZE, 2, 1)
    assert canvas(moved) == [[0, 0, 0, 0], [0, 0, 0, 0], [0, 2, 3, 4], [0, 11, 10, 9]]


@given(grids)
def test_tokens_mean_the_grid_they_were_made_of(grid: np.ndarray) -> None:
    assert np.array_equal(to_grid(to_tokens(grid, SIZE), SIZE), grid)


@given(grids, st.integers(0, 3), st.integers(0, 3))
def test_a_grid_is_written_and_read_wherever_it_stands(grid: np.ndarray, down: int, right: int) -> None:
    room = SIZE - grid.shape[0], SIZE - grid.shape[1]
    tokens = shift(to_tokens(grid, SIZE), SIZE, min(down, room[0]), min(right, room[1]))
    assert np.array_equal(parse_grid("/".join(lines(tokens, SIZE)), SIZE), grid)


@pytest.mark.parametrize(
    ("rows", "shape"),
    [
        (["2221", "2211", "2111", "1111"], (2, 2)),  # the largest rectangle without an end in it
        (["2220", "2220", "1110", "0000"], (2, 3)),
        (["1222", "2222", "2222", "2222"], (0, 0)),  # an end in the very corner
        (["2222", "1111", "2222", "2222"], (1, 4)),
        (["2000", "2000", "2000", "2000"], (4, 1)),
    ],
)
def test_an_unsound_answer_is_cropped_to_its_largest_rectangle(
    rows: list[str], shape: tuple[int, int]
) -> None:
    assert to_grid([int(token) for row in rows for token in row], SIZE).shape == shape


def test_a_canvas_is_drawn_as_digits_and_nothing() -> None:
    assert symbols(to_tokens(GRID, SIZE), SIZE)[:3] == [
        ["0", "1", "2", ""],
        ["9", "8", "7", ""],
        ["", "", "", ""],
    ]


@pytest.mark.parametrize("text", ["012/987", "012\n987\n", " 012 987 ", "[[0, 1, 2], [9, 8, 7]]"])
def test_grids_are_read_in_many_forms(text: str) -> None:
    assert np.array_equal(parse_grid(text, SIZE), GRID)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "0 rows"),
        ("012/34", "row 2 has 2 cells, row 1 has 3"),
        ("01x", "row 1, cell 3 is x; colours are 0 to 9"),
        ("01²", "row 1, cell 3 is ²"),
        ("01\x1b", "row 1, cell 3 is ;"),
        ("01234", "1×5; this task's canvas is 4×4"),
        ("/".join("0" * 31), "31 rows"),
        ("[[0, 1], [2]]", "row 2 has 1 cells"),
        ("[[0, true]]", "cell 2 is True"),
        ("[[0, 10]]", "cell 2 is 10"),
        ("[[0, -1]]", "cell 2 is -1"),
        ("[[0, 1.0]]", "cell 2 is 1.0"),
        ("[0, 1]", "row 1 is not a list"),
        ("[[]]", "row 1 is not a list of 1 to 30 cells"),
        ("[[0, 1", "no JSON"),
        ("[" * 10_000, "no JSON"),
        ("0" * 30_000, "too long"),
    ],
)
def test_what_is_no_grid_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(UsageError, match="grid") as error:
        parse_grid(text, SIZE)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
