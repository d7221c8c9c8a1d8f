"""What every task offers, and the compact form in which puzzles are held.

A task is one module (or package) in `engine.tasks` that declares its configuration (`TaskConfig`) and a
`Task`: vocabulary, sequence length, training and held-out examples, augmentation, renderer and checker.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.integer]
IGNORE_LABEL = -100
PAD = 0


@dataclass(frozen=True)
class Examples:
    """Puzzles as rows of tokens.

    `inputs` and `labels` have shape (N, L) in any integer type (files are memory-mapped as they are); label
    0 (padding) is not scored. `puzzle_ids` has shape (N,). `groups` has shape (G + 1,) and bounds G runs of
    rows of which an epoch draws one each; by default every row is its own group.
    """

    inputs: Tokens
    labels: Tokens
    puzzle_ids: Tokens
    groups: Tokens | None = None

    @classmethod
    def of(cls, inputs: Tokens, labels: Tokens) -> Examples:
        """Build from tokens alone: no puzzle identifiers (all 0), every row its own group."""
        return cls(inputs, labels, np.zeros(len(inputs), np.int32))

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, rows: npt.NDArray[np.integer] | slice) -> Examples:
        """Return the given rows, without groups, copied out of any memory map."""
        return Examples(
            np.array(self.inputs[rows]), np.array(self.labels[rows]), np.array(self.puzzle_ids[rows])
        )

    def head(self, count: int) -> Examples:
        """Return the first `count` rows."""
        return self.take(slice(0, count))


@dataclass(frozen=True)
class Verdict:
    """What a checker says of an answer: does it solve the puzzle, and if not, why (for people)."""

    solved: bool
    reason: str


class Task(ABC):
    """Puzzles to learn, and what can be done with them."""

    vocab_size: int
    seq_len: int
    num_puzzle_ids: int = 1
    box: tuple[int, int] = (0, 0)
    """Rows and columns of the boxes that a drawing of a grid sets apart; 0 for none."""

    @property
    @abstractmethod
    def train(self) -> Examples:
        """Puzzles to learn from; read or generated on first use, raising `UsageError` where that fails."""

    @property
    @abstractmethod
    def test(self) -> Examples:
        """Puzzles held out."""

    @property
    @abstractmethod
    def facts(self) -> dict[str, str]:
        """What a person should know of the data: where it came from, counts, what "unseen" means here."""

    @abstractmethod
    def augment(self, examples: Examples, rng: np.random.Generator) -> Examples:
        """Return each row under a random symmetry that keeps solutions solutions."""

    @abstractmethod
    def parse(self, text: str) -> Tokens:
        """Return the input tokens (L,) of a puzzle written as text; raise `UsageError` when it is none."""

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

    @abstractmethod
    def load(self, path: str, *, check_unique: bool = False) -> Examples:
        """Read puzzles with solutions from a file or folder; raise `UsageError` when it is not sound.

        With `check_unique`, a puzzle that has more than one solution is not sound either.
        """
