"""Generate as many puzzles as are asked for, no two of which are images of each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trm_engine.errors import UsageError
from trm_engine.progress import Progress, silent
from trm_engine.tasks.sudoku.generation.generate import ClueRange, Counts, generate
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.puzzles import Puzzles
from trm_engine.tasks.sudoku.symmetry import Hashes, symmetry_hashes

_LARGEST_BATCH = 4096
_LEAST_YIELD = 1 / 64
_PATIENCE = 1024
"""Puzzles dug before a clue count is called out of reach; an eighth above 9×9, where digging is slow."""
_RARE = 0.002
_WINDOW = 1024
"""Sound puzzles within which at least a share `_NEW_SHARE` must be new for the search to go on."""
_NEW_SHARE = 0.01


def generate_distinct(
    geometry: Geometry, count: int, clues: ClueRange, rng: np.random.Generator, progress: Progress = silent
) -> Puzzles:
    """Return `count` generated puzzles in random order, all proven inequivalent by `symmetry_hashes`.

    Raises `UsageError` when the clue count is not reached, or when too few inequivalent puzzles turn up.
    """
    parts: list[Puzzles] = []
    seen = np.empty(0, np.uint64)
    ended_at: Counts = np.empty(0, np.int64)
    reached = tried = new = 0
    expected_yield = 1.0
    while len(seen) < count:
        missing = count - len(seen)
        # Large batches dig faster; a small one tells sooner that a clue count is out of reach.
        largest = _LARGEST_BATCH if reached or clues == ClueRange(0, 0) else _PATIENCE
        size = min(int(missing / expected_yield) + 8, largest)
        batch = generate(geometry, size, clues, rng, _inner(progress, len(seen), count))
        ended_at = np.concatenate([ended_at, batch.ended_at])
        reached += len(batch.puzzles)
        _require_reach(geometry, clues, reached, ended_at)
        rows, hashes = _not_in(seen, symmetry_hashes(geometry, batch.puzzles.clues, batch.puzzles.solutions))
        parts.append(batch.puzzles.take(rows))
        seen = np.concatenate([seen, hashes])
        expected_yield = max(len(rows) / size, _LEAST_YIELD)
        tried, new = tried + len(batch.puzzles), new + len(rows)
        if tried >= _WINDOW:
            if new < _NEW_SHARE * tried and len(seen) < count:
                raise UsageError(_too_few(geometry, len(seen), count, clues))
            tried = new = 0
    progress("generating puzzles", count, count)
    return Puzzles.join(parts).take(rng.permutation(len(seen))[:count])


def _inner(progress: Progress, before: int, count: int) -> Progress:
    """Report a batch's own progress as the part of the whole that it is at best."""

    def report(_what: str, done: int, _total: int) -> None:
        progress("generating puzzles", min(before + done, count), count)

    return report


def _not_in(seen: Hashes, hashes: Hashes) -> tuple[npt.NDArray[np.intp], Hashes]:
    """Return the rows whose hash occurs for the first time, and those hashes."""
    unique, rows = np.unique(hashes, return_index=True)
    fresh = ~np.isin(unique, seen)
    return rows[fresh], unique[fresh]


def _require_reach(geometry: Geometry, clues: ClueRange, reached: int, ended_at: Counts) -> None:
    """Raise `UsageError` when the clue count asked for is too rarely reached to go on."""
    patience = _PATIENCE if geometry.side <= 9 else _PATIENCE // 8
    tries = len(ended_at)
    if tries < patience or reached > _RARE * tries:
        return
    field, value = ("clues", clues.low) if clues.low else ("clues_max", clues.high)
    likely = int(np.quantile(ended_at, 0.1, method="higher"))
    raise UsageError(
        f"task.{field} = {value}: {reached} of {tries} generated {geometry} puzzles got down to it with one "
        f"solution; they end at {ended_at.min()} to {ended_at.max()} clues.\n"
        f"Set task.{field} to {likely} or more, or to 0 for minimal puzzles."
    )


def _too_few(geometry: Geometry, found: int, count: int, clues: ClueRange) -> str:
    """Say that there are too few inequivalent puzzles, and what to do."""
    remedy = "Lower task.train_size or task.test_size"
    if not clues.low and not clues.high:
        remedy += ", or mix clue counts by setting task.clues_max"
    elif clues.low or clues.high < geometry.cells * 3 // 4:
        remedy += ", or mix more clue counts: task.clues = 0 and a higher task.clues_max"
    return (
        f"only {found} {geometry} puzzles with these clue counts differ by more than a symmetry; "
        f"task.train_size + task.test_size asks for {count}.\n{remedy}."
    )
