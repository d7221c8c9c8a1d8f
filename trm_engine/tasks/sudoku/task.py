"""Sudoku as a task to learn."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from trm_engine.progress import Progress, silent
from trm_engine.tasks.base import Fault, PuzzleTask, Verdict
from trm_engine.tasks.examples import Examples, Source, Tokens
from trm_engine.tasks.kit.search import GAVE_UP, MANY
from trm_engine.tasks.kit.symmetry import Symmetry
from trm_engine.tasks.sources import Located, as_path, find, is_hub
from trm_engine.tasks.sudoku import text
from trm_engine.tasks.sudoku.augment import augment, augment_fixed, draw_symmetry
from trm_engine.tasks.sudoku.config import SudokuConfig
from trm_engine.tasks.sudoku.data import SudokuData, build_data, geometry_of, load_examples, reading_of
from trm_engine.tasks.sudoku.doubt import unsettled
from trm_engine.tasks.sudoku.generation.solver import solve
from trm_engine.tasks.sudoku.lists.prepared import prepared_sha256

_EFFORT = 300
"""Rounds of branching until a search for a second solution gives up: a fraction of a second."""


class SudokuTask(PuzzleTask):
    """Complete a grid; tokens are 0 padding, 1 blank, d + 1 for digit d.

    The puzzles are generated or read when `train`, `test` or `facts` is first used, so that a task which only
    parses and checks costs nothing.
    """

    def __init__(self, config: SudokuConfig, progress: Progress = silent) -> None:
        self._config = config
        self._progress = progress
        self._geometry = geometry_of(config)
        self.vocab_size = config.vocab_size
        self.seq_len = config.seq_len
        self.box = (config.box_rows, config.box_cols)

    several_answers = True
    """Generated puzzles have one answer each; a list's may have others than the label."""

    @cached_property
    def _data(self) -> SudokuData:
        return build_data(self._config, self._progress)

    @property
    def train(self) -> Source:
        """Puzzles to learn from."""
        return self._data.train

    @property
    def test(self) -> Source:
        """Puzzles held out."""
        return self._data.test

    @property
    def facts(self) -> dict[str, str]:
        """What a person should know of the data: `source`, `training`, `test`, `unseen`."""
        return self._data.facts

    def augment(self, examples: Examples, rng: np.random.Generator) -> Examples:
        """Return each row under a random symmetry, or as it is where the configuration says so."""
        config, grids = self._config, (examples.inputs, examples.labels)
        if not config.augment:
            return examples
        if config.images:
            inputs, labels = augment_fixed(self._geometry, grids, config.images, config.seed, rng)
        else:
            inputs, labels = augment(self._geometry, grids, rng)
        return Examples(inputs, labels, examples.puzzle_ids)

    def parse(self, puzzle: str) -> Tokens:
        """Return the tokens (n²,) of a puzzle in one line or drawn; raise `UsageError` when it is none."""
        return text.parse(self._geometry, puzzle, self._config.zero)

    def count_solutions(self, puzzle: Tokens) -> int | None:
        """Return how many solutions a puzzle (n²,) has: 0, 1, or 2 for more; None after a long search."""
        count = int(solve(self._geometry, text.to_digits(puzzle)[None], effort=_EFFORT).count[0])
        return None if count == GAVE_UP else count

    def unsettled(self, puzzle: Tokens) -> Fault | None:
        """Return a cell that can hold no digit, or more than one, and says so for people."""
        return unsettled(self._geometry, text.to_digits(puzzle))

    def render(self, tokens: Sequence[int] | Tokens) -> str:
        """Draw a grid (n²,) of tokens with its boxes."""
        return text.render(self._geometry, tokens)

    def grid(self, tokens: Sequence[int] | Tokens) -> list[list[str]]:
        """Return the rows of a grid (n²,) of tokens; a blank is `.`."""
        words, side = text.symbols(self._geometry, tokens), self._geometry.side
        return [words[first : first + side] for first in range(0, len(words), side)]

    def given(self, puzzle: Tokens) -> npt.NDArray[np.bool_]:
        """Return which cells (n²,) of a puzzle are clues."""
        return np.asarray(puzzle) >= text.FIRST_DIGIT

    def line(self, tokens: Sequence[int] | Tokens) -> str:
        """Write a grid (n²,) of tokens on one line."""
        return "".join(text.symbols(self._geometry, tokens))

    def check(self, puzzle: Tokens, answer: Tokens) -> Verdict:
        """Judge an answer (n²,) to a puzzle (n²,) by the rules."""
        return text.check(self._geometry, np.asarray(puzzle), np.asarray(answer))

    def ambiguous(self, puzzles: Tokens) -> npt.NDArray[np.bool_]:
        """Tell which puzzles (N, n²) have more than one solution, as far as search finds out."""
        found: npt.NDArray[np.bool_] = solve(self._geometry, text.to_digits(puzzles)).count == MANY
        return found

    def faults(self, puzzle: Tokens, answer: Tokens) -> list[Fault]:
        """Return cells without a digit, clues that changed and digits that repeat in an answer (n²,)."""
        return list(text.faults(self._geometry, np.asarray(puzzle), np.asarray(answer)))

    def solved(self, puzzles: Tokens, answers: Tokens) -> npt.NDArray[np.bool_]:
        """Tell which answers (N, n²) to puzzles (N, n²) break no rule."""
        return text.solved(self._geometry, puzzles, answers)

    def symmetry(self, rng: np.random.Generator) -> Symmetry:
        """Draw one of the symmetries that augmentation draws from."""
        return draw_symmetry(self._geometry, rng)

    def load(self, path: str, *, check_unique: bool = False) -> Source:
        """Read all puzzles of a list, or the test part of a dataset folder or of a set of the Hub (hub:…).

        With `check_unique`, each puzzle of a list must have one solution only, also where it is given.
        Raises `UsageError` when the data is not sound.
        """
        reading = reading_of(self._config)
        if is_hub(path):
            located = find(path, field="data", split="test", progress=self._progress)
            located.verify(self._progress, known=prepared_sha256(self._geometry, located.path, reading))
        else:
            located = Located(as_path(path))
        return load_examples(
            self._geometry,
            located.path,
            split="test",
            check_unique=check_unique,
            reading=reading,
            progress=self._progress,
        )
