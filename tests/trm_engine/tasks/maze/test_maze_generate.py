"""Generated mazes keep to what was asked for, are all different, and follow from the seed."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from trm_engine.errors import UsageError
from trm_engine.progress import silent
from trm_engine.tasks.examples import Examples
from trm_engine.tasks.maze.config import MazeConfig
from trm_engine.tasks.maze.generate import PATIENT, Patience, generate
from trm_engine.tasks.maze.paths import flood, one_cell, to_bits
from trm_engine.tasks.maze.rules import Shape, paths_of, solved
from trm_engine.tasks.maze.task import statistics
from trm_engine.tasks.maze.text import START, WALL


def make(count: int, seed: int = 0, patience: Patience = PATIENT, **settings: object) -> Examples:
    return generate(MazeConfig(**settings), count, np.random.default_rng(seed), silent, patience)


@pytest.fixture(scope="module")
def unique() -> Examples:
    return make(300, min_path=14, unique_path=True)


def test_each_label_is_a_shortest_path(unique):
    assert solved(Shape(10, 10), unique.inputs, unique.labels).all()


def test_each_path_is_long_enough(unique):
    assert paths_of(Shape(10, 10), unique.inputs).lengths.min() == 14


def test_unique_paths_are_unique(unique):
    assert paths_of(Shape(10, 10), unique.inputs).unique.all()
    assert not paths_of(Shape(10, 10), make(100, min_path=14).inputs).unique.all()


def test_no_maze_is_an_image_of_another(unique):
    assert len(set(Shape(10, 10).images.hashes(unique.inputs).tolist())) == len(unique) == 300


def test_the_seed_decides_the_mazes(unique):
    assert (make(300, min_path=14, unique_path=True).inputs == unique.inputs).all()
    assert (make(300, seed=1, min_path=14, unique_path=True).inputs != unique.inputs).any()


@pytest.mark.parametrize("share", [0.0, 0.2, 0.45])
def test_the_share_of_walls_is_the_one_asked_for(share):
    mazes = make(300, rows=12, cols=9, min_path=3, wall_share_min=share, wall_share_max=share)
    assert (mazes.inputs == WALL).mean() == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize(("rows", "cols"), [(2, 3), (3, 30), (30, 3), (30, 30)])
def test_grids_of_any_shape_can_be_made(rows, cols):
    mazes = make(5, rows=rows, cols=cols, min_path=3, wall_share_min=0.1)
    assert mazes.inputs.shape == (5, rows * cols)
    assert solved(Shape(rows, cols), mazes.inputs, mazes.labels).all()


def test_start_and_goal_are_seldom_as_far_apart_as_they_can_be():
    """Pairs are random ones that are far enough, as in Maze-Hard, not the ends of the longest path."""
    mazes = make(400, min_path=12)
    start = (mazes.inputs == START).argmax(axis=1)
    farthest = flood(to_bits(mazes.inputs != WALL, 10), one_cell(start, 10, 10), 100).moves
    lengths = paths_of(Shape(10, 10), mazes.inputs).lengths
    assert 0.02 < (lengths == farthest + 1).mean() < 0.4


def test_more_different_mazes_than_there_are_cannot_be_made():
    soon = Patience(without_any=4000, for_each=10)
    with pytest.raises(UsageError, match=r"gave only \d of 500 different mazes with so long a path"):
        make(500, patience=soon, rows=2, cols=2, min_path=3)
    with pytest.raises(UsageError, match=r"min_path = 40: 4,096 random 10×10 grids.*\n.*unique_path = false"):
        make(1, patience=soon, min_path=40, unique_path=True)


def test_progress_counts_the_mazes_found():
    heard = []
    generate(MazeConfig(), 50, np.random.default_rng(0), lambda *call: heard.append(call))
    assert heard[-1] == ("generating mazes", 50, 50)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"wall_share_min": 0.5, "wall_share_max": 0.4}, "wall_share_max"),
        ({"rows": 4, "cols": 4, "min_path": 13}, "min_path"),
        ({"test_data": "mazes.csv"}, "test_data"),
    ],
)
def test_settings_that_cannot_work_are_named(settings, field):
    assert [name for name, _ in MazeConfig(**settings).problems()] == [field]
    assert not MazeConfig().problems()


@pytest.mark.parametrize("settings", [{"rows": 51}, {"cols": 1}, {"min_path": 2}, {"wall_share_max": 1.0}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValidationError):
        MazeConfig(**settings)


def test_statistics_are_those_of_the_mazes(unique):
    found = statistics(Shape(10, 10), unique)
    walls = (unique.inputs == WALL).sum(axis=1)
    assert found["mazes"] == 300
    assert found["path cells, min"] == 14
    assert (found["walls, min"], found["walls, max"]) == (walls.min(), walls.max())
    assert found["walls, mean"] == pytest.approx(walls.mean(), abs=0.01)
    assert found["labels that are a shortest path"] == found["mazes with one shortest path"] == 1


def test_statistics_count_labels_that_are_no_shortest_path(unique):
    labels = np.array(unique.labels)
    labels[:150] = unique.inputs[:150]
    found = statistics(Shape(10, 10), Examples.of(unique.inputs, labels))
    assert found["labels that are a shortest path"] == 0.5
