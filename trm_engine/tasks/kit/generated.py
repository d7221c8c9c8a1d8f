"""Puzzle tasks with a generator, a solver and a handful of symmetries, whose puzzles are held in memory.

A kind of puzzle brings along what is its own: how puzzles are made, solved, written and judged, and in which
images they look the same. The rest is the same for all of them, and stands here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from trm_engine.progress import Progress
from trm_engine.tasks.base import Fault, PuzzleTask
from trm_engine.tasks.examples import Examples, Tokens
from trm_engine.tasks.kit.assembly import Puzzles, Settings, assemble, load_examples
from trm_engine.tasks.kit.search import GAVE_UP, MANY
from trm_engine.tasks.kit.symmetry import Images, Symmetry
from trm_engine.tasks.sources import as_path


@dataclass(frozen=True)
class Solutions:
    """What was found for N puzzles: an answer (N, L) to each, and how many it has (N,).

    0, 1, 2 for more than one, or −1 where the search gave up; what the answer is means nothing without one.
    """

    answers: Tokens
    count: npt.NDArray[np.int8]


class GeneratedTask(PuzzleTask):
    """A task whose puzzles are generated or read when `train`, `test` or `facts` is first used."""

    symmetries: str
    """What an image of a puzzle is, for people: "one of the grid's 8 reflections and rotations"."""
    origin: str
    """How puzzles are generated, for people, to follow "Generated with seed 0:"."""
    remedy: str
    """Which settings make more puzzles possible, for people: a sentence."""

    def __init__(self, wanted: Settings, images: Images, progress: Progress, *, augments: bool) -> None:
        self.images = images
        self._wanted = wanted
        self._progress = progress
        self._augments = augments

    @cached_property
    def _data(self) -> Puzzles:
        return assemble(self, self._wanted, self._progress)

    @property
    def train(self) -> Examples:
        """Puzzles to learn from."""
        return self._data.train

    @property
    def test(self) -> Examples:
        """Puzzles held out."""
        return self._data.test

    @property
    def facts(self) -> dict[str, str]:
        """What a person should know of the data: `source`, `training`, `test`, `unseen`."""
        return self._data.facts

    def augment(self, examples: Examples, rng: np.random.Generator) -> Examples:
        """Return each row under a random symmetry, or as it is where the configuration says so."""
        if not self._augments:
            return examples
        inputs, labels = self.images.augment((examples.inputs, examples.labels), rng)
        return Examples(inputs, labels, examples.puzzle_ids)

    def symmetry(self, rng: np.random.Generator) -> Symmetry:
        """Draw one of the images of a puzzle."""
        return self.images.symmetry(rng)

    def parse_answer(self, text: str) -> Tokens:
        """Return the tokens (L,) of an answer written as text; raise `UsageError` when it is none."""
        return self.read(text)

    def ambiguous(self, puzzles: Tokens) -> npt.NDArray[np.bool_]:
        """Tell which puzzles (N, L) have more than one solution, as far as search finds out."""
        found: npt.NDArray[np.bool_] = self.solve(np.asarray(puzzles)).count == MANY
        return found

    def count_solutions(self, puzzle: Tokens) -> int | None:
        """Return how many answers a puzzle (L,) has: 0, 1, or 2 for more; None where the search gave up."""
        count = int(self.solve(np.asarray(puzzle)[None]).count[0])
        return None if count == GAVE_UP else count

    def load(self, path: str, *, check_unique: bool = False) -> Examples:
        """Read all puzzles of a list, or of a dataset folder's split (its test part where it has two)."""
        return load_examples(
            self,
            as_path(path),
            split="test",
            check_unique=check_unique,
            columns=self._wanted.columns,
            progress=self._progress,
        )

    @abstractmethod
    def generate(self, count: int, rng: np.random.Generator) -> Examples:
        """Return at most `count` random puzzles with their only solutions; the same one may come twice."""

    @abstractmethod
    def solve(self, puzzles: Tokens) -> Solutions:
        """Look for the solutions of puzzles (N, L)."""

    @abstractmethod
    def read(self, text: str) -> Tokens:
        """Return the tokens (L,) of a grid as text, what was filled in included; raise `UsageError`."""

    @abstractmethod
    def faults_of_puzzle(self, puzzle: Tokens) -> Sequence[Fault]:
        """Return what makes tokens (L,) no puzzle of this kind."""

    @abstractmethod
    def describe(self, inputs: Tokens) -> str:
        """Say what puzzles (N, L) look like, to follow their number: "10 to 17 walls"."""
