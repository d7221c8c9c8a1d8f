"""The images of a task that a question is asked under, and how their answers come home."""

from __future__ import annotations

import numpy as np

from trm_engine.tasks.arc.text import to_grid, to_tokens


def test_images_are_those_that_voting_asks_for(make_task) -> None:
    task = make_task()
    ballots = task.ballots(6)
    rows = ballots.take(slice(0, int(ballots.bounds[1])))
    first = int(rows.puzzle_ids[0])
    for number in range(1, len(rows)):
        image = task.image(first, number)
        assert image is not None
        puzzle_id, symmetry = image
        assert puzzle_id == rows.puzzle_ids[number]
        assert symmetry.forward(rows.inputs[0]).tolist() == rows.inputs[number].tolist()
        assert symmetry.back(rows.labels[number]).tolist() == rows.labels[0].tolist()


def test_figures_of_cells_come_home_with_their_cells(make_task) -> None:
    task = make_task()
    grid = np.arange(6, dtype=np.uint8).reshape(2, 3)
    seen_in = 0
    for number in range(1, 20):
        image = task.image(1, number)
        if image is None:
            break
        _, symmetry = image
        seen = symmetry.forward(to_tokens(grid, 5))
        assert to_grid(symmetry.back(seen), 5).tolist() == grid.tolist()
        assert symmetry.places is not None
        home = seen[symmetry.places(seen)].reshape(5, 5)[:2, :3]
        # What a colour becomes is seen from a grid of it alone: each cell must have that colour's figure.
        for row, column in np.ndindex(2, 3):
            (colour,) = to_grid(symmetry.forward(to_tokens(grid[row : row + 1, column : column + 1], 5)), 5)[
                0
            ]
            assert home[row, column] == colour + 2
        seen_in += 1
    assert seen_in > 3


def test_what_is_not_known_has_no_image(make_task) -> None:
    task = make_task()
    assert task.image(0, 1) is None
    assert task.image(1, 500) is None
    assert task.image(10**6, 1) is None
