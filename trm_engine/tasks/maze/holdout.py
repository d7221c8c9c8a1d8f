"""Keep training and held-out mazes apart; all of them are held in memory."""

from __future__ import annotations

import numpy as np

from trm_engine.tasks.base import Examples
from trm_engine.tasks.kit import holdout
from trm_engine.tasks.kit.holdout import draw_groups, group_bounds, groups_apart, take_groups
from trm_engine.tasks.maze.rules import Shape


def choose(examples: Examples, limit: int, seed: int) -> Examples:
    """Return at most `limit` groups of examples, drawn with `seed`, in their order."""
    drawn = draw_groups(examples, limit, seed)
    return examples if drawn is None else take_groups(examples, drawn)


def drop_equivalent(shape: Shape, train: Examples, test: Examples) -> tuple[Examples, int]:
    """Return `train` without the groups that hold an image of a test maze, and how many those were."""
    tested = shape.images.hashes(test.inputs)
    apart = groups_apart(train, shape.images.hashes(train.inputs), tested)
    dropped = len(group_bounds(train)) - 1 - len(apart)
    return (take_groups(train, apart) if dropped else train), dropped


def hold_out(
    shape: Shape, examples: Examples, *, train_size: int, test_size: int, seed: int
) -> tuple[Examples, Examples]:
    """Split examples at random into training groups and test mazes, no two of the latter equivalent.

    Raises `UsageError` when there are not enough of them (see `trm_engine.tasks.kit.holdout.hold_out`).
    """
    groups, test_rows = holdout.hold_out(
        examples,
        shape.images.hashes(examples.inputs),
        train_size=train_size,
        test_size=test_size,
        rng=np.random.default_rng([seed, 1]),
        puzzles="mazes",
    )
    return take_groups(examples, groups), examples.take(test_rows)
