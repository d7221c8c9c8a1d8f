import numpy as np
import pytest

from trm_engine.errors import UsageError
from trm_engine.progress import silent
from trm_engine.tasks.examples import Examples
from trm_engine.tasks.kit.holdout import take_groups
from trm_engine.tasks.sudoku.augment import augment
from trm_engine.tasks.sudoku.data import drop_equivalent, hold_out
from trm_engine.tasks.sudoku.generation.distinct import generate_distinct
from trm_engine.tasks.sudoku.generation.generate import ClueRange
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.symmetry import symmetry_hashes
from trm_engine.tasks.sudoku.text import to_digits, to_tokens

FOUR = Geometry(2, 2)


def distinct(count, seed=0):
    puzzles = generate_distinct(FOUR, count, ClueRange(0, 10), np.random.default_rng(seed))
    return Examples.of(to_tokens(puzzles.clues), to_tokens(puzzles.solutions))


def images(examples, copies, seed=0, grouped=False):
    """Return every puzzle under `copies` symmetries, one after the other."""
    rows = np.repeat(np.arange(len(examples)), copies)
    rng = np.random.default_rng(seed)
    inputs, labels = augment(FOUR, (examples.inputs[rows], examples.labels[rows]), rng)
    groups = np.arange(0, len(rows) + 1, copies) if grouped else None
    return Examples(inputs, labels, np.zeros(len(rows), np.int32), groups)


def hashes(examples):
    return symmetry_hashes(FOUR, to_digits(examples.inputs), to_digits(examples.labels))


def split(examples, train_size, test_size, seed=0):
    rng = np.random.default_rng(seed)
    return hold_out(FOUR, examples, train_size=train_size, test_size=test_size, rng=rng, progress=silent)


def test_no_image_of_a_held_out_puzzle_is_left_to_train_on():
    train, test = split(images(distinct(60), 5), train_size=1000, test_size=20)
    assert len(test) == len(set(hashes(test))) == 20
    assert not set(hashes(train)) & set(hashes(test))
    assert len(train) == 40 * 5


def test_the_training_puzzles_are_limited():
    train, test = split(distinct(60), train_size=25, test_size=20)
    assert (len(train), len(test)) == (25, 20)


def test_the_generator_decides_what_is_held_out():
    pool = distinct(60)
    first, again, other = (split(pool, 30, 20, seed)[1].inputs for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_groups_are_held_out_whole_and_give_one_puzzle_each():
    train, test = split(images(distinct(30), 4, grouped=True), train_size=1000, test_size=10)
    assert len(test) == 10
    assert test.groups is None
    assert train.groups.tolist() == list(range(0, 81, 4))
    assert not set(hashes(train)) & set(hashes(test))


def test_a_group_with_one_image_of_a_held_out_puzzle_leaves_as_a_whole():
    puzzles = distinct(3)
    rows = np.array([0, 1, 1, 2])
    pool = Examples(puzzles.inputs[rows], puzzles.labels[rows], np.zeros(4, np.int32), np.array([0, 2, 3, 4]))
    for seed in range(6):
        train, test = split(pool, train_size=9, test_size=1, seed=seed)
        assert not set(hashes(train)) & set(hashes(test))


@pytest.mark.parametrize(("puzzles", "test_size"), [(10, 11), (10, 10), (1, 1)])
def test_too_few_puzzles_to_hold_some_out_are_counted(puzzles, test_size):
    with pytest.raises(UsageError) as caught:
        split(images(distinct(puzzles), 3), train_size=5, test_size=test_size)
    assert f"task.data holds {puzzles} puzzles that differ" in str(caught.value)
    assert f"task.test_size = {test_size}" in str(caught.value)


def test_training_puzzles_that_are_images_of_test_puzzles_are_dropped_and_counted():
    pool = distinct(50)
    test = images(pool.head(8), 1, seed=3)
    train, dropped = drop_equivalent(FOUR, images(pool, 2), test, silent)
    assert dropped == 16
    assert len(train) == 84
    assert not set(hashes(train)) & set(hashes(test))


def test_without_common_puzzles_the_training_examples_stay_the_same_object():
    pool = distinct(50)
    train = pool.head(20)
    kept, dropped = drop_equivalent(FOUR, train, pool.take(slice(20, 50)), silent)
    assert kept is train
    assert dropped == 0


def test_taking_groups_takes_their_rows_and_rebuilds_the_bounds():
    rows = np.arange(10)[:, None]
    examples = Examples(rows, rows + 100, np.arange(10), np.array([0, 3, 4, 8, 10]))
    taken = take_groups(examples, np.array([0, 2]))
    assert taken.inputs[:, 0].tolist() == [0, 1, 2, 4, 5, 6, 7]
    assert taken.labels[:, 0].tolist() == [100, 101, 102, 104, 105, 106, 107]
    assert taken.puzzle_ids.tolist() == [0, 1, 2, 4, 5, 6, 7]
    assert taken.groups.tolist() == [0, 3, 7]
