"""ARC tasks out of a published dataset folder: rows that were made beforehand, each an image of a task.

`identifiers.json` tells the image of each puzzle identifier; `test_puzzles.json`, where there is one, the
held-out tasks as they were before augmentation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trm_engine.errors import UsageError
from trm_engine.files import unusable
from trm_engine.progress import Progress
from trm_engine.tasks.arc.canvas import colour_counts, cornered, first_fault
from trm_engine.tasks.arc.config import COLOURS, ArcConfig
from trm_engine.tasks.arc.data import ArcData, Query, key_of, say_test, say_unseen
from trm_engine.tasks.arc.files import load_json, load_tasks
from trm_engine.tasks.arc.grids import Pair, Puzzle, as_puzzle, placed
from trm_engine.tasks.arc.identifiers import Identifiers, as_identifiers, names_of
from trm_engine.tasks.arc.text import to_grid
from trm_engine.tasks.arc.twins import HeldOut
from trm_engine.tasks.dataset_folder import is_published, read_published
from trm_engine.tasks.examples import Examples, Source
from trm_engine.tasks.sources import as_path
from trm_engine.text import safe_text

IDENTIFIERS, TEST_PUZZLES = "identifiers.json", "test_puzzles.json"
_LARGEST_NAMES = 2**28
_AT_ONCE = 2**11
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Cornered(Source):
    """Rows of a folder, or some of them (`chosen`, rising), each grid in the corner of its canvas.

    A folder may have shifted them, once and for all; training shifts them anew whenever it takes them.
    """

    rows: Examples
    size: int
    chosen: Rows | None = None
    groups: npt.NDArray[np.integer] | None = None

    @property
    def streamed(self) -> bool:
        """Whether the rows are read from files."""
        return self.rows.streamed

    def __len__(self) -> int:
        return len(self.rows if self.chosen is None else self.chosen)

    def take(self, rows: npt.NDArray[np.integer] | slice) -> Examples:
        """Return the given rows, copied out of any memory map."""
        part = self.rows.take(rows if self.chosen is None else self.chosen[rows])
        return Examples(cornered(part.inputs, self.size), cornered(part.labels, self.size), part.puzzle_ids)

    def content(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """Return the folder's arrays, and which rows of them count, in which groups."""
        own = {"rows": self.chosen, "groups": self.groups}
        return self.rows.content() | {name: array for name, array in own.items() if array is not None}


def folder_of(data: str) -> Path | None:
    """Return the dataset folder, or the part of one, that a `data` field names; None where it names none."""
    try:
        folder = as_path(data)
    except UsageError:
        return None
    parts = (folder, folder / "train", folder / "test")
    return folder if any(is_published(part) for part in parts) else None


def build_from_folder(config: ArcConfig, folder: Path, progress: Progress) -> ArcData:
    """Read both parts of a folder; raise `UsageError` where they are not sound or do not fit together.

    Training has all rows but those whose input is asked for in the test, the test the originals of its rows.
    """
    if is_published(folder):
        raise UsageError(
            f"[task] data: {safe_text(config.data)} is one part of a dataset folder; name the folder that "
            "holds train and test"
        )
    names = _read_identifiers(folder / IDENTIFIERS)
    if len(names.records) > config.num_puzzle_ids:
        raise UsageError(
            f"[task] augmentations: {safe_text(config.data)} has {len(names.records):,} puzzle identifiers, "
            f"and {config.augmentations} images of each task allow for {config.num_puzzle_ids:,}; set it to "
            "as many images as the folder has of each task"
        )
    train, images = (_read_part(folder / part, config.size, names, progress) for part in ("train", "test"))
    test = _originals(folder / "test", images, names, config.size)
    held_out = _held_out(folder, train, test, names, config.size)
    puzzles = [held_out.get(name, Puzzle(name, (), ())) for name in names.tasks]
    queries = [
        Query(puzzle.name, number, pair.input, pair.output)
        for puzzle in puzzles
        for number, pair in enumerate(puzzle.test)
    ]
    kept = _not_asked(train, queries, config.size, progress)
    if not len(kept):
        raise UsageError(f"[task] data: {safe_text(config.data)} has no pair that the test does not ask for")
    left_out = len(train) - len(kept)
    learned = Cornered(train, config.size, groups=train.groups)
    if left_out and train.groups is not None:
        bounds = np.unique(np.searchsorted(kept, train.groups))
        learned = Cornered(train, config.size, kept, bounds)
    lessons = _pairs_of_tasks(train.puzzle_ids[kept], names)
    facts = {
        "source": f"Read from the dataset folder {safe_text(config.data)}, {len(names.tasks)} tasks",
        "training": f"{len(learned)} examples of {np.count_nonzero(lessons)} tasks in "
        f"{len(names.records) - 1} images (the originals counted)",
        "test": say_test(len(held_out), len(test), len(queries)),
        "unseen": say_unseen(left_out),
    }
    return ArcData(
        puzzles, names.records, names.first_id, lessons, learned, test, queries, facts, config.size
    )


def load_folder(folder: Path, size: int, known: Identifiers, progress: Progress) -> Source:
    """Return the originals of a folder's test part, or of a part itself.

    Tasks and images that `known` has too, by name, keep their identifiers; others have the blank one. Raises
    `UsageError` where the folder is not sound.
    """
    part = folder.resolve() if is_published(folder) else folder / "test"
    names = _read_identifiers(part.parent / IDENTIFIERS)
    test = _originals(part, _read_part(part, size, names, progress), names, size)
    number = {name: place for place, name in enumerate(names_of(known))}
    ids = [number.get(names.tasks[place], 0) for place in _places(test.puzzle_ids, names)]
    return Examples(test.inputs, test.labels, np.array(ids, np.int32))


def _read_identifiers(path: Path) -> Identifiers:
    with placed(str(path)):
        return as_identifiers(load_json(path, _LARGEST_NAMES))


def _read_part(folder: Path, size: int, names: Identifiers, progress: Progress) -> Examples:
    """Read one part as it is; every row must be a pair of grids with an identifier that has a name."""
    read = read_published(folder, seq_len=size**2, vocab_size=COLOURS + 2, progress=progress)
    named, counted = len(names.records), read.metadata.num_puzzle_identifiers
    if named != counted:
        raise unusable(folder, f"has {counted} puzzle identifiers, and {IDENTIFIERS} names {named}")
    rows = read.examples
    blank = np.flatnonzero(rows.puzzle_ids == 0)
    if len(blank):
        raise unusable(folder, f"row {blank[0]} has the blank identifier; an ARC pair needs that of its task")
    for start in range(0, len(rows), _AT_ONCE):
        part = rows.take(slice(start, start + _AT_ONCE))
        fault = first_fault(part.inputs, part.labels, size)
        if fault is not None:
            raise unusable(folder, f"row {start + fault[0]}: {fault[1]}")
        progress("checking pairs", start + len(part), len(rows))
    return rows


def _places(ids: npt.NDArray[np.integer], names: Identifiers) -> npt.NDArray[np.intp]:
    """Return the places (N,) of the tasks that identifiers (N,) belong to."""
    return np.searchsorted(np.array(names.first_id), ids, side="right") - 1


def _originals(folder: Path, rows: Examples, names: Identifiers, size: int) -> Examples:
    """Return the rows that are no images, in memory."""
    own = np.flatnonzero(np.isin(rows.puzzle_ids, names.first_id[:-1]))
    if not len(own):
        raise unusable(folder, "has images only, and no pair of a task as it is")
    return Cornered(rows, size, own).take(slice(None))


def _pairs(rows: Examples, names: Identifiers, size: int) -> dict[str, tuple[Pair, ...]]:
    """Return rows in the corner as pairs, by the name of their task."""
    found: dict[str, tuple[Pair, ...]] = {}
    for place, given, label in zip(
        _places(rows.puzzle_ids, names).tolist(), rows.inputs, rows.labels, strict=True
    ):
        task = names.tasks[place]
        found[task] = (*found.get(task, ()), Pair(to_grid(given, size), to_grid(label, size)))
    return found


def _held_out(
    folder: Path, train: Examples, test: Examples, names: Identifiers, size: int
) -> dict[str, Puzzle]:
    """Return the held-out tasks by name: as `test_puzzles.json` has them, or as the rows show them."""
    tests = _pairs(test, names, size)
    path = folder / TEST_PUZZLES
    if not path.exists():
        ids = np.unique(test.puzzle_ids)
        rows = Cornered(train, size, np.flatnonzero(np.isin(train.puzzle_ids, ids))).take(slice(None))
        shown = _pairs(rows, names, size)
        return {task: Puzzle(task, shown.get(task, ()), pairs) for task, pairs in tests.items()}
    with placed(str(path)):
        puzzles = {task: as_puzzle(task, value) for task, value in load_tasks(path).items()}
    for task, puzzle in puzzles.items():
        if task not in names.tasks:
            raise unusable(path, f"task {task} has no puzzle identifier in {IDENTIFIERS}")
        if puzzle.side > size:
            raise unusable(path, f"task {task} has a grid larger than {size}×{size} (task.size)")
    for task, pairs in tests.items():
        known = {_key_of(pair) for pair in puzzles[task].test} if task in puzzles else set()
        if not known.issuperset(map(_key_of, pairs)):
            raise unusable(path, f"task {task} lacks a test pair that the test part of the folder has")
    return puzzles


def _key_of(pair: Pair) -> tuple[object, object]:
    return key_of(pair.input), None if pair.output is None else key_of(pair.output)


def _not_asked(train: Examples, queries: Sequence[Query], size: int, progress: Progress) -> Rows:
    """Return the training rows whose grid is no image of a held-out input."""
    asked = HeldOut(query.input for query in queries)
    kept = np.ones(len(train), np.bool_)
    for start in range(0, len(train), _AT_ONCE):
        part = train.take(slice(start, start + _AT_ONCE))
        counts = colour_counts(part.inputs, COLOURS)
        for row in [row for row, of_row in enumerate(counts) if asked.may_hold(of_row)]:
            kept[start + row] = to_grid(cornered(part.inputs[row : row + 1], size)[0], size) not in asked
        progress("looking for held-out inputs", start + len(part), len(train))
    return np.flatnonzero(kept)


def _pairs_of_tasks(ids: npt.NDArray[np.integer], names: Identifiers) -> list[int]:
    """Return how many pairs each task has, its images alike, from the identifiers (N,) of all rows."""
    of_identifiers = np.bincount(ids, minlength=len(names.records))
    most: list[int] = np.maximum.reduceat(of_identifiers, names.first_id[:-1]).tolist()
    return most
