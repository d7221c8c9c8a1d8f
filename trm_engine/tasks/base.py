"""What every task offers.

A task is one module (or package) in `trm_engine.tasks` that declares its configuration (`TaskConfig`) and a
`Task`: vocabulary, sequence length, training and held-out examples, augmentation, renderer and checker.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trm_engine.errors import UsageError
from trm_engine.tasks.examples import Examples, Source, Tokens
from trm_engine.tasks.kit.symmetry import Symmetry


@dataclass(frozen=True)
class Verdict:
    """What a checker says of an answer: does it solve the puzzle, and if not, why (for people)."""

    solved: bool
    reason: str


class Fault(NamedTuple):
    """A rule that an answer breaks: the positions to mark, and why, for people.

    No positions where what is wrong lies nowhere in particular.
    """

    cells: tuple[int, ...]
    reason: str


class ContradictionError(UsageError):
    """A puzzle that can be read, and has no solution: `faults` say which rules it breaks by itself.

    `puzzle` (L,) is what was read.
    """

    def __init__(self, message: str, puzzle: Tokens, faults: Sequence[Fault]) -> None:
        super().__init__(message)
        self.puzzle = puzzle
        self.faults = tuple(faults)


class Task(ABC):
    """Something to learn: a vocabulary, examples to learn from, and others held out."""

    vocab_size: int
    seq_len: int

    @property
    def num_puzzle_ids(self) -> int:
        """Puzzle identifiers, the blank one (0) included."""
        return 1

    @property
    def vocabulary(self) -> str:
        """The characters of tokens 1, 2, … where the data decides them; empty where tokens are fixed."""
        return ""

    @property
    @abstractmethod
    def train(self) -> Source:
        """Examples to learn from; read or generated on first use, raising `UsageError` where that fails."""

    @property
    @abstractmethod
    def test(self) -> Source:
        """Examples held out."""

    @property
    @abstractmethod
    def facts(self) -> dict[str, str]:
        """What a person should know of the data: where it came from, counts, what "unseen" means here."""

    @property
    def warnings(self) -> Sequence[str]:
        """What of the data a person should not miss: a part that is not learned, or nothing to measure."""
        return ()

    @property
    def identifiers(self) -> Sequence[str]:
        """Names (`num_puzzle_ids`) of the puzzle identifiers; number 0 is for puzzles without one."""
        return ["<blank>", *(f"puzzle-{number}" for number in range(1, self.num_puzzle_ids))]

    @property
    def part_names(self) -> Sequence[str]:
        """Names of parts that are measured apart; identifiers 1, 2, … say of which each row is."""
        return ()

    @property
    def test_puzzles(self) -> Mapping[str, object]:
        """The puzzles before augmentation, as JSON by name, where evaluation goes back to them."""
        return {}

    @abstractmethod
    def load(self, path: str) -> Source:
        """Read examples from a file or folder, to measure on; raise `UsageError` when it is not valid."""

    @abstractmethod
    def augment(self, examples: Examples, rng: np.random.Generator) -> Examples:
        """Return each row under a random symmetry that keeps solutions solutions."""


class PuzzleTask(Task):
    """Puzzles: questions on a grid whose answer fills the same grid."""

    box: tuple[int, int] = (0, 0)
    """Rows and columns of the boxes that a drawing of a grid sets apart; 0 for none."""
    palette: Mapping[str, str] = MappingProxyType({})
    """Colours (#rrggbb) that a drawing gives to cells, by their symbol; none for symbols not named."""
    judges_all: bool = True
    """Whether `check` judges an answer to any puzzle, by rules alone; not where it must know the solution."""
    several_answers: bool = False
    """Whether a puzzle may have right answers beside its label, so that accuracy by the rules says more."""

    @abstractmethod
    def parse(self, text: str) -> Tokens:
        """Return the input tokens (L,) of a puzzle written as text; raise `UsageError` when it is none.

        One that is a grid and cannot have a solution may be a `ContradictionError`.
        """

    def contradictions(self, puzzle: Tokens) -> Sequence[Fault]:
        """Return rules that a puzzle (L,) breaks by itself, as far as that can be seen in it."""
        del puzzle
        return ()

    def parse_answer(self, text: str) -> Tokens:
        """Return the tokens (L,) of an answer written as text; raise `UsageError` when it is none."""
        return self.parse(text)

    def count_solutions(self, puzzle: Tokens) -> int | None:
        """Return how many right answers a puzzle (L,) has: 0, 1, or 2 for more.

        None where nobody can tell: no rule is written down, or the search gave up.
        """
        del puzzle
        return None

    def unsettled(self, puzzle: Tokens) -> Fault | None:
        """Return why a puzzle (L,) has not exactly one answer, with a cell that shows it where there is one.

        None where it has one, where any of several is as right, or where nobody can tell.
        """
        del puzzle
        return None

    def puzzle_id_of(self, text: str) -> int:
        """Return the puzzle identifier that belongs to a puzzle written as text; 0 where it has none."""
        del text
        return 0

    @abstractmethod
    def render(self, tokens: Sequence[int] | Tokens) -> str:
        """Return a grid (L,) of tokens as lines of text."""

    @abstractmethod
    def grid(self, tokens: Sequence[int] | Tokens) -> list[list[str]]:
        """Return a grid (L,) of tokens as rows of symbols, in the order of its positions.

        A symbol is one character wide; an empty one is a position that a drawing leaves out.
        """

    @abstractmethod
    def given(self, puzzle: Tokens) -> npt.NDArray[np.bool_]:
        """Return which positions (L,) a puzzle fills in itself: those that need no answer."""

    @abstractmethod
    def line(self, tokens: Sequence[int] | Tokens) -> str:
        """Return a grid (L,) of tokens on one line, in a form that `parse` reads."""

    @abstractmethod
    def check(self, puzzle: Tokens, answer: Tokens) -> Verdict:
        """Judge an answer (L,) to a puzzle (L,) by the rules, without knowing the label."""

    def solved(self, puzzles: Tokens, answers: Tokens) -> npt.NDArray[np.bool_]:
        """Tell which answers (N, L) to puzzles (N, L) `check` accepts, perhaps faster than one by one."""
        pairs = zip(puzzles, answers, strict=True)
        return np.array([self.check(puzzle, answer).solved for puzzle, answer in pairs], np.bool_)

    def ambiguous(self, puzzles: Tokens) -> npt.NDArray[np.bool_] | None:
        """Tell which puzzles (N, L) have more than one right answer; None where no rule tells."""
        del puzzles
        return None

    def faults(self, puzzle: Tokens, answer: Tokens) -> Sequence[Fault]:
        """Return every rule that an answer (L,) to a puzzle (L,) breaks; none when `check` accepts it."""
        verdict = self.check(puzzle, answer)
        return [] if verdict.solved else [Fault((), verdict.reason)]

    def symmetry(self, rng: np.random.Generator) -> Symmetry | None:
        """Draw another look at any puzzle; None for a task without symmetries."""
        del rng
        return None

    def image(self, puzzle_id: int, number: int) -> tuple[int, Symmetry] | None:
        """Return the `number`-th image, from 1, of a puzzle that the model knows by identifier.

        That is the image's own identifier, and what makes the image of any grid of that puzzle; None where
        there is no such image.
        """
        del puzzle_id, number
        return None

    def statistics(self, source: Source) -> Mapping[str, float]:
        """Return what a set of puzzles looks like, in figures by name; none where a task has none."""
        del source
        return {}

    @abstractmethod
    def load(self, path: str, *, check_unique: bool = False) -> Source:
        """Read puzzles with solutions from a file or folder; raise `UsageError` when it is not sound.

        With `check_unique`, a puzzle that has more than one solution is not sound either.
        """
