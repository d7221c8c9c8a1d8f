"""Verified solving of many puzzles: the rules of a puzzle, not its label, say when its answer is right.

Stop when the rules accept, else go on, else look again (`looks.py` says how). Only unsolved puzzles go on,
and new puzzles take the place of those that are done, so that every batch is full.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from trm_engine.inference.looks import Look, Looking, Looks
from trm_engine.inference.supervise import Supervision
from trm_engine.models.trm import TRM
from trm_engine.tasks.base import PuzzleTask
from trm_engine.tasks.examples import Tokens


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
    looks: Looks
    look: Look
    step: int = 0
    spent: int = 0
    """Supervision steps of earlier looks."""


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
    desk = _Desk(task, puzzles, puzzle_ids, looking)
    supervision = Supervision(model)
    rows: list[_Row] = []
    while True:
        if joining := desk.next_rows(batch_size - len(rows)):
            views = np.stack([row.look.view for row in joining])
            supervision.join(views, np.array([row.look.puzzle_id for row in joining]))
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

    def __init__(
        self, task: PuzzleTask, puzzles: Tokens, puzzle_ids: npt.NDArray[np.integer], looking: Looking
    ) -> None:
        self._task = task
        self._puzzles, self._puzzle_ids = np.asarray(puzzles), puzzle_ids
        self._looking = looking if looking.can_help(task) else replace(looking, looks=1)
        self._again: deque[_Row] = deque()
        self._untouched = 0

    def next_rows(self, room: int) -> list[_Row]:
        """Return at most `room` looks to begin."""
        rows: list[_Row] = []
        while len(rows) < room and self._again:
            rows.append(self._again.popleft())
        while len(rows) < room and self._untouched < len(self._puzzles):
            number = self._untouched
            looks = Looks(self._task, self._puzzles[number], self._looking, int(self._puzzle_ids[number]))
            rows.append(_Row(number, looks, looks.first()))
            self._untouched += 1
        return rows

    def judged(self, rows: list[_Row], answers: Tokens) -> npt.NDArray[np.bool_]:
        """Tell which answers (R, L) the rules accept, each in its view."""
        if not self._task.judges_all:
            return np.zeros(len(rows), np.bool_)
        return self._task.solved(np.stack([row.look.view for row in rows]), answers)

    def ended(self, row: _Row, answer: Tokens, halt: float, accepted: bool) -> Outcome | None:
        """Take note of how a look ended; return the outcome of its puzzle, unless it is looked at again."""
        steps, home = row.spent + row.step, row.look.home(answer)
        again = row.looks.after(row.look, home, halt, accepted=accepted)
        if again is not None:
            self._again.append(_Row(row.puzzle, row.looks, again, spent=steps))
            return None
        if accepted:
            return Outcome(row.puzzle, home, True, row.look.number, steps, halt)
        best = row.looks.ranked()[0]
        return Outcome(row.puzzle, best.answer, False, row.look.number, steps, best.halt_probability)


def _noise(rows: list[_Row], sigma: float, model: TRM) -> Tensor:
    """Return noise (S, R, D), zero for first looks; each row draws its own, whatever rows are beside it."""
    shape = model.initial_state(1).z.shape
    silence = torch.zeros(shape[0], shape[2])
    return torch.stack(
        [
            silence
            if row.look.generator is None
            else sigma * torch.randn(shape[0], shape[2], generator=row.look.generator)
            for row in rows
        ],
        dim=1,
    )


def _seen(row: _Row, answer: Tokens, logits_LV: Tensor, halt: float, accepted: bool) -> Seen:
    confidence = row.look.cells_home(logits_LV.softmax(-1).amax(-1).numpy(), answer)
    return Seen(row.puzzle, row.look.number, row.step, row.look.home(answer), confidence, halt, accepted)
