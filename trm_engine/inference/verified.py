"""Verified solving: the rules of a puzzle, not its label, say when its answer is right.

One rule for whoever solves puzzles: stop when the rules accept, else go on, else look again. Another look is
the puzzle under a random symmetry of its task, or with noise on the latent state where a task has none
(arXiv 2605.19943). Only unsolved puzzles go on, and new puzzles take the place of those that are done, so
that every batch is full. When no look ends in an answer that the rules accept, the one whose halting
probability is highest is the answer, and it is unproven.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from trm_engine.inference.supervise import Supervision
from trm_engine.models.trm import TRM
from trm_engine.tasks.base import PuzzleTask
from trm_engine.tasks.examples import Tokens
from trm_engine.tasks.kit.symmetry import VIEWS, Symmetry


@dataclass(frozen=True)
class Looking:
    """How often, and how long, a puzzle may be looked at.

    `looks` counts the first, which shows the puzzle as it is. With `noise` above 0, every later look is the
    same puzzle with Gaussian noise of that standard deviation added to the latent state before each step;
    else it is an image of the puzzle. `seed` decides all chance, for each puzzle by its number.
    """

    max_steps: int
    looks: int = VIEWS
    noise: float = 0.0
    seed: int = 0

    def can_help(self, task: PuzzleTask) -> bool:
        """Whether a look after the first differs from it."""
        return self.noise > 0 or task.symmetry(np.random.default_rng(0)) is not None


@dataclass(frozen=True)
class Seen:
    """A puzzle after one supervision step of one look, brought home from the view.

    `puzzle`, `look` and `step` say where it belongs; looks and the steps of each count from 1. `answer` (L,)
    and `confidence` (L,) are in the places of the puzzle. `accepted` is what the rules say.
    """

    puzzle: int
    look: int
    step: int
    answer: Tokens
    confidence: npt.NDArray[np.float32]
    halt_probability: float
    accepted: bool


@dataclass(frozen=True)
class Outcome:
    """The answer (L,) to a puzzle, how it was come by, and whether the rules accept it (`proven`).

    `looks` and `steps` are what it took; `halt_probability` is the model's own estimate for the answer.
    """

    puzzle: int
    answer: Tokens
    proven: bool
    looks: int
    steps: int
    halt_probability: float


@dataclass
class _Row:
    """A look under way."""

    puzzle: int
    look: int
    view: Tokens
    symmetry: Symmetry | None
    generator: torch.Generator | None
    step: int = 0
    spent: int = 0
    """Supervision steps of earlier looks."""
    best: tuple[float, Tokens] | None = None
    """Of earlier looks, the highest halting probability at the end, and the answer there."""

    def home(self, answer: Tokens) -> Tokens:
        """Bring an answer to the view home to the puzzle."""
        return answer if self.symmetry is None else self.symmetry.back(answer)


def solve(
    model: TRM,
    task: PuzzleTask,
    puzzles: Tokens,
    puzzle_ids: npt.NDArray[np.integer],
    looking: Looking,
    *,
    batch_size: int,
    observe: Callable[[Seen], None] | None = None,
) -> Iterator[Outcome]:
    """Yield the outcome of each puzzle (N, L) as soon as it is known, in no certain order.

    `observe` hears of every supervision step before its outcome. A task that cannot judge answers by rules
    alone runs all steps of all looks, and none of its outcomes is proven.
    """
    desk = _Desk(task, puzzles, looking)
    supervision = Supervision(model)
    rows: list[_Row] = []
    while True:
        if joining := desk.next_rows(batch_size - len(rows)):
            views = np.stack([row.view for row in joining])
            supervision.join(views, puzzle_ids[[row.puzzle for row in joining]])
            rows += joining
        if not rows:
            return
        if looking.noise:
            supervision.disturb(_noise(rows, looking.noise, model))
        _, logits, q_halt = supervision.step()
        answers = logits.argmax(-1).t().numpy()
        halts = torch.sigmoid(q_halt).tolist()
        accepted = desk.judged(rows, answers)
        staying = np.ones(len(rows), np.bool_)
        for place, row in enumerate(rows):
            row.step += 1
            if observe is not None:
                observe(_seen(row, answers[place], logits[:, place], halts[place], bool(accepted[place])))
            if accepted[place] or row.step == looking.max_steps:
                staying[place] = False
                outcome = desk.ended(row, answers[place], halts[place], bool(accepted[place]))
                if outcome is not None:
                    yield outcome
        if not staying.all():
            supervision.keep(torch.from_numpy(staying))
            rows = [row for row, stays in zip(rows, staying, strict=True) if stays]


class _Desk:
    """Puzzles that wait for a look: those to be looked at again before those that nobody has looked at."""

    def __init__(self, task: PuzzleTask, puzzles: Tokens, looking: Looking) -> None:
        self._task = task
        self._puzzles = np.asarray(puzzles)
        self._looking = looking
        self._looks = looking.looks if looking.can_help(task) else 1
        self._again: deque[_Row] = deque()
        self._untouched = 0

    def next_rows(self, room: int) -> list[_Row]:
        """Return at most `room` looks to begin."""
        rows: list[_Row] = []
        while len(rows) < room and self._again:
            rows.append(self._again.popleft())
        while len(rows) < room and self._untouched < len(self._puzzles):
            number = self._untouched
            rows.append(_Row(number, 1, self._puzzles[number], None, None))
            self._untouched += 1
        return rows

    def judged(self, rows: list[_Row], answers: Tokens) -> npt.NDArray[np.bool_]:
        """Tell which answers (R, L) the rules accept, each in its view."""
        if not self._task.judges_all:
            return np.zeros(len(rows), np.bool_)
        return self._task.solved(np.stack([row.view for row in rows]), answers)

    def ended(self, row: _Row, answer: Tokens, halt: float, accepted: bool) -> Outcome | None:
        """Take note of how a look ended; return the outcome of its puzzle, unless it is looked at again."""
        steps = row.spent + row.step
        if accepted:
            return Outcome(row.puzzle, row.home(answer), True, row.look, steps, halt)
        best = row.best
        if best is None or halt > best[0]:
            best = halt, row.home(answer).copy()
        if row.look < self._looks:
            self._again.append(self._another(row, steps, best))
            return None
        return Outcome(row.puzzle, best[1], False, row.look, steps, best[0])

    def _another(self, row: _Row, spent: int, best: tuple[float, Tokens]) -> _Row:
        puzzle, look = self._puzzles[row.puzzle], row.look + 1
        rng = np.random.default_rng([self._looking.seed, row.puzzle, look])
        if self._looking.noise:
            generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
            return _Row(row.puzzle, look, puzzle, None, generator, spent=spent, best=best)
        symmetry = self._task.symmetry(rng)
        assert symmetry is not None, "a task has symmetries or has none"
        return _Row(row.puzzle, look, symmetry.forward(puzzle), symmetry, None, spent=spent, best=best)


def _noise(rows: list[_Row], sigma: float, model: TRM) -> Tensor:
    """Return noise (S, R, D), zero for first looks; each row draws its own, whatever rows are beside it."""
    shape = model.initial_state(1).z.shape
    silence = torch.zeros(shape[0], shape[2])
    return torch.stack(
        [
            silence
            if row.generator is None
            else sigma * torch.randn(shape[0], shape[2], generator=row.generator)
            for row in rows
        ],
        dim=1,
    )


def _seen(row: _Row, answer: Tokens, logits_LV: Tensor, halt: float, accepted: bool) -> Seen:
    confidence = logits_LV.softmax(-1).amax(-1).numpy()
    if row.symmetry is not None:
        confidence = confidence[places(row.symmetry, answer)]
    return Seen(row.puzzle, row.look, row.step, row.home(answer), confidence, halt, accepted)


def places(symmetry: Symmetry, answer: Tokens) -> npt.NDArray[np.intp]:
    """Return from which place of the view (L,) each place of the puzzle takes its answer.

    Found by marking one place after the other: a symmetry moves and renames tokens, and whatever it does to
    two tokens that it tells apart shows where a place has gone.
    """
    cells = len(answer)
    plain, marked = np.zeros(cells, answer.dtype), np.ones(cells, answer.dtype)
    probes = np.where(np.eye(cells, dtype=np.bool_), marked, plain)
    moved = symmetry.back(probes) != symmetry.back(plain)
    found: npt.NDArray[np.intp] = moved.argmax(axis=0)
    return found
