"""Light Up as a task to learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from trm_engine.progress import Progress, silent
from trm_engine.tasks.base import Fault, Verdict
from trm_engine.tasks.examples import Examples, Tokens
from trm_engine.tasks.kit.generated import GeneratedTask, Solutions
from trm_engine.tasks.kit.symmetry import reflections
from trm_engine.tasks.light_up import rules, solver, text
from trm_engine.tasks.light_up.config import LightUpConfig
from trm_engine.tasks.light_up.generate import generate
from trm_engine.tasks.light_up.light import FIRST_NUMBER, OPEN, WALL, Shape


class LightUpTask(GeneratedTask):
    """Place bulbs; tokens are 0 padding, 1 open, 2 bulb, 3 wall, k + 4 wall with the number k."""

    palette: Mapping[str, str] = MappingProxyType(
        {"*": "#d9a520", "#": "#5b6275"} | dict.fromkeys("01234", "#8a94ad")
    )
    remedy = (
        "Ask for fewer, or try larger grids or another range of walls (task.wall_share_min, "
        "task.wall_share_max)."
    )

    def __init__(self, config: LightUpConfig, progress: Progress = silent) -> None:
        images = reflections(config.rows, config.cols)
        super().__init__(config, images, progress, augments=config.augment)
        self._config = config
        self._shape = Shape(config.rows, config.cols)
        self.vocab_size = config.vocab_size
        self.seq_len = config.seq_len
        self.symmetries = f"one of the grid's {len(images)} reflections and rotations"
        walls = f"{config.wall_share_min:.0%} to {config.wall_share_max:.0%}"
        share = config.number_share
        numbers = f"on {share:.0%} of the walls at least" if share else "only where they are needed"
        self.origin = f"{self._shape}, each cell a wall with a probability from {walls}, numbers {numbers}"

    def generate(self, count: int, rng: np.random.Generator) -> Examples:
        """Return at most `count` random puzzles with their only solutions."""
        return generate(self._config, self._shape, count, rng)

    def solve(self, puzzles: Tokens) -> Solutions:
        """Look for the solutions of puzzles (N, cells)."""
        return solver.solve(self._shape, puzzles)

    def describe(self, inputs: Tokens) -> str:
        """Say how many walls and numbers puzzles (N, cells) have."""
        walls, numbers = (inputs >= WALL).sum(axis=1), (inputs >= FIRST_NUMBER).sum(axis=1)
        return (
            f"{walls.min()} to {walls.max()} walls ({walls.mean():.1f} on average), "
            f"{numbers.mean():.1f} of them with a number"
        )

    def read(self, written: str) -> Tokens:
        """Return the tokens (cells,) of a grid as text, with its bulbs."""
        return text.read(self._shape, written)

    def parse(self, puzzle: str) -> Tokens:
        """Return the tokens (cells,) of a puzzle in any notation; raise `UsageError` when it is none."""
        return text.parse(self._shape, puzzle)

    def contradictions(self, puzzle: Tokens) -> list[Fault]:
        """Return numbers of a puzzle (cells,) that have fewer open cells around them."""
        return rules.contradictions(self._shape, np.asarray(puzzle))

    def render(self, tokens: Sequence[int] | Tokens) -> str:
        """Draw a grid (cells,) of tokens."""
        return text.render(self._shape, tokens)

    def grid(self, tokens: Sequence[int] | Tokens) -> list[list[str]]:
        """Return the rows of symbols of a grid (cells,) of tokens."""
        symbols, cols = text.line(tokens), self._shape.cols
        return [list(symbols[first : first + cols]) for first in range(0, len(symbols), cols)]

    def given(self, puzzle: Tokens) -> npt.NDArray[np.bool_]:
        """Return which cells (cells,) are walls: an open cell may get a bulb."""
        found: npt.NDArray[np.bool_] = np.asarray(puzzle) != OPEN
        return found

    def line(self, tokens: Sequence[int] | Tokens) -> str:
        """Write a grid (cells,) of tokens on one line."""
        return text.line(tokens)

    def check(self, puzzle: Tokens, answer: Tokens) -> Verdict:
        """Judge an answer (cells,) to a puzzle (cells,) by the rules."""
        return rules.check(self._shape, np.asarray(puzzle), np.asarray(answer))

    def faults(self, puzzle: Tokens, answer: Tokens) -> list[Fault]:
        """Return bulbs that shine on each other, cells in the dark, and numbers that are not met."""
        return rules.faults(self._shape, np.asarray(puzzle), np.asarray(answer))

    def faults_of_puzzle(self, puzzle: Tokens) -> list[Fault]:
        """Return the cells that belong into no puzzle."""
        return rules.faults_of_puzzle(self._shape, puzzle)

    def solved(self, puzzles: Tokens, answers: Tokens) -> npt.NDArray[np.bool_]:
        """Tell which answers (N, cells) to puzzles (N, cells) break no rule."""
        return rules.solved(self._shape, puzzles, answers)
