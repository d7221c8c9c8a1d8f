"""What every task keeps to, as checks that any task can be put through.

A `Subject` is a task's configuration in a tiny form. `CHECKS` hold for every task, `PUZZLE_CHECKS` for tasks
about puzzles as well.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest

from trm_engine.config.sections import TaskConfig
from trm_engine.errors import UsageError
from trm_engine.interop.dataset_writer import write_task
from trm_engine.tasks import build_task, dataset_folder
from trm_engine.tasks.base import IGNORE_LABEL, PAD, Examples, PuzzleTask, Source, Task, Tokens
from trm_engine.tasks.dataset_folder import read_published
from trm_engine.tasks.export import write_list
from trm_engine.tasks.fingerprint import fingerprint

AT_ONCE = 24
"""Rows that a check looks at."""
NONSENSE = (
    "",
    " \n ",
    "no puzzle ☃",
    "\x1b[2J\x07",
    "[[",
    "{}",
    "[[[1]]]",
    "-1",
    "\x00",
    "?" * 10_000,
    "9" * 100_000,
)


@dataclass
class Subject:
    """A task to check: `configure` returns its tiny configuration, given a folder for data and a seed."""

    configure: Callable[[Path, int], TaskConfig]
    folder: Path
    reads_published: bool = True
    """May a published dataset folder be its `data`?"""

    def config(self, seed: int = 0) -> TaskConfig:
        return self.configure(self.folder, seed)

    def build(self, seed: int = 0) -> Task:
        return build_task(self.config(seed))

    @cached_property
    def task(self) -> Task:
        return self.build()

    @cached_property
    def again(self) -> Task:
        return self.build()

    @property
    def puzzles(self) -> PuzzleTask:
        assert isinstance(self.task, PuzzleTask)
        return self.task

    @property
    def sources(self) -> dict[str, Source]:
        return {"train": self.task.train, "test": self.task.test}

    @property
    def heads(self) -> Iterator[Examples]:
        """The first rows of both parts, as they are and augmented."""
        for source in self.sources.values():
            rows = source.head(AT_ONCE)
            yield rows
            yield self.task.augment(rows, np.random.default_rng(5))


def rows_of(source: Source) -> tuple[object, ...]:
    whole = source.take(slice(0, len(source)))
    groups = range(len(source) + 1) if source.groups is None else source.groups
    labels = np.maximum(whole.labels, PAD)
    return whole.inputs.tolist(), labels.tolist(), whole.puzzle_ids.tolist(), list(map(int, groups))


def answers_to(subject: Subject) -> Iterator[tuple[Tokens, Tokens]]:
    """Yield held-out puzzles with answers: right, wrong in one cell, the puzzle itself, and nonsense."""
    rows, rng = subject.task.test.head(AT_ONCE), np.random.default_rng(8)
    for puzzle, label in zip(rows.inputs, rows.labels, strict=True):
        spoilt = label.copy()
        spoilt[rng.integers(len(label))] = rng.integers(subject.task.vocab_size)
        nonsense = rng.integers(0, subject.task.vocab_size, len(label)).astype(label.dtype)
        for answer in (label, spoilt, puzzle, nonsense):
            yield puzzle, answer


def same_rows(a: Examples, b: Examples) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name)) for name in ("inputs", "labels", "puzzle_ids")
    )


# --- every task -------------------------------------------------------------------------------------------


def check_sizes_agree_with_the_configuration(subject: Subject) -> None:
    config, task = subject.config(), subject.task
    assert task.seq_len == config.seq_len
    if isinstance(task, PuzzleTask):
        assert task.vocab_size == config.vocab_size
    else:  # a text decides how much of its room it needs
        assert task.vocab_size <= config.vocab_size


def check_rows_have_the_shapes_and_types_of_examples(subject: Subject) -> None:
    for source in subject.sources.values():
        assert len(source) > 0
        rows = source.head(AT_ONCE)
        assert rows.inputs.shape == rows.labels.shape == (min(AT_ONCE, len(source)), subject.task.seq_len)
        assert rows.puzzle_ids.shape == (len(rows),)
        assert all(array.dtype.kind in "iu" for array in (rows.inputs, rows.labels, rows.puzzle_ids))


def check_tokens_are_in_the_vocabulary(subject: Subject) -> None:
    task = subject.task
    for rows in subject.heads:
        assert rows.inputs.min() >= PAD
        assert rows.inputs.max() < task.vocab_size
        scored = rows.labels[rows.labels != IGNORE_LABEL].astype(np.int64)
        assert scored.min() >= PAD
        assert scored.max() < task.vocab_size
        assert (rows.labels > PAD).any(axis=1).all(), "a row has nothing to learn"


def check_identifiers_have_names(subject: Subject) -> None:
    task = subject.task
    names = list(task.identifiers)
    assert len(names) == len(set(names)) == task.num_puzzle_ids
    json.dumps([names, dict(task.test_puzzles)])
    for source in subject.sources.values():
        ids = source.take(slice(0, len(source))).puzzle_ids
        assert ids.min() >= 0
        assert ids.max() < task.num_puzzle_ids


def check_groups_bound_the_rows(subject: Subject) -> None:
    for source in subject.sources.values():
        if source.groups is not None:
            assert source.groups[0] == 0
            assert source.groups[-1] == len(source)
            assert (np.diff(source.groups) > 0).all()


def check_two_builds_are_equal(subject: Subject) -> None:
    for name, source in subject.sources.items():
        assert rows_of(source) == rows_of(getattr(subject.again, name))
    assert subject.task.facts == subject.again.facts
    assert all(isinstance(fact, str) for item in subject.task.facts.items() for fact in item)


def check_another_seed_makes_other_rows(subject: Subject) -> None:
    if "seed" in type(subject.config()).model_fields:
        other = subject.build(seed=1)
        assert rows_of(other.train) != rows_of(subject.task.train)


def check_training_and_test_share_no_row(subject: Subject) -> None:
    train, test = (
        {(*map(bytes, pair),) for pair in zip(rows.inputs, rows.labels, strict=True)}
        for rows in (source.take(slice(0, len(source))) for source in subject.sources.values())
    )
    assert not train & test


def check_every_way_of_taking_rows_agrees(subject: Subject) -> None:
    for source in subject.sources.values():
        whole = source.take(slice(0, len(source)))
        last = len(source) - 1
        for rows in (np.array([last, 0, last]), np.arange(len(source))[::-1], np.array([], np.intp)):
            assert same_rows(source.take(rows), whole.take(rows))
        for part in (slice(1, 4), slice(last, None), slice(0, 0), slice(last, last + 9)):
            assert same_rows(source.take(part), whole.take(part))
        assert same_rows(source.head(3), whole.take(slice(0, 3)))
        assert source.take(slice(0, 2)).groups is None


def check_rows_taken_are_copies(subject: Subject) -> None:
    for source in subject.sources.values():
        before = source.head(2)
        taken = source.head(2)
        taken.inputs[:] = 0
        taken.labels[:] = 0
        assert same_rows(source.head(2), before)


def check_the_fingerprint_is_of_the_content(subject: Subject) -> None:
    assert fingerprint(subject.task) == fingerprint(subject.again)
    assert len(set(fingerprint(subject.task).values())) == 2
    for source in subject.sources.values():
        assert all(isinstance(array, np.ndarray) for array in source.content().values())


def check_augmentation_follows_from_the_generator(subject: Subject) -> None:
    rows, untouched = (subject.task.train.head(AT_ONCE) for _ in range(2))
    first, second = (subject.task.augment(rows, np.random.default_rng(7)) for _ in range(2))
    assert same_rows(first, second)
    assert same_rows(rows, untouched), "augmentation changed the rows that it was given"
    assert first.inputs.shape == rows.inputs.shape
    assert first.puzzle_ids.tolist() == rows.puzzle_ids.tolist()
    empty = subject.task.augment(rows.take(slice(0, 0)), np.random.default_rng(7))
    assert empty.inputs.shape == (0, subject.task.seq_len)


def check_rows_streamed_from_files_are_those_in_memory(subject: Subject) -> None:
    task, folder = subject.task, subject.folder / "streamed"
    write_task(folder, task)
    sizes = {"seq_len": task.seq_len, "vocab_size": task.vocab_size}
    for name, source in subject.sources.items():
        with pytest.MonkeyPatch.context() as patch:
            held = read_published(folder / name, **sizes)
            patch.setattr(dataset_folder, "IN_MEMORY_BYTES", 0)
            streamed = read_published(folder / name, **sizes)
        assert (held.examples.streamed, streamed.examples.streamed) == (False, True)
        assert rows_of(streamed.examples) == rows_of(held.examples) == rows_of(source)
        assert streamed.metadata.num_puzzle_identifiers == task.num_puzzle_ids
    assert json.loads((folder / "identifiers.json").read_text(encoding="utf-8")) == list(task.identifiers)
    assert (folder / "test_puzzles.json").exists() == bool(task.test_puzzles)


def check_a_published_folder_of_it_is_its_data(subject: Subject) -> None:
    if not subject.reads_published:
        return
    folder = subject.folder / "as-data"
    write_task(folder, subject.task)
    again = build_task(subject.config().model_copy(update={"data": str(folder)}))
    for name, source in subject.sources.items():
        assert rows_of(getattr(again, name)) == rows_of(source)


# --- puzzles ----------------------------------------------------------------------------------------------


def check_labels_solve_their_puzzles(subject: Subject) -> None:
    task = subject.puzzles
    judged = list(subject.heads) if task.judges_all else [task.test.head(AT_ONCE)]
    for rows in judged:
        for puzzle, label in zip(rows.inputs, rows.labels, strict=True):
            verdict = task.check(puzzle, label)
            assert verdict.solved, verdict.reason


def check_a_puzzle_is_not_its_own_answer(subject: Subject) -> None:
    task = subject.puzzles
    rows = task.test.head(AT_ONCE)
    verdicts = [
        task.check(puzzle, puzzle)
        for puzzle, label in zip(rows.inputs, rows.labels, strict=True)
        if not np.array_equal(puzzle, label)
    ]
    assert verdicts
    assert not any(verdict.solved for verdict in verdicts)
    assert all(verdict.reason for verdict in verdicts)


def check_the_rules_for_many_agree_with_the_rules_for_one(subject: Subject) -> None:
    task = subject.puzzles
    rows = task.test.head(AT_ONCE)
    for answers in (rows.labels, rows.inputs):
        one_by_one = [task.check(*pair).solved for pair in zip(rows.inputs, answers, strict=True)]
        assert task.solved(rows.inputs, answers).tolist() == one_by_one
    empty = rows.take(slice(0, 0))
    assert task.solved(empty.inputs, empty.labels).tolist() == []


def check_faults_are_what_the_checker_refuses(subject: Subject) -> None:
    """An answer has faults if and only if it is refused, each in words and of cells of the grid."""
    task = subject.puzzles
    for puzzle, answer in answers_to(subject):
        faults, verdict = task.faults(puzzle, answer), task.check(puzzle, answer)
        assert (not faults) == verdict.solved, (faults, verdict)
        for fault in faults:
            assert fault.reason
            assert "\n" not in fault.reason
            assert all(0 <= cell < task.seq_len for cell in fault.cells)
            assert len(set(fault.cells)) == len(fault.cells)
            assert all(type(cell) is int for cell in fault.cells)


def check_another_look_is_the_same_puzzle(subject: Subject) -> None:
    """An answer solves the view of a puzzle if and only if, brought home, it solves the puzzle."""
    task, rng = subject.puzzles, np.random.default_rng(11)
    if task.symmetry(rng) is None:
        return
    assert task.judges_all, "a look that cannot be judged by rules alone is of no use"
    moved, accepted = 0, 0
    for puzzle, answer in answers_to(subject):
        forward, back = task.symmetry(rng) or pytest.fail("a symmetry, or none at all")
        view = forward(puzzle)
        assert view.shape == puzzle.shape
        moved += not np.array_equal(view, puzzle)
        assert task.given(view).sum() == task.given(puzzle).sum()
        for given in (answer, forward(answer)):
            home = back(given)
            assert home.shape == given.shape
            assert task.check(puzzle, home).solved == task.check(view, given).solved
            accepted += task.check(view, given).solved
    assert moved, "no look differs from the puzzle"
    assert accepted, "no answer was right in any view"


def check_looks_follow_from_the_generator(subject: Subject) -> None:
    task, puzzle = subject.puzzles, subject.task.test.head(1).inputs[0]
    looks = [task.symmetry(np.random.default_rng(4)) for _ in range(2)]
    if looks[0] is not None and looks[1] is not None:
        assert looks[0].forward(puzzle).tolist() == looks[1].forward(puzzle).tolist()


def check_figures_and_identifiers_are_numbers(subject: Subject) -> None:
    task = subject.puzzles
    assert all(np.isfinite(figure) for figure in task.statistics(task.test).values())
    for puzzle in task.test.head(3).inputs:
        assert 0 <= task.puzzle_id_of(task.line(puzzle)) < task.num_puzzle_ids


def check_what_is_given_stands_in_the_answer(subject: Subject) -> None:
    for rows in subject.heads:
        for puzzle, label in zip(rows.inputs, rows.labels, strict=True):
            given = subject.puzzles.given(puzzle)
            assert given.shape == puzzle.shape
            assert given.dtype == np.bool_
            assert (puzzle[given] == label[given]).all()
            assert not given.all()


def check_a_line_and_a_drawing_are_read_back(subject: Subject) -> None:
    task = subject.puzzles
    for puzzle in task.test.head(AT_ONCE).inputs:
        assert "\n" not in task.line(puzzle)
        for text in (task.line(puzzle), task.render(puzzle)):
            assert task.parse(text).tolist() == puzzle.tolist()


def check_a_grid_has_a_symbol_for_each_position(subject: Subject) -> None:
    task = subject.puzzles
    for rows in subject.heads:
        for tokens in (*rows.inputs[:4], *rows.labels[:4]):
            symbols = [symbol for row in task.grid(tokens) for symbol in row]
            assert len(symbols) == task.seq_len
            assert all(len(symbol) <= 1 for symbol in symbols)
            assert task.render(tokens).replace("\n", "").isprintable()
    for symbol, colour in task.palette.items():
        assert len(symbol) == 1
        assert re.fullmatch("#[0-9a-fA-F]{6}", colour)


def check_any_tokens_can_be_drawn(subject: Subject) -> None:
    """An untrained model answers with any token anywhere."""
    task = subject.puzzles
    rng = np.random.default_rng(3)
    for tokens in rng.integers(0, task.vocab_size, (AT_ONCE, task.seq_len)):
        assert isinstance(task.render(tokens), str)
        assert "\n" not in task.line(tokens)
        assert sum(map(len, task.grid(tokens))) == task.seq_len
        assert not task.check(task.test.head(1).inputs[0], tokens).solved


def check_nonsense_is_refused_in_a_line_or_two(subject: Subject) -> None:
    for text in NONSENSE:
        with pytest.raises(UsageError) as caught:
            subject.puzzles.parse(text)
        words = str(caught.value)
        assert len(words.splitlines()) <= 2, text
        assert len(words) < 500, text
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", words), text


def check_a_list_that_was_written_is_read(subject: Subject) -> None:
    task = subject.puzzles
    for as_csv, name in ((True, "puzzles.csv"), (False, "puzzles.txt")):
        path = subject.folder / name
        path.unlink(missing_ok=True)
        write_list(path, task, task.test, as_csv=as_csv)
        back = task.load(str(path))
        inputs, labels, _, _ = rows_of(back)
        assert (inputs, labels) == rows_of(task.test)[:2]
    with (subject.folder / "puzzles.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == ["puzzle", "solution"]


def check_a_file_that_is_not_there_is_named(subject: Subject) -> None:
    missing = str(subject.folder / "missing.txt")
    with pytest.raises(UsageError, match=r"missing\.txt"):
        subject.puzzles.load(missing)


Check = Callable[[Subject], None]
_ALL: dict[str, Check] = {name: value for name, value in globals().items() if name.startswith("check_")}
_FIRST_OF_PUZZLES = list(_ALL).index("check_labels_solve_their_puzzles")
CHECKS = tuple(_ALL.values())[:_FIRST_OF_PUZZLES]
PUZZLE_CHECKS = tuple(_ALL.values())[_FIRST_OF_PUZZLES:]
