"""Futoshiki as a task to learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from trm_engine.progress import Progress, silent
from trm_engine.tasks.base import Fault, Verdict
from trm_engine.tasks.examples import Examples, Tokens
from trm_engine.tasks.futoshiki import rules, solver, text
from trm_engine.tasks.futoshiki.board import BLANK, Board, images
from trm_engine.tasks.futoshiki.config import FutoshikiConfig
from trm_engine.tasks.futoshiki.generate import generate
from trm_engine.tasks.kit.generated import GeneratedTask, Solutions


class FutoshikiTask(GeneratedTask):
    """Complete a Latin square under signs; tokens: 0 padding, 1 blank, d + 1 for digit d, then the signs."""

    palette: Mapping[str, str] = MappingProxyType(dict.fromkeys("<>^v", "#d9a520"))
    symmetries = "one of 16: reflections and rotations, with digits as they are or counted from above"
    remedy = "Ask for fewer, or try a larger grid or a wider range of signs (task.sign_share_min, _max)."

    def __init__(self, config: FutoshikiConfig, progress: Progress = silent) -> None:
        super().__init__(config, images(config.size), progress, augments=config.augment)
        self._config = config
        self._board = Board(config.size)
        self.vocab_size = config.vocab_size
        self.seq_len = config.seq_len
        signs = f"{config.sign_share_min:.0%} to {config.sign_share_max:.0%}"
        self.origin = f"{self._board}, a sign in {signs} of the places, and as few digits as that allows"

    def generate(self, count: int, rng: np.random.Generator) -> Examples:
        """Return `count` random puzzles with their only solutions."""
        return generate(self._config, self._board, count, rng)

    def solve(self, puzzles: Tokens) -> Solutions:
        """Look for the solutions of puzzles (N, positions)."""
        return solver.solve(self._board, puzzles)

    def describe(self, inputs: Tokens) -> str:
        """Say how many digits and signs puzzles (N, positions) have."""
        digits = ((inputs > BLANK) & (inputs < self._board.no_sign)).sum(axis=1)
        signs = (inputs > self._board.no_sign).sum(axis=1)
        return (
            f"{digits.min()} to {digits.max()} digits ({digits.mean():.1f} on average) and "
            f"{signs.min()} to {signs.max()} signs ({signs.mean():.1f})"
        )

    def read(self, written: str) -> Tokens:
        """Return the tokens (positions,) of a grid as text."""
        return text.read(self._board, written)

    def parse(self, puzzle: str) -> Tokens:
        """Return the tokens (positions,) of a puzzle in any notation; raise `UsageError` when it is none."""
        return text.read(self._board, puzzle)

    def contradictions(self, puzzle: Tokens) -> list[Fault]:
        """Return digits that a puzzle (positions,) repeats, and signs that its digits do not meet."""
        return list(rules.contradictions(self._board, np.asarray(puzzle)))

    def render(self, tokens: Sequence[int] | Tokens) -> str:
        """Draw a grid (positions,) of tokens."""
        return text.render(self._board, tokens)

    def grid(self, tokens: Sequence[int] | Tokens) -> list[list[str]]:
        """Return the rows of symbols of a grid (positions,): cells, and the signs between them."""
        words, width = text.symbols(self._board, tokens), self._board.width
        return [words[first : first + width] for first in range(0, len(words), width)]

    def given(self, puzzle: Tokens) -> npt.NDArray[np.bool_]:
        """Return which positions (positions,) are digits or lie between cells."""
        found: npt.NDArray[np.bool_] = np.asarray(puzzle) > BLANK
        return found

    def line(self, tokens: Sequence[int] | Tokens) -> str:
        """Write a grid (positions,) of tokens on one line."""
        return text.line(self._board, tokens)

    def check(self, puzzle: Tokens, answer: Tokens) -> Verdict:
        """Judge an answer (positions,) to a puzzle (positions,) by the rules."""
        return rules.check(self._board, np.asarray(puzzle), np.asarray(answer))

    def faults(self, puzzle: Tokens, answer: Tokens) -> list[Fault]:
        """Return what changed, cells without a digit, digits that repeat, and signs that are not met."""
        return list(rules.faults(self._board, np.asarray(puzzle), np.asarray(answer)))

    def faults_of_puzzle(self, puzzle: Tokens) -> list[Fault]:
        """Return the positions that hold what cannot stand there."""
        return rules.faults_of_puzzle(self._board, np.asarray(puzzle))

    def solved(self, puzzles: Tokens, answers: Tokens) -> npt.NDArray[np.bool_]:
        """Tell which answers (N, positions) to puzzles (N, positions) break no rule."""
        return rules.solved(self._board, np.asarray(puzzles), np.asarray(answers))
