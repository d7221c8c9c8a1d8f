from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trm_engine.tasks.sudoku.augment import augment, augment_fixed
from trm_engine.tasks.sudoku.generation.generate import ClueRange, generate
from trm_engine.tasks.sudoku.generation.solver import solve
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.rules import first_fault
from trm_engine.tasks.sudoku.symmetry import symmetry_hashes
from trm_engine.tasks.sudoku.text import to_digits, to_tokens

SHAPES = [(1, 4), (2, 2), (2, 3), (3, 2), (3, 3), (3, 4), (4, 4)]


@cache
def tokens_of(shape, count):
    geometry = Geometry(*shape)
    clues = ClueRange(geometry.cells * 2 // 3, 0)
    puzzles = generate(geometry, count, clues, np.random.default_rng(0)).puzzles
    return geometry, to_tokens(puzzles.clues), to_tokens(puzzles.solutions)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(SHAPES), st.integers(0, 2**32 - 1))
def test_an_image_is_a_puzzle_with_its_solution_and_as_many_clues(shape, seed):
    geometry, inputs, labels = tokens_of(shape, 6)
    image, solved = augment(geometry, (inputs, labels), np.random.default_rng(seed))
    assert first_fault(geometry, to_digits(image), to_digits(solved)) is None
    assert solved.min() >= 2
    assert ((image > 1).sum(axis=1) == (inputs > 1).sum(axis=1)).all()


def test_an_image_has_one_solution_still():
    geometry, inputs, labels = tokens_of((3, 3), 40)
    image, solved = augment(geometry, (inputs, labels), np.random.default_rng(0))
    found = solve(geometry, to_digits(image))
    assert (found.count == 1).all()
    assert (found.solution == to_digits(solved)).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_images_keep_the_hash_that_tells_puzzles_apart(shape):
    geometry, inputs, labels = tokens_of(shape, 8)
    image, solved = augment(geometry, (inputs, labels), np.random.default_rng(3))
    before = symmetry_hashes(geometry, to_digits(inputs), to_digits(labels))
    after = symmetry_hashes(geometry, to_digits(image), to_digits(solved))
    assert (before == after).all()


def test_every_image_of_a_puzzle_is_drawn():
    # 128 moves of the 4×4 grid times 24 relabellings; this puzzle is none of its own images.
    puzzle = np.array([2, 3, 1, 1, 4, 1, 1, 1, 1, 1, 5, 1, 1, 2, 1, 1], np.uint8)
    rows = np.tile(puzzle, (60_000, 1))
    (image,) = augment(Geometry(2, 2), (rows,), np.random.default_rng(0))
    weights = 5 ** np.arange(16, dtype=np.int64)
    _, times = np.unique(image.astype(np.int64) @ weights, return_counts=True)
    assert len(times) == 128 * 24
    assert times.max() < 6 * times.mean()


def test_each_row_draws_its_own_symmetry():
    geometry, inputs, labels = tokens_of((3, 3), 1)
    image, _ = augment(
        geometry, (inputs.repeat(20, axis=0), labels.repeat(20, axis=0)), np.random.default_rng(0)
    )
    assert len(np.unique(image, axis=0)) == 20


def test_the_generator_decides_the_symmetries():
    geometry, inputs, labels = tokens_of((2, 3), 10)
    first, again, other = (
        augment(geometry, (inputs, labels), np.random.default_rng(seed))[0] for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_padding_stays_padding_and_blank_stays_blank():
    geometry = Geometry(2, 2)
    rows = np.zeros((5, 16), np.uint8)
    blank = np.ones((5, 16), np.uint8)
    pad_image, blank_image = augment(geometry, (rows, blank), np.random.default_rng(0))
    assert not pad_image.any()
    assert (blank_image == 1).all()


def test_ignored_labels_of_wide_integer_files_become_padding():
    labels = np.full((3, 16), -100, np.int64)
    (image,) = augment(Geometry(2, 2), (labels,), np.random.default_rng(0))
    assert image.dtype == np.uint8
    assert not image.any()


def test_no_rows_give_no_rows():
    (image,) = augment(Geometry(3, 3), (np.empty((0, 81), np.uint8),), np.random.default_rng(0))
    assert image.shape == (0, 81)


def test_fixed_images_are_so_many_of_each_puzzle_and_no_more():
    geometry, inputs, labels = tokens_of((3, 3), 2)
    rows = np.tile(inputs[:1], (300, 1)), np.tile(labels[:1], (300, 1))
    image, solved = augment_fixed(geometry, rows, 5, 0, np.random.default_rng(1))
    assert first_fault(geometry, to_digits(image), to_digits(solved)) is None
    assert len(np.unique(np.concatenate([image, solved], axis=1), axis=0)) == 5


def test_fewer_fixed_images_are_part_of_more():
    geometry, inputs, labels = tokens_of((2, 3), 3)
    rows = np.repeat(inputs, 200, axis=0), np.repeat(labels, 200, axis=0)
    few, many = (
        {row.tobytes() for row in augment_fixed(geometry, rows, n, 7, np.random.default_rng(n))[0]}
        for n in (3, 12)
    )
    assert few < many


def test_no_rows_have_no_fixed_images():
    geometry, inputs, labels = tokens_of((2, 2), 1)
    image, solved = augment_fixed(geometry, (inputs[:0], labels[:0]), 3, 0, np.random.default_rng(0))
    assert image.shape == solved.shape == (0, 16)
