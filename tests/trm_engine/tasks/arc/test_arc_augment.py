"""Images of tasks: symmetries of the square and colours permuted but 0, all distinct."""

from __future__ import annotations

import numpy as np
import pytest

from trm_engine.tasks.arc.augment import IDENTITY, SYMMETRIES, distinct_images, image, preimage, turned
from trm_engine.tasks.arc.grids import Pair, Puzzle, as_puzzle

GRID = np.array([[1, 2, 0], [3, 4, 5]], np.uint8)
TASK = as_puzzle(
    "some-task",
    {
        "train": [{"input": [[1, 2], [3, 4]], "output": [[5, 6, 7]]}, {"input": [[8]], "output": [[9]]}],
        "test": [{"input": [[1, 0], [0, 0]], "output": [[2]]}],
    },
)


def pairs_under(puzzle: Puzzle, record: np.ndarray) -> frozenset[object]:
    """What is distinct about an image: its pairs, in any order."""
    shown = [[image(grid, record).tolist() for grid in (p.input, p.output)] for p in puzzle.train]
    shown += [[image(p.input, record).tolist()] for p in puzzle.test]
    return frozenset(map(str, shown))


def test_the_eight_symmetries_of_a_square_differ() -> None:
    square = np.arange(9, dtype=np.uint8).reshape(3, 3)
    assert len({turned(square, symmetry).tobytes() for symmetry in range(SYMMETRIES)}) == 8


def test_symmetries_transpose_and_reflect() -> None:
    assert turned(GRID, 1).tolist() == [[0, 5], [2, 4], [1, 3]]
    assert turned(GRID, 4).tolist() == [[0, 2, 1], [5, 4, 3]]
    assert turned(GRID, 5).tolist() == [[3, 4, 5], [1, 2, 0]]
    assert turned(GRID, 6).tolist() == [[1, 3], [2, 4], [0, 5]]
    assert turned(GRID, 7).tolist() == [[5, 0], [4, 2], [3, 1]]


@pytest.mark.parametrize("symmetry", range(SYMMETRIES))
def test_an_image_is_brought_back_to_its_original(symmetry: int) -> None:
    record = np.array([symmetry, 0, 9, 1, 8, 2, 7, 3, 6, 4, 5], np.uint8)
    assert preimage(image(GRID, record), record).tolist() == GRID.tolist()


def test_the_original_comes_first_and_black_stays_black() -> None:
    records = distinct_images(TASK, 200, seed=0)
    assert records[0].tolist() == IDENTITY.tolist()
    assert (records[:, 1] == 0).all()
    assert (np.sort(records[:, 1:], axis=1) == np.arange(10)).all()


def test_images_are_as_many_as_asked_for_and_all_different() -> None:
    records = distinct_images(TASK, 500, seed=0)
    assert len(records) == 501
    assert len({pairs_under(TASK, record) for record in records}) == 501


def test_a_task_that_looks_the_same_in_many_ways_has_as_many_images_as_there_are() -> None:
    black = np.zeros((2, 2), np.uint8)
    plain = Puzzle("plain", (Pair(black, black),), (Pair(black, black),))
    assert len(distinct_images(plain, 100, seed=0)) == 1
    blue = np.ones((1, 1), np.uint8)
    dot = Puzzle("dot", (Pair(blue, blue),), (Pair(blue, blue),))
    assert len(distinct_images(dot, 100, seed=0)) == 9


def test_pairs_that_change_places_do_not_make_an_image_different() -> None:
    up, down = np.array([[1], [0]], np.uint8), np.array([[0], [1]], np.uint8)
    mirror = Puzzle("mirror", (Pair(up, up), Pair(down, down)), (Pair(np.array([[1]], np.uint8), None),))
    assert len(distinct_images(mirror, 400, seed=0)) == 9 * 2  # the dot's colour, upright or lying


def test_images_depend_on_task_and_seed_alone_and_not_on_test_outputs() -> None:
    poisoned = Puzzle(TASK.name, TASK.train, (Pair(TASK.test[0].input, np.full((3, 3), 7, np.uint8)),))
    records = distinct_images(TASK, 50, seed=1)
    assert (distinct_images(poisoned, 50, seed=1) == records).all()
    assert (distinct_images(TASK, 50, seed=2)[1:] != records[1:]).any()
    renamed = Puzzle("another", TASK.train, TASK.test)
    assert (distinct_images(renamed, 50, seed=1)[1:] != records[1:]).any()
