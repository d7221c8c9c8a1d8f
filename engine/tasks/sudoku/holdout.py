"""Keep training and held-out puzzles apart: neither the same, nor images of each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.errors import UsageError
from engine.tasks.base import Examples, Source
from engine.tasks.progress import Progress
from engine.tasks.selected import select
from engine.tasks.sudoku.geometry import Geometry
from engine.tasks.sudoku.prepared import PreparedList
from engine.tasks.sudoku.symmetry import Hashes, symmetry_hashes
from engine.tasks.sudoku.text import to_digits

Rows = npt.NDArray[np.int64]
_AT_ONCE = 2**14


def drop_equivalent(
    geometry: Geometry, train: Source, test: Source, progress: Progress
) -> tuple[Source, int]:
    """Return `train` without the groups that hold an image of a test puzzle, and how many those were."""
    tested = _hashes(geometry, test, progress)
    clash = _any_in_group(train, np.isin(_hashes(geometry, train, progress), tested))
    if not clash.any():
        return train, 0
    return keep_groups(train, np.flatnonzero(~clash)), int(clash.sum())


def hold_out(
    geometry: Geometry,
    examples: Source,
    *,
    train_size: int,
    test_size: int,
    rng: np.random.Generator,
    progress: Progress,
) -> tuple[Source, Source]:
    """Split examples at random into training groups and test puzzles, no two of the latter equivalent.

    A group gives its first puzzle to the test; every group with an image of a test puzzle leaves training.
    Raises `UsageError` when there are not enough inequivalent puzzles for a test set and anything to train
    on.
    """
    hashes = _hashes(geometry, examples, progress)
    bounds = group_bounds(examples)
    order = rng.permutation(len(bounds) - 1)
    _, first_seen = np.unique(hashes[bounds[order]], return_index=True)
    picked = order[np.sort(first_seen)[:test_size]]
    test_rows = bounds[np.sort(picked)]
    free = np.flatnonzero(~_any_in_group(examples, np.isin(hashes, hashes[test_rows])))
    if len(picked) < test_size or not len(free):
        raise UsageError(
            f"task.data holds {len(first_seen)} puzzles that differ by more than a symmetry; "
            f"task.test_size = {test_size} of them cannot be held out with some left to train on.\n"
            "Lower task.test_size, or name other puzzles in task.test_data."
        )
    chosen = np.sort(rng.permutation(free)[:train_size])
    return keep_groups(examples, chosen), select(examples, test_rows)


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


def _any_in_group(examples: Source, rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Tell which groups (G,) hold a marked row (N,)."""
    return np.logical_or.reduceat(rows, group_bounds(examples)[:-1])


def _hashes(geometry: Geometry, examples: Source, progress: Progress) -> Hashes:
    """Return the invariant of every example (N,)."""
    if isinstance(examples, PreparedList):
        return examples.hashes(geometry, progress)
    parts = []
    for start in range(0, len(examples), _AT_ONCE):
        part = examples.take(slice(start, start + _AT_ONCE))
        parts.append(symmetry_hashes(geometry, to_digits(part.inputs), to_digits(part.labels)))
        progress("comparing puzzles", start + len(part), len(examples))
    return np.concatenate(parts)
