"""Assemble what is learned and what is held out: which pairs, under which images, by which identifiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trm_engine.errors import UsageError
from trm_engine.progress import Progress
from trm_engine.tasks.arc.augment import IDENTITY, Records, distinct_images
from trm_engine.tasks.arc.config import ArcConfig
from trm_engine.tasks.arc.files import Sets, read_sets
from trm_engine.tasks.arc.grids import Grid, Pair, Puzzle
from trm_engine.tasks.arc.lists import read_pairs
from trm_engine.tasks.arc.source import Block, Images, Training
from trm_engine.tasks.base import Source
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
    learned, held_out, source = _chosen(config, read_sets(config.data, progress))
    puzzles = [*learned, *held_out]
    images = list(_images(puzzles, config, progress))
    first_id = [1, *(1 + np.cumsum([len(drawn) for drawn in images])).tolist()]
    records = np.concatenate([IDENTITY[None], *images])
    queries = [
        Query(puzzle.name, number, pair.input, pair.output)
        for puzzle in held_out
        for number, pair in enumerate(puzzle.test)
    ]
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
        "unseen": say_unseen(left_out),
    }
    return ArcData(puzzles, records, first_id, counts, train, test, queries, facts, config.size)


def _lessons(
    learned: Sequence[Puzzle], held_out: Sequence[Puzzle], queries: Sequence[Query]
) -> tuple[list[list[Pair]], int]:
    """Return the pairs to learn from, task by task, and how many were left out.

    Of a training task the test pairs are among them, of a held-out one they are not. A pair whose input is
    asked for in the test is left out, whatever its output (ARC-AGI-1 has a test pair twice, in two tasks).
    """
    asked = {key_of(query.input) for query in queries}
    offered = [puzzle.train + puzzle.test for puzzle in learned] + [puzzle.train for puzzle in held_out]
    lessons = [[pair for pair in pairs if key_of(pair.input) not in asked] for pairs in offered]
    return lessons, sum(map(len, offered)) - sum(map(len, lessons))


def key_of(grid: Grid) -> tuple[tuple[int, ...], bytes]:
    """Return what equal grids have in common, to look them up by."""
    return grid.shape, grid.tobytes()


def say_test(tasks: int, known: int, asked: int) -> str:
    """Say what the test is: `known` of the inputs `asked` for have outputs."""
    more = f"; {asked - known} more have no known output" if known < asked else ""
    return (
        f"{known} test inputs of {tasks} tasks, each as it is{more}; eval --vote asks for all images of each"
    )


def say_unseen(left_out: int) -> str:
    """Say what "unseen" means, with so many pairs left out of training for it."""
    pairs = f"; {left_out} that had have been left out" if left_out else ""
    return (
        "The test outputs of held-out tasks are never trained on; their demonstrations are, as in the "
        f"published runs. No training pair has the input of a held-out one{pairs}."
    )


def load_blocks(data: str, known: ArcData) -> list[Block]:
    """Return the test pairs of tasks in files, or of a list (.txt or .csv), as far as outputs are known.

    Tasks that `known` has keep their identifiers; all else has the blank one. Tasks that the canvas has no
    room for are left out. Raises `UsageError` when nothing is left, or where the data is not sound.
    """
    if data.lower().endswith((".txt", ".csv")):
        return [Block([pair], 0, 1) for pair in read_pairs(as_path(data), known.size)]
    blocks = []
    for puzzles in read_sets(data).values():
        for name, puzzle in puzzles.items():
            first = known.first_id[known.places[name]] if name in known.places else 0
            pairs = [pair for pair in puzzle.test if pair.output is not None]
            if pairs and puzzle.side <= known.size:
                blocks.append(Block(pairs, first, 1))
    if not blocks:
        raise UsageError(
            f"{safe_text(data)}: holds no test pair with an output whose task fits {known.size}×{known.size} "
            "(task.size)"
        )
    return blocks


def _chosen(config: ArcConfig, sets: Sets) -> tuple[list[Puzzle], list[Puzzle], str]:
    """Return the tasks to train on whole, those whose test outputs are held out, and whence they came.

    A task that is in both, by name, is held out. Sets that are neither held out nor solved are not used.
    """
    name = next(iter(sets)) if len(sets) == 1 else config.test_set
    if name not in sets:
        known = ", ".join(map(safe_text, sets))
        raise UsageError(
            f'[task] test_set: {safe_text(config.data)} has no set "{safe_text(name)}"; it has {known}'
        )
    tested = dict(sets[name])
    trained = {
        puzzle.name: puzzle
        for other, puzzles in sets.items()
        if other != name
        for puzzle in puzzles.values()
        if puzzle.name not in tested and all(pair.output is not None for pair in puzzle.test)
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
    return learned, held_out, source + "."


def _images(puzzles: Sequence[Puzzle], config: ArcConfig, progress: Progress) -> Iterator[Records]:
    for done, puzzle in enumerate(puzzles, 1):
        yield distinct_images(puzzle, config.augmentations, config.seed)
        progress("drawing images of tasks", done, len(puzzles))
