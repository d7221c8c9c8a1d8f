"""Rows of tokens looked at many at once, held against grids one by one."""

from __future__ import annotations

import numpy as np
import pytest

from trm_engine.tasks.arc.canvas import colour_counts, cornered, first_fault
from trm_engine.tasks.arc.text import END, shift, to_tokens
from trm_engine.tasks.examples import Tokens

SIZE = 4
SIDES = range(1, SIZE + 1)


def all_places() -> tuple[Tokens, Tokens]:
    """Grids of all sizes in the corner, and the same grids at all their places."""
    rng = np.random.default_rng(0)
    standing, moved = [], []
    for rows in SIDES:
        for columns in SIDES:
            for down in range(SIZE - rows + 1):
                for right in range(SIZE - columns + 1):
                    standing.append(to_tokens(rng.integers(0, 10, (rows, columns)).astype(np.uint8), SIZE))
                    moved.append(shift(standing[-1], SIZE, down, right))
    return np.stack(standing), np.stack(moved)


def test_grids_come_to_the_corner_with_their_ends_from_everywhere() -> None:
    standing, moved = all_places()
    assert len(standing) == 100
    assert np.array_equal(cornered(moved, SIZE), standing)
    assert np.array_equal(cornered(standing, SIZE), standing)


def test_no_rows_and_rows_given_stay_as_they_are() -> None:
    _, moved = all_places()
    before = moved.copy()
    cornered(moved, SIZE)
    assert np.array_equal(moved, before)
    assert cornered(moved[:0], SIZE).shape == (0, SIZE * SIZE)


def test_grids_at_all_places_are_sound() -> None:
    _, moved = all_places()
    assert first_fault(moved, moved, SIZE) is None


@pytest.mark.parametrize("token", [0, END, 5])
def test_a_cell_of_another_kind_is_a_fault_or_makes_another_grid(token: int) -> None:
    _, moved = all_places()
    kinds = np.minimum(moved, 2)
    for cell in range(SIZE * SIZE):
        changed = moved.copy()
        changed[:, cell] = token
        for row in np.flatnonzero(kinds[:, cell] != min(token, 2)):
            one, before = changed[row : row + 1], moved[row : row + 1]
            if first_fault(one, one, SIZE) is None:
                assert (cornered(one, SIZE) >= 2).sum() != (before >= 2).sum()


@pytest.mark.parametrize(
    ("given", "label", "said"),
    [
        (0, 3, "its input is not a grid"),
        (3, 0, "its label is not a grid"),
        (3, 1, "its input and its label stand at different places"),
    ],
)
def test_the_first_fault_is_told_with_its_row(given: int, label: int, said: str) -> None:
    cell = to_tokens(np.zeros((1, 1), np.uint8), SIZE)
    rows = {0: np.zeros(SIZE * SIZE, np.uint8), 1: shift(cell, SIZE, 1, 0), 3: cell}
    inputs, labels = np.stack([cell, rows[given], cell]), np.stack([cell, rows[label], cell])
    fault = first_fault(inputs, labels, SIZE)
    assert fault is not None
    assert (fault[0], said in fault[1]) == (1, True)


def test_colours_are_counted_row_by_row() -> None:
    grid = np.array([[0, 9, 9], [3, 3, 3]], np.uint8)
    (counts,) = colour_counts(to_tokens(grid, SIZE)[None], 10).tolist()
    assert counts == [1, 0, 0, 3, 0, 0, 0, 0, 0, 2]
