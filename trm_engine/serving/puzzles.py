"""What an asker sends, as a question to a model: puzzle text, a grid as rows, or an ARC task as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from trm_engine.config.sections import TaskConfig
from trm_engine.errors import UsageError
from trm_engine.serving.solving import Question
from trm_engine.tasks import build_puzzles
from trm_engine.tasks.arc.config import ArcConfig
from trm_engine.tasks.arc.grids import Pair, Puzzle, as_puzzle
from trm_engine.tasks.arc.task import ArcTask
from trm_engine.tasks.base import ContradictionError, PuzzleTask
from trm_engine.tasks.examples import Tokens

Cell = int | str
_LETTERS = "0123456789ABCDEFG"
_FAR = 10_000  # cells: ARC's word on a text counts least
_OWN_TASK = "asked"


class UnknownTaskError(UsageError):
    """An ARC task that the model has not been trained on: it has no way to know its rule."""


@dataclass(frozen=True)
class Asked:
    """A puzzle as it was sent: exactly one of `text`, `grid` and `arc` is given.

    `test` is the number of the test input of an ARC task, from 0. `allow_unknown` asks the model even where
    it cannot know the rule.
    """

    text: str = ""
    grid: Sequence[Sequence[Cell]] | None = None
    arc: dict[str, object] | None = None
    test: int = 0
    truth: str = ""
    truth_grid: Sequence[Sequence[Cell]] | None = None
    allow_unknown: bool = False

    @property
    def written(self) -> str:
        """Its text, or its grid as lines of symbols. Raises `UsageError` for an invalid cell."""
        return self.text if self.grid is None else text_of_grid(self.grid)


def text_of_grid(rows: Sequence[Sequence[Cell]]) -> str:
    """Write a grid of symbols or numbers as lines of text that every task's `parse` reads."""
    lines = []
    for row in rows:
        cells = []
        for cell in row:
            if isinstance(cell, int) and not 0 <= cell < len(_LETTERS):
                raise UsageError(f"a cell of the grid is {cell}: cells are 0 to 16, or one character")
            symbol = _LETTERS[cell] if isinstance(cell, int) else cell
            if len(symbol) != 1:
                raise UsageError(f'a cell of the grid is "{symbol[:20]}": cells are one character each')
            cells.append(symbol)
        lines.append("".join(cells))
    return "\n".join(lines)


def question_of(task: PuzzleTask, asked: Asked) -> Question:
    """Return the question that was asked, as this task reads it.

    Raises `UsageError` when it is none, `UnknownTaskError` for an ARC task that the model does not know.
    """
    if asked.arc is not None:
        return _arc_question(task, asked)
    text = asked.written
    question = Question(task.parse(text), task.puzzle_id_of(text))
    return _with_truth(task, question, _truth_text(asked))


def _truth_text(asked: Asked) -> str:
    return asked.truth if asked.truth_grid is None else text_of_grid(asked.truth_grid)


def _with_truth(task: PuzzleTask, question: Question, truth: str) -> Question:
    if not truth.strip():
        return question
    try:
        return Question(question.puzzle, question.puzzle_id, task.parse_answer(truth))
    except UsageError as error:
        raise UsageError(f"the solution to compare with cannot be read: {error}") from error


def _test_of(puzzle: Puzzle, number: int) -> Pair:
    if not 0 <= number < len(puzzle.test):
        raise UsageError(f"the task has {len(puzzle.test)} test inputs; they are numbered from 0")
    return puzzle.test[number]


def _arc_question(task: PuzzleTask, asked: Asked) -> Question:
    if not isinstance(task, ArcTask):
        raise UsageError("this is an ARC task, and the model has learned another kind of puzzle")
    puzzle = as_puzzle(_OWN_TASK, asked.arc)
    pair = _test_of(puzzle, asked.test)
    name = task.name_of(puzzle)
    if name is None and not asked.allow_unknown:
        raise UnknownTaskError(
            "the model has not been trained on this task: its rule reaches this kind of model only through "
            "training"
        )
    written = json.dumps(pair.input.tolist())
    text = written if name is None else f"task:{name} {written}"
    truth = _truth_text(asked)
    if not truth and pair.output is not None:
        truth = json.dumps(pair.output.tolist())
    return _with_truth(task, Question(task.parse(text), task.puzzle_id_of(text)), truth)


# --- puzzles without a model ------------------------------------------------------------------------------


def kinds_of(asked: Asked) -> list[tuple[TaskConfig, int]]:
    """Return the configurations under which this may be a puzzle, and how far each is from its size."""
    if asked.arc is not None:
        return [(ArcConfig(), 0)]
    found = [reading for kind in TaskConfig.kinds.values() for reading in kind.readings(asked.written)]
    return [*found, (ArcConfig(), _FAR)]


@lru_cache(maxsize=64)
def task_of(config: TaskConfig) -> PuzzleTask:
    """Return a task by its configuration; those that only parse and check cost nothing to keep."""
    return build_puzzles(config)


def parsed(task: PuzzleTask, asked: Asked) -> Tokens:
    """Return the tokens (L,) of a puzzle, as a task reads it. Raises `UsageError` when it does not."""
    if asked.arc is None:
        return task.parse(asked.written)
    pair = _test_of(as_puzzle(_OWN_TASK, asked.arc), asked.test)
    return task.parse(json.dumps(pair.input.tolist()))


def recognise(asked: Asked) -> tuple[str, PuzzleTask]:
    """Return the kind and the task that read a puzzle, no model asked.

    That is the first that reads it; else the first that reads a grid which breaks its rules; else the one
    whose size is nearest, which can say what is wrong.
    """
    broken: list[tuple[str, PuzzleTask]] = []
    others: list[tuple[int, str, PuzzleTask]] = []
    for config, distance in kinds_of(asked):
        task = task_of(config)
        try:
            parsed(task, asked)
        except ContradictionError:
            broken.append((config.kind, task))
        except UsageError:
            others.append((distance, config.kind, task))
        else:
            return config.kind, task
    if broken:
        return broken[0]
    _, kind, task = min(others, key=lambda one: one[0])
    return kind, task


def cell_places(task: PuzzleTask, flags: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[list[int]]:
    """Return the marked positions (L,) as pairs of row and column, counted from 0."""
    width = _width(task)
    return [[position // width, position % width] for position in np.flatnonzero(flags).tolist()]


@lru_cache(maxsize=64)
def _width(task: PuzzleTask) -> int:
    return len(task.grid(np.zeros(task.seq_len, np.int64))[0])
