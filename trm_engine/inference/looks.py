"""The looks at one puzzle, one after the other: the rule by which whoever solves puzzles goes on or ends.

A look shows the puzzle as it is, then under a random symmetry of its task, or with noise on the latent state
where a task has none (arXiv 2605.19943). It ends in an answer. One that the rules accept is the answer. While
none is, the puzzle is looked at again, as often as is allowed; then the answer is that of the look whose
halting probability was highest, and it is unproven. Tasks without rules that know their puzzles by identifier
(ARC) have images of each puzzle: their answers vote, as in the published evaluation, and halting
probabilities decide between equals.

Which symmetries are drawn depends on the puzzle and the seed alone, so that a puzzle is looked at in the same
way by whoever solves it, and whatever else is solved beside it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from trm_engine.tasks.base import PuzzleTask
from trm_engine.tasks.examples import Tokens
from trm_engine.tasks.kit.symmetry import VIEWS, Symmetry, places


@dataclass(frozen=True)
class Looking:
    """How often, and how long, a puzzle may be looked at.

    `looks` counts the first, which shows the puzzle as it is. With `noise` above 0, every later look is the
    same puzzle with Gaussian noise of that standard deviation added to the latent state before each step;
    else it is an image of the puzzle. `seed` decides all chance, together with the puzzle.
    """

    max_steps: int
    looks: int = VIEWS
    noise: float = 0.0
    seed: int = 0

    def can_help(self, task: PuzzleTask) -> bool:
        """Whether a look after the first differs from it."""
        return self.noise > 0 or task.symmetry(np.random.default_rng(0)) is not None


@dataclass(frozen=True)
class Look:
    """One look: the `number`-th, from 1, at a `view` (L,) of the puzzle under the identifier `puzzle_id`."""

    number: int
    view: Tokens
    puzzle_id: int = 0
    symmetry: Symmetry | None = None
    generator: torch.Generator | None = None
    """Draws the noise of this look; None where it has none."""

    def home(self, answer: Tokens) -> Tokens:
        """Bring an answer (L,) to the view home to the puzzle."""
        return answer if self.symmetry is None else self.symmetry.back(answer)

    def cells_home(self, figures: npt.NDArray[np.float32], answer: Tokens) -> npt.NDArray[np.float32]:
        """Bring figures (L,) of the cells of an answer (L,) to the view home to the puzzle."""
        if self.symmetry is None:
            return figures
        if self.symmetry.places is not None:
            return figures[self.symmetry.places(answer)]
        return figures[self._places]

    @cached_property
    def _places(self) -> npt.NDArray[np.intp]:
        assert self.symmetry is not None
        return places(self.symmetry, len(self.view))


@dataclass(frozen=True)
class Ballot:
    """An answer (L,) that `looks` looks ended in, with the sum of their halting probabilities.

    `look` is the surest of them, with its `halt_probability`.
    """

    answer: Tokens
    votes: int
    looks: int
    halts: float
    look: int
    halt_probability: float


@dataclass
class Looks:
    """What becomes of one puzzle (L,): which look is next, and which answer counts."""

    task: PuzzleTask
    puzzle: Tokens
    looking: Looking
    puzzle_id: int = 0
    _cast: dict[str, Ballot] = field(default_factory=dict)

    def first(self) -> Look:
        """Return the look at the puzzle as it is."""
        return Look(1, self.puzzle, self.puzzle_id)

    def after(self, look: Look, answer: Tokens, halt: float, *, accepted: bool) -> Look | None:
        """Take note of how a look ended, `answer` (L,) brought home; return the next, if there is one."""
        self._note(look, answer, halt)
        if accepted or look.number >= self.looking.looks:
            return None
        return self._another(look.number + 1)

    def ranked(self) -> list[Ballot]:
        """Return the answers that looks ended in, the one that counts first."""

        def merit(one: Ballot) -> tuple[float, float]:
            return (one.votes, one.halts / one.looks) if self._votes else (0.0, one.halt_probability)

        return sorted(self._cast.values(), key=merit, reverse=True)

    @property
    def _votes(self) -> bool:
        return not self.task.judges_all and not self.looking.noise

    def _note(self, look: Look, answer: Tokens, halt: float) -> None:
        key = self.task.line(answer)
        known = self._cast.get(key)
        if known is None:
            # An answer without a cell is none: nobody's vote makes it count.
            self._cast[key] = Ballot(answer.copy(), int(np.any(answer)), 1, halt, look.number, halt)
            return
        number, highest = known.look, known.halt_probability
        if halt > highest:
            number, highest = look.number, halt
        votes = known.votes + bool(known.votes)
        self._cast[key] = Ballot(known.answer, votes, known.looks + 1, known.halts + halt, number, highest)

    def _another(self, number: int) -> Look | None:
        """Return the look of this number; None where no further one would differ from the first."""
        if self.looking.noise:
            seed = int(self._rng(number).integers(2**62))
            generator = torch.Generator().manual_seed(seed)
            return Look(number, self.puzzle, self.puzzle_id, generator=generator)
        puzzle_id, symmetry = self.puzzle_id, self.task.symmetry(self._rng(number))
        if symmetry is None:
            image = self.task.image(puzzle_id, number - 1)
            if image is None:
                return None
            puzzle_id, symmetry = image
        return Look(number, symmetry.forward(self.puzzle), puzzle_id, symmetry)

    def _rng(self, number: int) -> np.random.Generator:
        digest = hashlib.sha256(np.asarray(self.puzzle, np.int64).tobytes()).digest()
        return np.random.default_rng([self.looking.seed, number, int.from_bytes(digest[:8], "big")])
