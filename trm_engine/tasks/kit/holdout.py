"""Keep training and held-out puzzles apart: neither the same, nor images of each other.

What an image is, the task decides: of every row it gives a hash that all its images share. What is chosen is
returned as numbers of groups and rows, because tasks differ in what they take into memory.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trm_engine.errors import UsageError
from trm_engine.tasks.examples import Examples, Source
from trm_engine.tasks.subset import select

Rows = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]


def group_bounds(examples: Source) -> Rows:
    """Return the bounds (G + 1,) of the groups, one a row by default."""
    return np.arange(len(examples) + 1) if examples.groups is None else examples.groups.astype(np.int64)


def keep_groups(examples: Source, groups: Rows) -> Source:
    """Return the given groups (in rising order): in memory, unless they are many single rows of a file."""
    return select(examples, groups) if examples.groups is None else take_groups(examples, groups)


def take_groups(examples: Source, groups: Rows) -> Examples:
    """Return the given groups, in memory."""
    bounds = group_bounds(examples)
    sizes = np.diff(bounds)[groups]
    ends = sizes.cumsum()
    rows = np.arange(sizes.sum()) + (bounds[groups] - (ends - sizes)).repeat(sizes)
    taken = examples.take(rows)
    if examples.groups is None:
        return taken
    return Examples(taken.inputs, taken.labels, taken.puzzle_ids, np.concatenate([[0], ends]))


def draw_groups(examples: Source, limit: int, seed: int) -> Rows | None:
    """Return `limit` groups drawn with `seed`, in rising order; None where there are no more than that."""
    groups = len(group_bounds(examples)) - 1
    if groups <= limit:
        return None
    return np.sort(np.random.default_rng(seed).permutation(groups)[:limit])


def groups_apart(examples: Source, hashes: Hashes, others: Hashes) -> Rows:
    """Return the groups, in rising order, that hold no row whose hash (N,) is among `others` (M,)."""
    clash = np.logical_or.reduceat(np.isin(hashes, others), group_bounds(examples)[:-1])
    return np.flatnonzero(~clash)


def hold_out(
    examples: Source,
    hashes: Hashes,
    *,
    train_size: int,
    test_size: int,
    rng: np.random.Generator,
    puzzles: str = "puzzles",
) -> tuple[Rows, Rows]:
    """Choose training groups and test rows at random, no two of the latter equivalent, in rising order.

    A group gives its first row to the test; every group with an image of a test row leaves training. Raises
    `UsageError` when there are not enough inequivalent `puzzles` (what the task calls them) for a test set
    and anything to train on.
    """
    bounds = group_bounds(examples)
    order = rng.permutation(len(bounds) - 1)
    _, first_seen = np.unique(hashes[bounds[order]], return_index=True)
    picked = order[np.sort(first_seen)[:test_size]]
    test_rows = bounds[np.sort(picked)]
    free = groups_apart(examples, hashes, hashes[test_rows])
    if len(picked) < test_size or not len(free):
        raise UsageError(
            f"task.data holds {len(first_seen)} {puzzles} that differ by more than a symmetry; "
            f"task.test_size = {test_size} of them cannot be held out with some left to train on.\n"
            f"Lower task.test_size, or name other {puzzles} in task.test_data."
        )
    return np.sort(rng.permutation(free)[:train_size]), test_rows
