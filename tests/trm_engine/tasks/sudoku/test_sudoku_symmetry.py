import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trm_engine.tasks.sudoku.generation.generate import ClueRange, generate
from trm_engine.tasks.sudoku.generation.solver import solve
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.puzzles import Puzzles
from trm_engine.tasks.sudoku.symmetry import symmetry_hashes

SHAPES = [(1, 3), (2, 2), (2, 3), (3, 2), (3, 3), (2, 4)]


def hashes_of(geometry, puzzles):
    return symmetry_hashes(geometry, puzzles.clues, puzzles.solutions)


def swap(length, a, b):
    order = np.arange(length)
    order[[a, b]] = order[[b, a]]
    return order


def line_generators(groups, size):
    """Yield orders of lines that generate all permutations of groups and of lines within groups."""
    lines = np.arange(groups * size).reshape(groups, size)
    for first, second in itertools.pairwise(range(groups)):
        yield lines[swap(groups, first, second)].reshape(-1)
    for group, (first, second) in itertools.product(range(groups), itertools.pairwise(range(size))):
        order = lines.copy()
        order[group] = order[group][swap(size, first, second)]
        yield order.reshape(-1)


def generators(geometry):
    """Yield (name, function on digit grids (N, n²)) for every generator of the symmetry group."""
    side = geometry.side

    def on_grid(function):
        return lambda digits: function(digits.reshape(-1, side, side)).reshape(-1, side * side)

    for order in line_generators(geometry.bands, geometry.box_rows):
        yield f"rows {order}", on_grid(lambda grid, order=order: grid[:, order])
    for order in line_generators(geometry.stacks, geometry.box_cols):
        yield f"columns {order}", on_grid(lambda grid, order=order: grid[:, :, order])
    for digit in range(1, side):
        yield f"digit {digit}", lambda digits, digit=digit: swap(side + 1, digit, digit + 1)[digits]
    if geometry.square_boxes:
        yield "transposed", on_grid(lambda grid: grid.swapaxes(1, 2))


@pytest.mark.parametrize("shape", SHAPES)
def test_no_generator_of_the_symmetries_changes_the_hash(shape):
    geometry = Geometry(*shape)
    clues = ClueRange(geometry.cells // 2, 0)
    puzzles = generate(geometry, 20, clues, np.random.default_rng(0)).puzzles
    expected = hashes_of(geometry, puzzles)
    for name, image in generators(geometry):
        moved = Puzzles(image(puzzles.clues).astype(np.uint8), image(puzzles.solutions).astype(np.uint8))
        assert (hashes_of(geometry, moved) == expected).all(), name


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(SHAPES), st.integers(0, 2**32 - 1), st.lists(st.integers(0, 10**6), max_size=30))
def test_no_chain_of_symmetries_changes_the_hash(shape, seed, steps):
    geometry = Geometry(*shape)
    clues = ClueRange(geometry.cells * 3 // 5, 0)
    puzzles = generate(geometry, 2, clues, np.random.default_rng(seed)).puzzles
    moves = [image for _, image in generators(geometry)]
    clues, solutions = puzzles.clues, puzzles.solutions
    for step in steps:
        move = moves[step % len(moves)]
        clues, solutions = move(clues).astype(np.uint8), move(solutions).astype(np.uint8)
    assert (symmetry_hashes(geometry, clues, solutions) == hashes_of(geometry, puzzles)).all()


def test_the_four_clue_puzzles_of_four_fall_into_their_13_classes():
    chosen = np.array(list(itertools.combinations(range(16), 4)))
    mask = np.zeros((len(chosen), 16), np.uint8)
    np.put_along_axis(mask, chosen, 1, axis=1)
    grids = np.array([[int(d) for d in text] for text in ("1234341221434321", "1234341223414123")], np.uint8)
    clues = np.concatenate([mask * grid for grid in grids])
    solutions = np.repeat(grids, len(mask), axis=0)
    unique = solve(Geometry(2, 2), clues).count == 1
    assert len(np.unique(symmetry_hashes(Geometry(2, 2), clues[unique], solutions[unique]))) == 13


@pytest.mark.parametrize("shape", [(2, 3), (3, 3)])
def test_moving_one_clue_gives_another_hash(shape):
    geometry = Geometry(*shape)
    puzzles = generate(geometry, 40, ClueRange(geometry.cells // 2, 0), np.random.default_rng(1)).puzzles
    clues = puzzles.clues.copy()
    for row in clues:
        given, blank = np.flatnonzero(row)[0], np.flatnonzero(row == 0)[0]
        row[[given, blank]] = row[[blank, given]]
    clues = np.where(clues != 0, puzzles.solutions, 0).astype(np.uint8)
    assert (symmetry_hashes(geometry, clues, puzzles.solutions) != hashes_of(geometry, puzzles)).all()


def test_random_nine_by_nine_puzzles_are_told_apart():
    puzzles = generate(Geometry(3, 3), 300, ClueRange(36, 0), np.random.default_rng(2)).puzzles
    assert len(np.unique(hashes_of(Geometry(3, 3), puzzles))) == 300


def test_rows_and_columns_count_alike_only_where_the_grid_may_be_transposed():
    clue_row = np.zeros((2, 6, 6), np.uint8)
    solution = np.array([[(3 * (r % 2) + r // 2 + c) % 6 + 1 for c in range(6)] for r in range(6)], np.uint8)
    clue_row[0, 0], clue_row[1, :, 0] = solution[0], solution[:, 0]
    hashes = symmetry_hashes(Geometry(2, 3), clue_row.reshape(2, 36), np.tile(solution.reshape(-1), (2, 1)))
    assert hashes[0] != hashes[1]
