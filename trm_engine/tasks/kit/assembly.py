"""Training and held-out puzzles of a `GeneratedTask`: generated or read from lists, and kept apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from trm_engine.errors import UsageError
from trm_engine.progress import Progress, silent
from trm_engine.tasks.dataset_folder import is_published, read_published
from trm_engine.tasks.examples import Examples, Tokens
from trm_engine.tasks.kit import holdout
from trm_engine.tasks.kit.holdout import draw_groups, group_bounds, groups_apart, take_groups
from trm_engine.tasks.kit.pairs import read_pairs
from trm_engine.tasks.kit.search import GAVE_UP, MANY
from trm_engine.tasks.sources import Located, Split, find, is_folder, is_hub
from trm_engine.text import safe_text

if TYPE_CHECKING:
    from trm_engine.tasks.kit.generated import GeneratedTask

_AT_ONCE = 2048
_PATIENCE = 24
"""Batches without a puzzle that is new before generating gives up."""


class Settings(Protocol):
    """The settings that say which puzzles are wanted."""

    @property
    def train_size(self) -> int:
        """Training puzzles."""

    @property
    def test_size(self) -> int:
        """Held-out puzzles."""

    @property
    def seed(self) -> int:
        """Random seed."""

    @property
    def data(self) -> str:
        """Where training puzzles are read from; empty to generate them."""

    @property
    def test_data(self) -> str:
        """Where held-out puzzles are read from, likewise."""

    @property
    def columns(self) -> str:
        """What the columns of a CSV are called; empty for the usual names."""


@dataclass(frozen=True)
class Puzzles:
    """Training and held-out puzzles, and what a person should know of them."""

    train: Examples
    test: Examples
    facts: dict[str, str]


def assemble(task: GeneratedTask, wanted: Settings, progress: Progress) -> Puzzles:
    """Generate or read puzzles; raise `UsageError` where data is not sound or a request cannot be met."""
    files: dict[str, str] = {}
    if wanted.data:
        train, test, source, unseen = _read(task, wanted, progress, files)
    else:
        train, test, source, unseen = _generated(task, wanted, progress)
    facts = {
        "source": source,
        "training": _describe(task, train),
        "test": _describe(task, test),
        "unseen": f"{unseen} (image: {task.symmetries}).",
        **files,
    }
    return Puzzles(train, test, facts)


def load_examples(
    task: GeneratedTask,
    path: Path,
    *,
    split: Split,
    check_unique: bool = False,
    columns: str = "",
    progress: Progress = silent,
) -> Examples:
    """Read puzzles with solutions: a list, or a dataset folder that is itself a split or holds `split`.

    Puzzles of these kinds have no identity to learn, so identifiers are left out. Raises `UsageError` naming
    the place and what is wrong.
    """
    if not is_folder(path):
        return _read_list(task, path, check_unique, columns, progress)
    folder = path if is_published(path) else path / split
    read = read_published(
        folder, seq_len=task.seq_len, vocab_size=task.vocab_size, progress=progress
    ).examples
    examples = Examples(read.inputs, read.labels, np.zeros(len(read), np.int32), read.groups)
    for first in range(0, len(examples), _AT_ONCE):
        part = examples.take(slice(first, first + _AT_ONCE))
        for row, pair in enumerate(zip(part.inputs, part.labels, strict=True), first):
            fault = _first_fault(task, *pair)
            if fault is not None:
                raise UsageError(f"{safe_text(str(folder))}, row {row}: {fault}")
        for row, count in enumerate(task.solve(part.inputs).count.tolist() if check_unique else [], first):
            if count != 1:
                raise UsageError(f"{safe_text(str(folder))}, row {row}: {_NOT_ONE[count]}")
        progress("checking puzzles", first + len(part), len(examples))
    return examples


def generate_distinct(
    task: GeneratedTask, count: int, rng: np.random.Generator, progress: Progress
) -> Examples:
    """Return `count` generated puzzles, no two of them images of each other.

    Raises `UsageError` when so many do not turn up.
    """
    found: list[Examples] = []
    seen: set[int] = set()
    barren = 0
    while len(seen) < count:
        some = task.generate(min(count - len(seen) + 8, _AT_ONCE), rng)
        fresh = []
        for row, number in enumerate(task.images.hashes(some.inputs).tolist()):
            if number not in seen and len(seen) < count:
                seen.add(number)
                fresh.append(row)
        found.append(some.take(np.array(fresh, np.intp)))
        barren = 0 if fresh else barren + 1
        if barren == _PATIENCE:
            raise UsageError(
                f"only {len(seen):,} puzzles were found that differ by more than a symmetry; task.train_size "
                f"+ task.test_size asks for {count:,}.\n{task.remedy}"
            )
        progress("generating puzzles", len(seen), count)
    return Examples.of(
        np.concatenate([part.inputs for part in found]), np.concatenate([part.labels for part in found])
    )


_Assembled = tuple[Examples, Examples, str, str]


def _generated(task: GeneratedTask, wanted: Settings, progress: Progress) -> _Assembled:
    rng = np.random.default_rng(wanted.seed)
    examples = generate_distinct(task, wanted.test_size + wanted.train_size, rng, progress)
    test, train = examples.head(wanted.test_size), examples.take(slice(wanted.test_size, None))
    source = f"Generated with seed {wanted.seed}: {task.origin}; each puzzle has exactly one solution."
    return train, test, source, "No two of all these puzzles are images of each other"


def _read(task: GeneratedTask, wanted: Settings, progress: Progress, files: dict[str, str]) -> _Assembled:
    """Read what the settings name; what is said of files of the Hub, once verified, goes to `files`."""
    found = find(wanted.data, field="data", split="train", progress=progress)
    tests = _find_tests(wanted, found.path, progress)
    for name, located in (("training file", found), ("test file", tests)):
        if located is not None and (described := located.verified(progress)) is not None:
            files[name] = described
    pool = load_examples(task, found.path, split="train", columns=wanted.columns, progress=progress)
    hashes = task.images.hashes(pool.inputs)
    if tests is None:
        groups, rows = holdout.hold_out(
            pool,
            hashes,
            train_size=wanted.train_size,
            test_size=wanted.test_size,
            rng=np.random.default_rng([wanted.seed, 1]),
        )
        source = f"Read from {safe_text(wanted.data)}; {len(rows)} puzzles set aside with seed {wanted.seed}."
        unseen = "No training puzzle is an image of a test puzzle, and no test puzzle of another"
        return take_groups(pool, groups), pool.take(rows), source, unseen
    test = load_examples(task, tests.path, split="test", columns=wanted.columns, progress=progress)
    test = _choose(Examples(test.inputs, test.labels, test.puzzle_ids), wanted.test_size, wanted.seed)
    apart = groups_apart(pool, hashes, task.images.hashes(test.inputs))
    dropped = len(group_bounds(pool)) - 1 - len(apart)
    if not len(apart):
        raise UsageError("task.data: every puzzle is an image of a test puzzle, none is left to train on")
    train = _choose(take_groups(pool, apart) if dropped else pool, wanted.train_size, wanted.seed)
    where = wanted.test_data or (wanted.data if is_hub(wanted.data) else str(tests.path))
    source = f"Read from {safe_text(wanted.data)}, tested on {safe_text(where)}."
    left_out = f"; {dropped} that were have been left out" if dropped else ""
    return train, test, source, f"No training puzzle is an image of a test puzzle{left_out}"


def _choose(examples: Examples, limit: int, seed: int) -> Examples:
    """Return at most `limit` groups of examples, drawn with `seed`, in their order."""
    drawn = draw_groups(examples, limit, seed)
    return examples if drawn is None else take_groups(examples, drawn)


def _find_tests(wanted: Settings, path: Path, progress: Progress) -> Located | None:
    """Return where the test puzzles are, or None when they are to be set aside from the training data."""
    if wanted.test_data:
        return find(wanted.test_data, field="test_data", split="test", progress=progress)
    if is_hub(wanted.data):
        return find(wanted.data, field="data", split="test", progress=progress)
    beside = path.parent / "test.csv"
    if path.name == "train.csv" and Path(wanted.data).name != "train.csv" and beside.is_file():
        return Located(beside)  # `data` names a folder that holds both
    return Located(path / "test") if is_published(path / "test") else None


_NOT_ONE = {
    0: "the puzzle has no solution; correct or remove it",
    MANY: "the puzzle has more than one solution; correct or remove it",
    GAVE_UP: "the puzzle is too hard to solve by search; give its solution, or remove it",
}


def _read_list(
    task: GeneratedTask, path: Path, check_unique: bool, columns: str, progress: Progress
) -> Examples:
    """Read a list; missing solutions are worked out, and must be the only ones, with `check_unique` all."""
    inputs, labels, open_rows = [], [], []
    pairs = read_pairs(path, columns, progress)
    for row, pair in enumerate(pairs):
        with pair.named():
            inputs.append(task.read(pair.puzzle))
            labels.append(task.read(pair.solution) if pair.solution else inputs[-1])
            fault = _first_fault(task, inputs[-1], labels[-1] if pair.solution else None)
            if fault is not None:
                raise UsageError(fault)
        if check_unique or not pair.solution:
            open_rows.append(row)
    puzzles, answers = np.stack(inputs), np.stack(labels)
    for first in range(0, len(open_rows), _AT_ONCE):
        rows = open_rows[first : first + _AT_ONCE]
        solved = task.solve(puzzles[rows])
        for row, count in zip(rows, solved.count.tolist(), strict=True):
            if count != 1:
                with pairs[row].named():
                    raise UsageError(_NOT_ONE[count])
        answers[rows] = solved.answers
        progress("solving puzzles", first + len(rows), len(open_rows))
    return Examples.of(puzzles, answers)


def _first_fault(task: GeneratedTask, puzzle: Tokens, answer: Tokens | None) -> str | None:
    """Say what is wrong with a puzzle (L,) or, where there is one, its solution (L,); None for nothing."""
    for fault in task.faults_of_puzzle(puzzle):
        return fault.reason
    for fault in [] if answer is None else task.faults(puzzle, answer):
        return f"the solution breaks the rules: {fault.reason}"
    return None


def _describe(task: GeneratedTask, examples: Examples) -> str:
    groups = len(group_bounds(examples)) - 1
    images = "" if groups == len(examples) else f", given in {len(examples)} images"
    return f"{groups} puzzles{images}, with {task.describe(examples.inputs)}"
