"""Assemble the training and the held-out puzzles that a configuration asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trm_engine.errors import UsageError
from trm_engine.progress import Progress, silent
from trm_engine.tasks.dataset_folder import is_published, read_published
from trm_engine.tasks.examples import Examples, Source
from trm_engine.tasks.kit import holdout
from trm_engine.tasks.kit.holdout import draw_groups, group_bounds, groups_apart, keep_groups
from trm_engine.tasks.sources import Located, Split, as_path, find, is_folder, is_hub
from trm_engine.tasks.subset import hold, select
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_engine.tasks.sudoku.generation.distinct import generate_distinct
from trm_engine.tasks.sudoku.generation.generate import ClueRange
from trm_engine.tasks.sudoku.geometry import Geometry
from trm_engine.tasks.sudoku.lists.files import DEFAULT, Reading, read_list
from trm_engine.tasks.sudoku.lists.prepared import PreparedList, is_long, prepared, prepared_sha256
from trm_engine.tasks.sudoku.lists.sample import sample_rows
from trm_engine.tasks.sudoku.puzzles import Puzzles
from trm_engine.tasks.sudoku.rules import first_fault
from trm_engine.tasks.sudoku.symmetry import Hashes, symmetry_hashes
from trm_engine.tasks.sudoku.text import BLANK, to_digits, to_tokens
from trm_engine.text import safe_text


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


_AT_ONCE = 2**14


@dataclass(frozen=True)
class SudokuData:
    """Training and held-out puzzles, and what a person should know of them."""

    train: Source
    test: Source
    facts: dict[str, str]


def geometry_of(config: SudokuConfig) -> Geometry:
    """Return the grid that a configuration describes."""
    return Geometry(config.box_rows, config.box_cols)


def build_data(config: SudokuConfig, progress: Progress) -> SudokuData:
    """Generate or read the puzzles; raise `UsageError` where data is not sound or a request cannot be met."""
    return _read(config, progress) if config.data else _generated(config, progress)


def load_examples(
    geometry: Geometry,
    path: Path,
    *,
    split: Split,
    limit: int | None = None,
    seed: int = 0,
    check_unique: bool = False,
    reading: Reading = DEFAULT,
    progress: Progress = silent,
) -> Source:
    """Read puzzles with solutions: a list, or a dataset folder that is itself a split or holds `split`.

    Of more than `limit` puzzles (groups, in a folder) a choice is drawn with `seed`. A long list is read once
    into files, and stays there for testing, or where it is too large to hold. Sudoku puzzles have no identity
    to learn, so identifiers are left out. Raises `UsageError` naming the place and what is wrong.
    """
    if is_folder(path):
        return _load_folder(geometry, path, split, limit, seed, progress)
    worth_it = is_long(path, reading) and not check_unique
    long = prepared(geometry, path, progress, reading) if worth_it else None
    if long is None:
        puzzles = read_list(
            geometry,
            path,
            limit=limit,
            seed=seed,
            check_unique=check_unique,
            reading=reading,
            progress=progress,
        )
        return _as_examples(puzzles)
    if limit is not None and limit < len(long):
        return select(long, sample_rows(len(long), limit, np.random.default_rng(seed)))
    return long if split == "test" else hold(long)


def _load_folder(
    geometry: Geometry, path: Path, split: Split, limit: int | None, seed: int, progress: Progress
) -> Source:
    folder = path if is_published(path) else path / split
    read = read_published(
        folder, seq_len=geometry.cells, vocab_size=geometry.side + 2, progress=progress
    ).examples
    examples = Examples(read.inputs, read.labels, np.zeros(len(read), np.int32), read.groups)
    _require_sudoku(geometry, folder, examples, progress)
    drawn = None if limit is None else draw_groups(examples, limit, seed)
    return examples if drawn is None else keep_groups(examples, drawn)


def _as_examples(puzzles: Puzzles) -> Examples:
    examples = Examples.of(to_tokens(puzzles.clues), to_tokens(puzzles.solutions))
    return replace(examples, notes=puzzles.notes)


def reading_of(config: SudokuConfig) -> Reading:
    """Return how a configuration wants lists to be read."""
    return Reading(config.columns, config.zero)


def _generated(config: SudokuConfig, progress: Progress) -> SudokuData:
    geometry = geometry_of(config)
    examples = _as_examples(
        generate_distinct(
            geometry,
            config.test_size + (config.train_pool or config.train_size),
            ClueRange(config.clues, config.clues_max),
            np.random.default_rng(config.seed),
            progress,
        )
    )
    test = examples.head(config.test_size)
    train = examples.take(slice(config.test_size, config.test_size + config.train_size))
    unseen = f"No two of all these puzzles are images of each other under {_symmetries(geometry)}."
    if (geometry.box_rows, geometry.box_cols) == (2, 2):
        unseen += (
            " 4×4 has only two solution grids up to such symmetry: the model has seen images of the solutions"
            " of test puzzles, but never with these clues."
        )
    source = f"Generated with seed {config.seed}; each puzzle has exactly one solution."
    return SudokuData(train, test, _facts(source, train, test, unseen))


def _read(config: SudokuConfig, progress: Progress) -> SudokuData:
    geometry, reading = geometry_of(config), reading_of(config)
    found = find(config.data, field="data", split="train", progress=progress)
    tests = _find_tests(config, progress)
    held_out = 0 if tests else config.test_size
    pool = load_examples(
        geometry,
        found.path,
        split="train",
        limit=config.train_size + held_out,
        seed=config.seed,
        reading=reading,
        progress=progress,
    )
    apart = f"an image of a test puzzle under {_symmetries(geometry)}"
    if tests is None:
        train, test = hold_out(
            geometry,
            pool,
            train_size=config.train_size,
            test_size=config.test_size,
            rng=np.random.default_rng([config.seed, 1]),
            progress=progress,
        )
        source = f"Read from {safe_text(config.data)}; {len(test)} puzzles set aside with seed {config.seed}."
        unseen = f"No training puzzle is {apart}, and no test puzzle of another."
        return SudokuData(train, test, _facts(source, train, test, unseen) | _say_reading(pool))
    test = load_examples(
        geometry,
        tests.path,
        split="test",
        limit=config.test_size,
        seed=config.seed,
        reading=reading,
        progress=progress,
    )
    if isinstance(test, Examples) and test.groups is not None:
        test = Examples(test.inputs, test.labels, test.puzzle_ids)
    train, dropped = drop_equivalent(geometry, pool, test, progress)
    if not len(train):
        raise UsageError("task.data: every puzzle is an image of a test puzzle, none is left to train on")
    source = f"Read from {safe_text(config.data)}, tested on {safe_text(_name(tests))}."
    left_out = f"; {dropped} that were have been left out" if dropped else ""
    facts = _facts(source, train, test, f"No training puzzle is {apart}{left_out}.")
    for name, located in (("training file", found), ("test file", tests)):
        known = prepared_sha256(geometry, located.path, reading) if located.hub else None
        if (described := located.verified(progress, known=known)) is not None:
            facts[name] = described
    return SudokuData(train, test, facts | _say_reading(pool, test))


def _find_tests(config: SudokuConfig, progress: Progress) -> Located | None:
    """Return where the test puzzles are, or None when they are to be set aside from the training data."""
    if config.test_data:
        return find(config.test_data, field="test_data", split="test", progress=progress)
    if is_hub(config.data):
        return find(config.data, field="data", split="test", progress=progress)
    folder = as_path(config.data)
    if is_published(folder / "test"):
        return Located(folder / "test")
    return Located(folder / "test.csv") if (folder / "test.csv").is_file() else None


def _name(located: Located) -> str:
    return f"its {located.hub.name}" if located.hub else str(located.path)


def _facts(source: str, train: Source, test: Source, unseen: str) -> dict[str, str]:
    return {"source": source, "training": _describe(train), "test": _describe(test), "unseen": unseen}


def _say_reading(*sources: Source) -> dict[str, str]:
    """Return how lists were read, as a fact, where a person should know."""
    notes = dict.fromkeys(note for source in sources for note in source.notes)
    return {"reading": "; ".join(notes)} if notes else {}


def _require_sudoku(geometry: Geometry, folder: Path, examples: Examples, progress: Progress) -> None:
    """Raise `UsageError` at the first row of a dataset folder that is no puzzle with its solution."""
    for start in range(0, len(examples), _AT_ONCE):
        part = examples.take(slice(start, start + _AT_ONCE))
        inputs, labels = part.inputs, part.labels
        unsolved = np.flatnonzero((labels <= BLANK).all(axis=1) | (inputs < BLANK).any(axis=1))
        fault = first_fault(geometry, to_digits(inputs), to_digits(labels))
        if len(unsolved) and (fault is None or unsolved[0] <= fault[0]):
            fault = int(unsolved[0]), "it lacks cells or has no solution"
        if fault is not None:
            raise UsageError(f"{safe_text(str(folder))}, row {start + fault[0]}: {fault[1]}")
        progress("checking puzzles", start + len(inputs), len(examples))


def _symmetries(geometry: Geometry) -> str:
    transposed = ", or transposition" if geometry.square_boxes else ""
    return f"permutations of digits, bands, stacks, rows and columns{transposed}"


def _describe(examples: Source) -> str:
    """Say how many puzzles there are and how many clues they have."""
    counts = np.concatenate(
        [
            (examples.take(slice(start, start + _AT_ONCE)).inputs > BLANK).sum(axis=1, dtype=np.int16)
            for start in range(0, len(examples), _AT_ONCE)
        ]
    )
    groups = len(group_bounds(examples)) - 1
    images = "" if groups == len(examples) else f", given in {len(examples)} images"
    clues = f"{counts.min()} clues each"
    if counts.min() != counts.max():
        clues = f"{counts.min()} to {counts.max()} clues ({counts.mean():.1f} on average)"
    return f"{groups} puzzles{images}, with {clues}"
