"""Mazes as a task to learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from trm_engine.progress import Progress, silent
from trm_engine.tasks.base import ContradictionError, Fault, PuzzleTask, Verdict
from trm_engine.tasks.examples import Examples, Source, Tokens
from trm_engine.tasks.kit.symmetry import Symmetry
from trm_engine.tasks.maze import rules, text
from trm_engine.tasks.maze.config import MazeConfig
from trm_engine.tasks.maze.data import MazeData, build_data, load_examples
from trm_engine.tasks.maze.rules import Shape, paths_of, solved
from trm_engine.tasks.maze.text import PATH, WALL
from trm_engine.tasks.sources import as_path

_AT_ONCE = 4096


def statistics(shape: Shape, mazes: Source) -> dict[str, float]:
    """Return the figures of mazes by name.

    A path is that of the label, and its length counts start and goal. Shares are between 0 and 1: of the
    cells that are walls, of the labels that are a shortest path, and of the mazes with only one such path.
    """
    paths, walls, shortest, unique = [], [], [], []
    for first in range(0, len(mazes), _AT_ONCE):
        part = mazes.take(slice(first, first + _AT_ONCE))
        paths.append((part.labels == PATH).sum(axis=1) + 2)
        walls.append((part.inputs == WALL).sum(axis=1))
        shortest.append(solved(shape, part.inputs, part.labels))
        unique.append(paths_of(shape, part.inputs).unique)
    path, wall = np.concatenate(paths), np.concatenate(walls)
    return {
        "mazes": len(mazes),
        "path cells, min": int(path.min()),
        "path cells, mean": round(float(path.mean()), 2),
        "path cells, max": int(path.max()),
        "walls, min": int(wall.min()),
        "walls, mean": round(float(wall.mean()), 2),
        "walls, max": int(wall.max()),
        "share of walls, mean": round(float(wall.mean()) / shape.cells, 4),
        "labels that are a shortest path": round(float(np.concatenate(shortest).mean()), 4),
        "mazes with one shortest path": round(float(np.concatenate(unique).mean()), 4),
    }


class MazeTask(PuzzleTask):
    """Mark the shortest path; tokens are 0 padding, 1 wall, 2 open, 3 start, 4 goal, 5 path.

    The mazes are generated or read when `train`, `test` or `facts` is first used, so that a task which only
    parses and checks costs nothing.
    """

    several_answers = True
    palette: Mapping[str, str] = MappingProxyType(
        {"#": "#5b6275", "S": "#1f9d3d", "G": "#c8553d", "o": "#d9a520"}
    )

    def __init__(self, config: MazeConfig, progress: Progress = silent) -> None:
        self._config = config
        self._progress = progress
        self._shape = rules.Shape(config.rows, config.cols)
        self.vocab_size = config.vocab_size
        self.seq_len = config.seq_len

    @cached_property
    def _data(self) -> MazeData:
        return build_data(self._config, self._progress)

    @property
    def train(self) -> Examples:
        """Mazes to learn from."""
        return self._data.train

    @property
    def test(self) -> Examples:
        """Mazes held out."""
        return self._data.test

    @property
    def facts(self) -> dict[str, str]:
        """What a person should know of the data: `source`, `training`, `test`, `unseen`, `labels`."""
        return self._data.facts

    def augment(self, examples: Examples, rng: np.random.Generator) -> Examples:
        """Return each row under a random symmetry, or as it is where the configuration says so.

        The image of a path is a shortest path of the image, but where others are as short it need not be the
        one that labels go by; then the image is given that one.
        """
        if not self._config.augment:
            return examples
        inputs, labels = self._shape.images.augment((examples.inputs, examples.labels), rng)
        if self._data.ties_are_ours:
            labels = rules.with_path(inputs, rules.paths_of(self._shape, inputs).cells)
        return Examples(inputs, labels, examples.puzzle_ids)

    def parse(self, puzzle: str) -> Tokens:
        """Return the tokens (cells,) of a maze on one line or drawn; raise `UsageError` when it is none."""
        tokens = text.parse(self._shape.rows, self._shape.cols, puzzle)
        if not rules.paths_of(self._shape, tokens[None]).lengths[0]:
            reason = "no path leads from the start (S) to the goal (G) of the maze"
            ends = tuple(np.flatnonzero((tokens == text.START) | (tokens == text.GOAL)).tolist())
            raise ContradictionError(reason, tokens, [Fault(ends, reason)])
        return tokens

    def parse_answer(self, puzzle: str) -> Tokens:
        """Return the tokens (cells,) of a maze with its path (`o`); raise `UsageError` when it is none."""
        return text.parse(self._shape.rows, self._shape.cols, puzzle, keep_path=True)

    def count_solutions(self, puzzle: Tokens) -> int:
        """Return how many shortest paths a maze (cells,) has: 0, 1, or 2 for more."""
        paths = rules.paths_of(self._shape, np.asarray(puzzle)[None])
        if not paths.lengths[0]:
            return 0
        return 1 if paths.unique[0] else 2

    def render(self, tokens: Sequence[int] | Tokens) -> str:
        """Draw a grid (cells,) of tokens."""
        return text.render(tokens, self._shape.cols)

    def grid(self, tokens: Sequence[int] | Tokens) -> list[list[str]]:
        """Return the rows of symbols of a grid (cells,) of tokens; an open cell is a space."""
        return text.grid(tokens, self._shape.cols)

    def given(self, puzzle: Tokens) -> npt.NDArray[np.bool_]:
        """Return which cells (cells,) of a maze are walls, start or goal: an open cell may become path."""
        found: npt.NDArray[np.bool_] = np.asarray(puzzle) != text.OPEN
        return found

    def line(self, tokens: Sequence[int] | Tokens) -> str:
        """Write a grid (cells,) of tokens on one line, with the spaces that are its open cells."""
        return text.line(tokens)

    def check(self, puzzle: Tokens, answer: Tokens) -> Verdict:
        """Judge an answer (cells,) to a maze (cells,): any shortest path is right."""
        return rules.check(self._shape, np.asarray(puzzle), np.asarray(answer))

    def ambiguous(self, puzzles: Tokens) -> npt.NDArray[np.bool_]:
        """Tell which mazes (N, cells) have more than one shortest path."""
        return ~rules.paths_of(self._shape, puzzles).unique

    def faults(self, puzzle: Tokens, answer: Tokens) -> list[Fault]:
        """Return where an answer (cells,) changes its maze, breaks off, strays, or is too long."""
        return rules.faults(self._shape, np.asarray(puzzle), np.asarray(answer))

    def symmetry(self, rng: np.random.Generator) -> Symmetry:
        """Draw a reflection or rotation of the grid."""
        return self._shape.images.symmetry(rng)

    def solved(self, puzzles: Tokens, answers: Tokens) -> npt.NDArray[np.bool_]:
        """Tell which answers (N, cells) are a shortest path of their maze, the label's or another."""
        return rules.solved(self._shape, puzzles, answers)

    def statistics(self, source: Source) -> dict[str, float]:
        """Return path lengths, walls, and how many labels are shortest and how many mazes have but one."""
        return statistics(self._shape, source)

    def load(self, path: str, *, check_unique: bool = False) -> Examples:
        """Read all mazes of a list, or of a dataset folder's split (its test part where it has two).

        With `check_unique`, each maze must have one shortest path only. Raises `UsageError` when the data is
        not sound.
        """
        return load_examples(
            self._shape,
            as_path(path),
            split="test",
            check_unique=check_unique,
            columns=self._config.columns,
            progress=self._progress,
        )
