import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trm_engine.tasks.kit.search import GAVE_UP, MANY
from trm_engine.tasks.sudoku.generation.solver import solve
from trm_engine.tasks.sudoku.geometry import Geometry

FOUR = Geometry(2, 2)
NINE = Geometry(3, 3)
INKALA = "8..........36......7..9.2...5...7.......457.....1...3...1....68..85...1..9....4.."
INKALA_SOLVED = "812753649943682175675491283154237896369845721287169534521974368438526917796318452"
SEVENTEEN = "000000010400000000020000000000050407008000300001090000300400200050100000000806000"
NO_SOLUTION = "..9.287..8.6..4..5..3.....46.........2.71345.........23.....5..9..4..8.7..125.3.."
TWO_SOLUTIONS = ".39...12....9.7...8..4.1..6.42...79...........91...54.5..1.9..3...8.5....14...87."


def digits(*texts):
    return np.array([[0 if c == "." else int(c) for c in text] for text in texts], np.uint8)


def brute_force(geometry, puzzle, limit=2):
    """Count solutions by plain backtracking, cell by cell."""
    peers = [
        {int(c) for units in geometry.units() for unit in units if cell in unit for c in unit} - {cell}
        for cell in range(geometry.cells)
    ]
    grid = [int(d) for d in puzzle]
    if any(grid[c] and grid[c] == grid[p] for c in range(geometry.cells) for p in peers[c]):
        return 0

    def count(cell):
        while cell < geometry.cells and grid[cell]:
            cell += 1
        if cell == geometry.cells:
            return 1
        total = 0
        for digit in {*range(1, geometry.side + 1)} - {grid[p] for p in peers[cell]}:
            grid[cell] = digit
            total += count(cell + 1)
            grid[cell] = 0
            if total >= limit:
                break
        return min(total, limit)

    return count(0)


def cyclic_grid(geometry):
    """Return a valid grid made of shifted rows."""
    r, n = geometry.box_cols, geometry.side
    rows = [
        [(r * (row % geometry.box_rows) + row // geometry.box_rows + col) % n + 1 for col in range(n)]
        for row in range(n)
    ]
    return np.array(rows, np.uint8).reshape(-1)


@pytest.fixture(scope="module")
def grids_of_four():
    """Every way to fill four rows that keeps the rules, row by row."""
    lines = list(itertools.permutations((1, 2, 3, 4)))
    grids = [()]
    for _ in range(4):
        longer = [(*grid, *line) for grid in grids for line in lines]
        grids = [
            grid
            for grid in longer
            if all(
                len({*clues}) == len(clues)
                for units in FOUR.units()
                for unit in units
                if (clues := [grid[cell] for cell in unit if cell < len(grid)])
            )
        ]
    return np.array(grids)


def test_there_are_288_grids_of_four(grids_of_four):
    found = solve(FOUR, grids_of_four.astype(np.uint8))
    assert len(grids_of_four) == 288
    assert (found.count == 1).all()
    assert (found.solution == grids_of_four).all()


def test_counts_agree_with_looking_through_all_grids_of_four(grids_of_four):
    rng = np.random.default_rng(0)
    puzzles = np.where(rng.random((600, 16)) < 0.35, rng.integers(1, 5, (600, 16)), 0).astype(np.uint8)
    clue_holds = (puzzles[:, None] == 0) | (puzzles[:, None] == grids_of_four[None])
    expected = clue_holds.all(axis=2).sum(axis=1).clip(max=2)
    found = solve(FOUR, puzzles)
    assert found.count.tolist() == expected.tolist()
    assert {0, 1, 2} <= set(expected)


@pytest.mark.parametrize("shape", [(1, 3), (2, 2), (2, 3), (3, 2), (2, 4), (3, 3), (3, 4), (4, 4)])
def test_counts_agree_with_backtracking(shape):
    geometry = Geometry(*shape)
    rng = np.random.default_rng(1)
    grid = cyclic_grid(geometry)
    blanks = min(geometry.cells // 2, 22)
    puzzles = np.tile(grid, (30, 1))
    for row, puzzle in enumerate(puzzles):
        puzzle[rng.permutation(geometry.cells)[: blanks + row % 3]] = 0
        if row % 5 == 0:
            cell = rng.integers(geometry.cells)
            puzzle[cell] = puzzle[cell] % geometry.side + 1
    expected = [brute_force(geometry, puzzle) for puzzle in puzzles]
    found = solve(geometry, puzzles)
    assert found.count.tolist() == expected
    unique = found.count == 1
    kept = (puzzles == found.solution) | (puzzles == 0)
    assert kept[unique].all()
    assert (found.solution[found.count == 0] == 0).all()


@pytest.mark.parametrize("shape", [(1, 2), (2, 2), (2, 3), (3, 3), (3, 4), (4, 4)])
def test_an_empty_grid_has_many_solutions_and_shows_a_sound_one(shape):
    geometry = Geometry(*shape)
    found = solve(geometry, np.zeros((2, geometry.cells), np.uint8))
    assert found.count.tolist() == [MANY, MANY]
    for units in geometry.units():
        for unit in units:
            assert sorted(found.solution[0][unit]) == list(range(1, geometry.side + 1))


def test_hard_puzzles_are_solved_and_told_from_impossible_and_ambiguous_ones():
    found = solve(NINE, digits(INKALA, SEVENTEEN.replace("0", "."), NO_SOLUTION, TWO_SOLUTIONS))
    assert found.count.tolist() == [1, 1, 0, MANY]
    assert "".join(map(str, found.solution[0])) == INKALA_SOLVED


def test_a_repeated_clue_leaves_no_solution():
    twice_in_row, thrice_in_row = "55" + "." * 79, "5.5.5" + "." * 76
    twice_in_column, twice_in_box = "5........" * 2 + "." * 63, "5.........5" + "." * 70
    found = solve(NINE, digits(twice_in_row, thrice_in_row, twice_in_column, twice_in_box))
    assert found.count.tolist() == [0, 0, 0, 0]


def test_giving_up_is_told_apart_from_knowing():
    hard = digits(".....5.8....6.1.43..........1.5........1.6...3.......553.....61........4.........")
    found = solve(NINE, np.concatenate([hard, digits(INKALA)]), effort=60)
    assert found.count.tolist() == [GAVE_UP, 1]


def test_no_puzzles_have_no_solutions():
    found = solve(NINE, np.empty((0, 81), np.uint8))
    assert found.count.shape == (0,)
    assert found.solution.shape == (0, 81)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=16, max_size=16))
def test_any_filling_of_a_small_grid_is_counted_right(cells):
    puzzle = np.array(cells, np.uint8)
    assert solve(FOUR, puzzle[None]).count[0] == brute_force(FOUR, puzzle)


def test_a_batch_gives_what_its_puzzles_give_alone():
    texts = [INKALA, SEVENTEEN.replace("0", "."), NO_SOLUTION, TWO_SOLUTIONS] * 30
    together = solve(NINE, digits(*texts))
    alone = [solve(NINE, digits(text)) for text in texts[:4]]
    assert together.count.tolist() == [int(one.count[0]) for one in alone] * 30
    for row in range(120):
        if together.count[row] == 1:
            assert together.solution[row].tolist() == alone[row % 4].solution[0].tolist()
