"""Assemble the training and the held-out mazes that a configuration asks for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trm_engine.errors import UsageError
from trm_engine.progress import Progress, silent
from trm_engine.tasks.dataset_folder import is_published, read_published
from trm_engine.tasks.examples import Examples
from trm_engine.tasks.kit import holdout
from trm_engine.tasks.kit.holdout import draw_groups, group_bounds, groups_apart, take_groups
from trm_engine.tasks.maze.config import MazeConfig
from trm_engine.tasks.maze.files import read_list
from trm_engine.tasks.maze.generate import generate
from trm_engine.tasks.maze.rules import Shape, first_fault, paths_of
from trm_engine.tasks.maze.text import PATH
from trm_engine.tasks.sources import Located, find, is_folder, is_hub
from trm_engine.text import safe_text


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


_AT_ONCE = 4096


@dataclass(frozen=True)
class MazeData:
    """Training and held-out mazes, and what a person should know of them.

    `ties_are_ours`: some training mazes have several shortest paths, and each label is the one of them that
    `paths.shortest_paths` returns.
    """

    train: Examples
    test: Examples
    facts: dict[str, str]
    ties_are_ours: bool


def build_data(config: MazeConfig, progress: Progress) -> MazeData:
    """Generate or read the mazes; raise `UsageError` where data is not sound or a request cannot be met."""
    shape = Shape(config.rows, config.cols)
    files: dict[str, str] = {}
    if config.data:
        train, test, source, unseen = _read(config, shape, progress, files)
    else:
        train, test, source, unseen = _generated(config, shape, progress)
    images = len(shape.images)
    facts = {
        "source": source,
        "training": _describe(train),
        "test": _describe(test),
        "unseen": f"{unseen} (image: one of the grid's {images} reflections and rotations).",
        **files,
    }
    several, ours = _ties(shape, train)
    facts["labels"] = (
        "Where several paths are shortest, the label is one of them"
        + (": from the start, down before left before right before up." if ours else ".")
        if several
        else "Every training maze has one shortest path only: the rules decide the answer."
    )
    return MazeData(train, test, facts, several and ours)


def load_examples(
    shape: Shape,
    path: Path,
    *,
    split: str,
    check_unique: bool = False,
    columns: str = "",
    progress: Progress = silent,
) -> Examples:
    """Read mazes with their paths: a list, or a dataset folder that is itself a split or holds `split`.

    Mazes have no identity to learn, so identifiers are left out. Raises `UsageError` naming the place and
    what is wrong.
    """
    if not is_folder(path):
        return read_list(shape, path, check_unique=check_unique, columns=columns, progress=progress)
    folder = path if is_published(path) else path / split
    read = read_published(folder, seq_len=shape.cells, vocab_size=PATH + 1, progress=progress).examples
    examples = Examples(read.inputs, read.labels, np.zeros(len(read), np.int32), read.groups)
    for first in range(0, len(examples), _AT_ONCE):
        part = examples.take(slice(first, first + _AT_ONCE))
        fault = first_fault(shape, part)
        if fault is not None:
            raise UsageError(f"{safe_text(str(folder))}, row {first + fault[0]}: {fault[1]}")
        if check_unique and not (unique := paths_of(shape, part.inputs).unique).all():
            row = first + int(unique.argmin())
            raise UsageError(f"{safe_text(str(folder))}, row {row}: the maze has more than one shortest path")
        progress("checking mazes", first + len(part), len(examples))
    return examples


def _generated(config: MazeConfig, shape: Shape, progress: Progress) -> tuple[Examples, Examples, str, str]:
    rng = np.random.default_rng(config.seed)
    examples = generate(config, config.test_size + config.train_size, rng, progress)
    test, train = examples.head(config.test_size), examples.take(slice(config.test_size, None))
    walls = f"{config.wall_share_min:.0%} to {config.wall_share_max:.0%}"
    source = (
        f"Generated with seed {config.seed}: {shape}, each cell a wall with a probability from {walls}, "
        f"shortest paths of at least {config.min_path} cells with start and goal"
        + (", one only in each maze." if config.unique_path else ".")
    )
    return train, test, source, "No two of all these mazes are images of each other"


def _read(
    config: MazeConfig, shape: Shape, progress: Progress, files: dict[str, str]
) -> tuple[Examples, Examples, str, str]:
    """Read what the configuration names; what is said of its Hub files, once verified, goes to `files`."""
    found = find(config.data, field="data", split="train", progress=progress)
    tests = _find_tests(config, found.path, progress)
    for name, located in (("training file", found), ("test file", tests)):
        if located is not None and (described := located.verified(progress)) is not None:
            files[name] = described
    pool = load_examples(shape, found.path, split="train", columns=config.columns, progress=progress)
    if tests is None:
        train, test = hold_out(
            shape, pool, train_size=config.train_size, test_size=config.test_size, seed=config.seed
        )
        source = f"Read from {safe_text(config.data)}; {len(test)} mazes set aside with seed {config.seed}."
        return (
            train,
            test,
            source,
            "No training maze is an image of a test maze, and no test maze of another",
        )
    test = load_examples(shape, tests.path, split="test", columns=config.columns, progress=progress)
    test = choose(Examples(test.inputs, test.labels, test.puzzle_ids), config.test_size, config.seed)
    pool = choose(pool, config.train_size, config.seed)
    train, dropped = drop_equivalent(shape, pool, test)
    if not len(train):
        raise UsageError("task.data: every maze is an image of a test maze, none is left to train on")
    where = config.test_data or (config.data if is_hub(config.data) else str(tests.path))
    source = f"Read from {safe_text(config.data)}, tested on {safe_text(where)}."
    left_out = f"; {dropped} that were have been left out" if dropped else ""
    return train, test, source, f"No training maze is an image of a test maze{left_out}"


def _find_tests(config: MazeConfig, path: Path, progress: Progress) -> Located | None:
    """Return where the test mazes are, or None when they are to be set aside from the training data."""
    if config.test_data:
        return find(config.test_data, field="test_data", split="test", progress=progress)
    if is_hub(config.data):
        return find(config.data, field="data", split="test", progress=progress)
    beside = path.parent / "test.csv"
    if path.name == "train.csv" and Path(config.data).name != "train.csv" and beside.is_file():
        return Located(beside)  # `data` names a folder that holds both
    return Located(path / "test") if is_published(path / "test") else None


def _ties(shape: Shape, mazes: Examples) -> tuple[bool, bool]:
    """Tell whether any maze has several shortest paths, and whether all labels are the one that we choose."""
    several, ours = False, True
    for first in range(0, len(mazes), _AT_ONCE):
        part = mazes.take(slice(first, first + _AT_ONCE))
        paths = paths_of(shape, part.inputs)
        several = several or not paths.unique.all()
        marked = paths.cells & (part.labels == PATH)
        ours = ours and bool((marked.sum(axis=1) + 2 == paths.lengths).all())
    return several, ours


def _describe(examples: Examples) -> str:
    """Say how many mazes there are and how long their paths are."""
    lengths = np.concatenate(
        [
            (examples.labels[first : first + _AT_ONCE] == PATH).sum(axis=1) + 2
            for first in range(0, len(examples), _AT_ONCE)
        ]
    )
    groups = len(examples) if examples.groups is None else len(examples.groups) - 1
    images = "" if groups == len(examples) else f", given in {len(examples)} images"
    mean = f"{lengths.mean():.1f} on average"
    return f"{groups} mazes{images}, with paths of {lengths.min()} to {lengths.max()} cells ({mean})"
