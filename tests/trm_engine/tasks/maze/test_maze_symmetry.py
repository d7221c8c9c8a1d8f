"""The symmetries of a grid: how many there are, that they keep solutions, that hashes see through them."""

from __future__ import annotations

import numpy as np
import pytest

from trm_engine.progress import silent
from trm_engine.tasks.maze.config import MazeConfig
from trm_engine.tasks.maze.generate import generate
from trm_engine.tasks.maze.rules import Shape, solved

SQUARE, WIDE = Shape(6, 6), Shape(5, 8)


def mazes(shape: Shape):
    config = MazeConfig(rows=shape.rows, cols=shape.cols, min_path=5)
    return generate(config, 60, np.random.default_rng(0), silent)


@pytest.mark.parametrize(("shape", "count"), [(SQUARE, 8), (WIDE, 4)])
def test_a_square_has_eight_images_and_a_rectangle_four(shape, count):
    images = shape.images.sources
    assert len({image.tobytes() for image in images}) == count == len(images)
    assert (np.sort(images, axis=1) == np.arange(shape.cells)).all()


@pytest.mark.parametrize("shape", [SQUARE, WIDE])
def test_the_image_of_a_solution_solves_the_image(shape):
    made = mazes(shape)
    inputs, labels = shape.images.augment((made.inputs, made.labels), np.random.default_rng(1))
    assert (inputs != made.inputs).any()
    assert solved(shape, inputs, labels).all()


def test_every_image_is_drawn():
    grid = np.tile(np.arange(36, dtype=np.uint8), (500, 1))
    (drawn,) = SQUARE.images.augment((grid,), np.random.default_rng(0))
    assert len({row.tobytes() for row in drawn}) == 8


@pytest.mark.parametrize("shape", [SQUARE, WIDE])
def test_all_images_of_a_maze_share_its_hash(shape):
    made = mazes(shape)
    hashes = shape.images.hashes(made.inputs)
    for image in shape.images.sources:
        assert (shape.images.hashes(made.inputs[:, image]) == hashes).all()


def test_mazes_that_differ_in_one_cell_have_other_hashes():
    grid = np.full((37, 36), 2, np.uint8)
    grid[np.arange(36), np.arange(36)] = 1
    # One cell of an empty grid: 36 places fall into 6 classes of images (and the empty grid is a seventh).
    assert len(set(SQUARE.images.hashes(grid).tolist())) == 7
