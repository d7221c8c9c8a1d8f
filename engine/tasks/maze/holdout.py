"""Keep training and held-out mazes apart: neither the same, nor images of each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.errors import UsageError
from engine.tasks.base import Examples
from engine.tasks.maze.augment import symmetry_hashes
from engine.tasks.maze.rules import Shape
from engine.tasks.sudoku.holdout import group_bounds, take_groups

Flags = npt.NDArray[np.bool_]


def choose(examples: Examples, limit: int, seed: int) -> Examples:
    """Return at most `limit` groups of examples, drawn with `seed`, in their order."""
    groups = len(group_bounds(examples)) - 1
    if groups <= limit:
        return examples
    return take_groups(examples, np.sort(np.random.default_rng(seed).permutation(groups)[:limit]))


def drop_equivalent(shape: Shape, train: Examples, test: Examples) -> tuple[Examples, int]:
    """Return `train` without the groups that hold an image of a test maze, and how many those were."""
    tested = symmetry_hashes(shape, test.inputs)
    clash = _any_in_group(train, np.isin(symmetry_hashes(shape, train.inputs), tested))
    if not clash.any():
        return train, 0
    return take_groups(train, np.flatnonzero(~clash)), int(clash.sum())


def hold_out(
    shape: Shape, examples: Examples, *, train_size: int, test_size: int, seed: int
) -> tuple[Examples, Examples]:
    """Split examples at random into training groups and test mazes, no two of the latter equivalent.

    A group gives its first maze to the test; every group with an image of a test maze leaves training. Raises
    `UsageError` when there are too few mazes for a test set and anything to train on.
    """
    rng = np.random.default_rng([seed, 1])
    hashes = symmetry_hashes(shape, examples.inputs)
    bounds = group_bounds(examples)
    order = rng.permutation(len(bounds) - 1)
    _, first_seen = np.unique(hashes[bounds[order]], return_index=True)
    picked = order[np.sort(first_seen)[:test_size]]
    test_rows = bounds[np.sort(picked)]
    free = np.flatnonzero(~_any_in_group(examples, np.isin(hashes, hashes[test_rows])))
    if len(picked) < test_size or not len(free):
        raise UsageError(
            f"task.data holds {len(first_seen)} mazes that differ by more than a symmetry; "
            f"task.test_size = {test_size} of them cannot be held out with some left to train on.\n"
            "Lower task.test_size, or name other mazes in task.test_data."
        )
    chosen = np.sort(rng.permutation(free)[:train_size])
    return take_groups(examples, chosen), examples.take(test_rows)


def _any_in_group(examples: Examples, rows: Flags) -> Flags:
    """Tell which groups (G,) hold a marked row (N,)."""
    return np.logical_or.reduceat(rows, group_bounds(examples)[:-1])
