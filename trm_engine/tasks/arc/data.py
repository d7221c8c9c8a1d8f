"""Assemble what is learned and what is held out: which pairs, under which images, by which identifiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from trm_engine.errors import UsageError
from trm_engine.progress import Progress
from trm_engine.tasks.arc.augment import IDENTITY, Records, distinct_images
from trm_engine.tasks.arc.config import ArcConfig
from trm_engine.tasks.arc.files import Sets, is_list, read_pairs, read_sets
from trm_engine.tasks.arc.grids import Grid, Pair, Puzzle
from trm_engine.tasks.arc.source import Block, Images, Training
from trm_engine.tasks.arc.twins import HeldOut
from trm_engine.tasks.examples import Source
from trm_engine.tasks.sources import as_path
from trm_engine.text import safe_text


@dataclass(frozen=True)
class Query:
    """A held-out test input: the `number`-th of its task, from 0. Its output is None where nobody told it."""

    task: str
    number: int
    input: Grid
    output: Grid | None


@dataclass(frozen=True)
class ArcData:
    """The tasks with their images, and the rows made of them.

    Identifiers are counted from 1, task by task, each task's original before its images; `records`
    (identifiers, 11) holds the image that each stands for. `first_id` (tasks + 1,) bounds those of each task.
    """

    puzzles: Sequence[Puzzle]
    records: Records
    first_id: Sequence[int]
    lessons: Sequence[int]
    """Training pairs of each task."""
    train: Source
    test: Source
    queries: Sequence[Query]
    facts: Mapping[str, str]
    size: int
    too_large: Mapping[str, int] = field(default_factory=dict)
    """Held-out tasks that the canvas has no room for: how many test inputs each has, by name."""

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where each task is in `puzzles`, by name."""
        return {puzzle.name: place for place, puzzle in enumerate(self.puzzles)}

    def of_queries(self, most: int) -> Images:
        """Return the rows to ask for votes: each query under its task's first images, at most `most`."""
        blocks = []
        for query in self.queries:
            first, last = self.first_id[self.places[query.task] :][:2]
            blocks.append(Block([Pair(query.input, query.output)], first, min(last - first, most)))
        return Images(blocks, self.records, self.size)


def build_data(config: ArcConfig, progress: Progress) -> ArcData:
    """Read the tasks and draw their images; raise `UsageError` where the data is not sound."""
    learned, held_out, too_large, source = _chosen(config, read_sets(config.data, progress))
    puzzles = [*learned, *held_out]
    images = list(_images(puzzles, config, progress))
    first_id = [1, *(1 + np.cumsum([len(drawn) for drawn in images])).tolist()]
    records = np.concatenate([IDENTITY[None], *images])
    queries = [
        Query(puzzle.name, number, pair.input, pair.output)
        for puzzle in held_out
        for number, pair in enumerate(puzzle.test)
    ]
    if not queries:
        raise UsageError(
            f"[task] data: {safe_text(config.data)} holds out no test input: its tasks are lists of pairs. "
            "Put them into a folder `training`, beside a folder `evaluation` of tasks with tests"
        )
    lessons, left_out = _lessons(learned, held_out, queries)
    if not any(lessons):
        raise UsageError(f"[task] data: {safe_text(config.data)} has no pair that the test does not ask for")
    train = Training(
        [
            Block(pairs, first, len(drawn))
            for pairs, first, drawn in zip(lessons, first_id, images, strict=False)
            if pairs
        ],
        records,
        config.size,
    )
    original = {puzzle.name: first for puzzle, first in zip(puzzles, first_id, strict=False)}
    known = [query for query in queries if query.output is not None]
    testing = [Block([Pair(query.input, query.output)], original[query.task], 1) for query in known]
    test = Images(testing, records, config.size)
    counts = [len(pairs) for pairs in lessons]
    facts = {
        "source": source,
        "training": f"{sum(counts)} pairs of {len(puzzles)} tasks in {len(records) - 1} images (the "
        f"originals counted), together {len(train)} examples",
        "test": say_test(len(held_out), len(known), len(queries)),
        "unseen": say_unseen(left_out, sum(not pairs for pairs in lessons)),
    }
    return ArcData(puzzles, records, first_id, counts, train, test, queries, facts, config.size, too_large)


def _lessons(
    learned: Sequence[Puzzle], held_out: Sequence[Puzzle], queries: Sequence[Query]
) -> tuple[list[list[Pair]], int]:
    """Return the pairs to learn from, task by task, and how many were left out.

    Of a training task the test pairs are among them, of a held-out one they are not. A pair whose input is
    an image of one that the test asks for is left out, whatever its output (ARC-AGI-1 has a test pair twice,
    in two tasks, and others turned or recoloured).
    """
    asked = HeldOut(query.input for query in queries)
    offered = [puzzle.train + puzzle.test for puzzle in learned] + [puzzle.train for puzzle in held_out]
    lessons = [[pair for pair in pairs if pair.input not in asked] for pairs in offered]
    return lessons, sum(map(len, offered)) - sum(map(len, lessons))


def key_of(grid: Grid) -> tuple[tuple[int, ...], bytes]:
    """Return what equal grids have in common, to look them up by."""
    return grid.shape, grid.tobytes()


def say_test(tasks: int, known: int, asked: int) -> str:
    """Say what the test is: `known` of the inputs `asked` for have outputs."""
    more = f"; {asked - known} more have no known output" if known < asked else ""
    return f"{known} test inputs of {tasks} tasks, each as it is{more}; voting asks for all images of each"


def say_unseen(left_out: int, emptied: int = 0) -> str:
    """Say what "unseen" means, with so many pairs left out of training for it, all of some tasks."""
    pairs = f"; {left_out} that had have been left out" if left_out else ""
    tasks = f", and with them all of {emptied} {'task' if emptied == 1 else 'tasks'}" if emptied else ""
    return (
        "The test outputs of held-out tasks are never trained on; their demonstrations are, as in the "
        "published runs. No training pair has the input of a held-out one, nor an image of it (turned, "
        f"mirrored, colours but 0 exchanged){pairs}{tasks}."
    )


def load_tests(data: str, known: ArcData) -> Images:
    """Return the test pairs of tasks in files, or of a list (.txt or .csv), as far as outputs are known.

    Tasks that `known` has keep their identifiers; all else has the blank one. Tasks that the canvas has no
    room for are left out, and the rows' `notes` say so. Raises `UsageError` when nothing is left, or where
    the data is not sound.
    """
    path = as_path(data)
    if is_list(path):
        return Images(
            [Block([pair], 0, 1) for pair in read_pairs(path, known.size)], known.records, known.size
        )
    sets = read_sets(data)
    blocks, unknown, too_large = [], 0, 0
    for name, puzzle in (named for puzzles in sets.values() for named in puzzles.items()):
        first = known.first_id[known.places[name]] if name in known.places else 0
        pairs = [pair for pair in puzzle.test if pair.output is not None]
        if puzzle.side > known.size:
            too_large += 1
            continue
        unknown += len(puzzle.test) - len(pairs)
        if pairs:
            blocks.append(Block(pairs, first, 1))
    if not blocks:
        raise UsageError(
            f"{safe_text(data)}: holds no test pair with an output whose task fits {known.size}×{known.size} "
            "(task.size): nothing to measure"
        )
    images = Images(blocks, known.records, known.size)
    size = f"{known.size}×{known.size}"
    left_out = ((too_large, f"tasks do not fit {size}"), (unknown, "test inputs have no known output"))
    images.notes = [f"{count:,} {what}: not measured" for count, what in left_out if count] + sets.notes
    return images


def _chosen(config: ArcConfig, sets: Sets) -> tuple[list[Puzzle], list[Puzzle], dict[str, int], str]:
    """Return the tasks to train on whole, those held out, those of them too large, and whence they came.

    A task that is in both, by name, is held out. Tasks that are neither held out nor solved are not used. Of
    a task that is held out but too large, the number of its test inputs is returned, by name.
    """
    name = next(iter(sets)) if len(sets) == 1 else config.test_set
    if name not in sets:
        known = ", ".join(map(safe_text, sets))
        raise UsageError(
            f'[task] test_set: {safe_text(config.data)} has no set "{safe_text(name)}"; it has {known}'
        )
    tested = dict(sets[name])
    others = {
        puzzle.name: puzzle
        for other, puzzles in sets.items()
        if other != name
        for puzzle in puzzles.values()
        if puzzle.name not in tested
    }
    trained = {
        task: puzzle
        for task, puzzle in others.items()
        if all(pair.output is not None for pair in puzzle.test)
    }
    learned, held_out = (
        [puzzle for _, puzzle in sorted(tasks.items()) if puzzle.side <= config.size]
        for tasks in (trained, tested)
    )
    if not held_out:
        raise UsageError(
            f'[task] size: no task of the set "{safe_text(name)}" has only grids of at most {config.size} '
            f"rows and columns; the least is {min(puzzle.side for puzzle in tested.values())}"
        )
    source = f"Read from {safe_text(config.data)}, {len(learned) + len(held_out)} tasks"
    left_out = len(trained) + len(tested) - len(learned) - len(held_out)
    if left_out:
        source += f"; {left_out} with grids larger than {config.size}×{config.size} are left out"
    if unsolved := len(others) - len(trained):
        source += f"; {unsolved} more left out, for want of a known test output"
    source = "; ".join([source, *sets.notes])
    too_large = {puzzle.name: len(puzzle.test) for puzzle in tested.values() if puzzle.side > config.size}
    return learned, held_out, too_large, source + "."


def _images(puzzles: Sequence[Puzzle], config: ArcConfig, progress: Progress) -> Iterator[Records]:
    for done, puzzle in enumerate(puzzles, 1):
        yield distinct_images(puzzle, config.augmentations, config.seed)
        progress("drawing images of tasks", done, len(puzzles))
