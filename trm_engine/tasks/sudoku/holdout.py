"""Keep training and held-out puzzles apart, where either may be more than the memory holds."""

from __future__ import annotations

import numpy as np

from trm_engine.progress import Progress
from trm_engine.tasks.base import Source
from trm_engine.tasks.kit import holdout
from trm_engine.tasks.kit.holdout import group_bounds, groups_apart, keep_groups
from trm_engine.tasks.subset import select
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.lists.prepared import PreparedList
from trm_engine.tasks.sudoku.symmetry import Hashes, symmetry_hashes
from trm_engine.tasks.sudoku.text import to_digits

_AT_ONCE = 2**14


def drop_equivalent(
    geometry: Geometry, train: Source, test: Source, progress: Progress
) -> tuple[Source, int]:
    """Return `train` without the groups that hold an image of a test puzzle, and how many those were."""
    tested = _hashes(geometry, test, progress)
    apart = groups_apart(train, _hashes(geometry, train, progress), tested)
    dropped = len(group_bounds(train)) - 1 - len(apart)
    return (keep_groups(train, apart) if dropped else train), dropped


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

    Raises `UsageError` when there are not enough of them (see `trm_engine.tasks.kit.holdout.hold_out`).
    """
    hashes = _hashes(geometry, examples, progress)
    groups, test_rows = holdout.hold_out(
        examples, hashes, train_size=train_size, test_size=test_size, rng=rng
    )
    return keep_groups(examples, groups), select(examples, test_rows)


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
