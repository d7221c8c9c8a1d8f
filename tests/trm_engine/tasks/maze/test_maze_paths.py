"""Breadth-first search over many mazes at once agrees with a plain one over each."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trm_engine.tasks.maze.paths import first_cells, flood, one_cell, shortest_paths, to_bits


def plain_distances(free: np.ndarray, start: int) -> np.ndarray:
    """Return the moves from `start` to every cell of one grid, -1 where none lead."""
    rows, cols = free.shape
    found = np.full(free.size, -1)
    found[start] = 0
    waiting = deque([start])
    while waiting:
        at = waiting.popleft()
        row, column = divmod(at, cols)
        for r, c in ((row + 1, column), (row, column - 1), (row, column + 1), (row - 1, column)):
            if 0 <= r < rows and 0 <= c < cols and free[r, c] and found[r * cols + c] < 0:
                found[r * cols + c] = found[at] + 1
                waiting.append(r * cols + c)
    return found


def grids(count: int, rows: int, cols: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return random grids (count, rows, cols) with two open cells each, and these cells."""
    rng = np.random.default_rng(seed)
    free = rng.random((count, rows * cols)) < 0.7
    start, goal = rng.permuted(np.tile(np.arange(rows * cols), (count, 1)), axis=1)[:, :2].T
    number = np.arange(count)
    free[number, start] = free[number, goal] = True
    return free, start, goal


sizes = pytest.mark.parametrize(
    ("rows", "cols"), [(2, 2), (5, 9), (10, 10), (30, 30), (2, 30), (30, 3), (3, 33), (50, 50)]
)


@sizes
def test_lengths_are_those_of_a_plain_search(rows, cols):
    free, start, goal = grids(40, rows, cols, rows)
    found = shortest_paths(to_bits(free, rows), start, goal, cols)
    for row in range(40):
        moves = plain_distances(free[row].reshape(rows, cols), start[row])[goal[row]]
        assert found.lengths[row] == moves + 1
        assert found.cells[row].sum() == moves + 1


@sizes
def test_a_path_goes_from_start_to_goal_over_open_cells(rows, cols):
    free, start, goal = grids(40, rows, cols, 7)
    found = shortest_paths(to_bits(free, rows), start, goal, cols)
    for row in np.flatnonzero(found.lengths):
        path = found.cells[row]
        assert free[row][path].all()
        assert plain_distances(path.reshape(rows, cols), start[row])[goal[row]] + 1 == path.sum()


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_a_path_is_unique_if_each_distance_is_met_once(seed):
    rows, cols = 5, 6
    free, start, goal = grids(20, rows, cols, seed)
    found = shortest_paths(to_bits(free, rows), start, goal, cols)
    for row in range(20):
        away, back = (plain_distances(free[row].reshape(rows, cols), at[row]) for at in (start, goal))
        on_one = (away >= 0) & (away + back == away[goal[row]])
        assert found.unique[row] == (found.lengths[row] > 0 and on_one.sum() == found.lengths[row])


def test_of_several_paths_the_first_goes_down_then_left_then_right_then_up():
    """The choice that the labels of the published data set make."""
    free = np.ones((4, 9), np.bool_)
    #          down first   left before right and up   right before up   only up is left
    start, goal = np.array([0, 2, 6, 6]), np.array([8, 6, 2, 0])
    cells = shortest_paths(to_bits(free, 3), start, goal, 3).cells.reshape(4, 3, 3).astype(int).tolist()
    assert cells[0] == [[1, 0, 0], [1, 0, 0], [1, 1, 1]]
    assert cells[1] == [[0, 0, 1], [0, 0, 1], [1, 1, 1]]
    assert cells[2] == [[0, 0, 1], [0, 0, 1], [1, 1, 1]]
    assert cells[3] == [[1, 0, 0], [1, 0, 0], [1, 0, 0]]


@sizes
def test_a_flood_reaches_what_lies_within_its_steps(rows, cols):
    free, start, _ = grids(30, rows, cols, 3)
    for steps in (0, 1, 4, rows * cols):
        found = flood(to_bits(free, rows), one_cell(start, rows, cols), steps)
        for row in range(30):
            moves = plain_distances(free[row].reshape(rows, cols), start[row])
            within = (moves >= 0) & (moves <= steps)
            farthest = moves[within].max()
            assert (found.reached[:, row : row + 1] == to_bits(within[None], rows)).all()
            assert (found.last[:, row : row + 1] == to_bits((moves == farthest)[None], rows)).all()
            assert found.moves[row] == farthest


def test_the_first_cell_of_a_set_is_counted_along_the_rows():
    flags = np.zeros((3, 60), np.bool_)
    flags[0, [29, 30]] = flags[1, [31, 59]] = flags[2, 59] = True
    assert first_cells(to_bits(flags, 2), 30).tolist() == [29, 31, 59]


def test_no_mazes_have_no_paths():
    none = np.zeros(0, np.int64)
    assert not len(shortest_paths(to_bits(np.zeros((0, 9), np.bool_), 3), none, none, 3).lengths)
