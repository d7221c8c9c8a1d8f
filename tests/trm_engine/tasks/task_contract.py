"""What every task keeps to, as checks that any task can be put through.

A `Subject` is a task's configuration in a tiny form. What holds for tasks about puzzles as well is in
`puzzle_contract.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest

from trm_engine.config.sections import TaskConfig
from trm_engine.interop.dataset_writer import write_task
from trm_engine.tasks import build_task, dataset_folder
from trm_engine.tasks.base import PuzzleTask, Task
from trm_engine.tasks.dataset_folder import read_published
from trm_engine.tasks.examples import IGNORE_LABEL, PAD, Examples, Source
from trm_engine.tasks.fingerprint import fingerprint

AT_ONCE = 24
"""Rows that a check looks at."""


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


Check = Callable[[Subject], None]
CHECKS: tuple[Check, ...] = tuple(value for name, value in globals().items() if name.startswith("check_"))
