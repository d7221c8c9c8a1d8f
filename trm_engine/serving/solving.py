"""One question on its way to an answer: supervision steps, the rules' verdict, and further views of it.

The rules of most tasks can tell a right answer from a wrong one, so refinement ends when they accept one
(`until="checked"`), and a question that fails is asked again as its image under a symmetry.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from trm_engine.inference.supervise import Refinement
from trm_engine.serving.batcher import Batcher, Row
from trm_engine.tasks.base import PuzzleTask, Verdict
from trm_engine.tasks.examples import PAD, Tokens
from trm_engine.tasks.kit.symmetry import Symmetry

Ended = Literal["checked", "halt", "all", "time"]
Until = Literal["checked", "halt", "all"]
"""When refinement ends: the rules accept, the model says that it is done, or all steps are taken."""

_HALTS = 0.5


@dataclass(frozen=True)
class Question:
    """A puzzle (L,) with the identifier of its task, and its solution where somebody knows it."""

    puzzle: Tokens
    puzzle_id: int = 0
    truth: Tokens | None = None


@dataclass(frozen=True)
class Effort:
    """How much is done for one answer: steps a view, further views, and seconds in all."""

    until: Until = "checked"
    max_steps: int = 16
    views: int = 0
    seconds: float = 60.0


@dataclass(frozen=True)
class Step:
    """The answer after one supervision step of one view, in the orientation of the question.

    `answer` and `confidence` (L,); `changed` (L,): cells that differ from the step before.
    """

    view: int
    step: int
    answer: Tokens
    confidence: npt.NDArray[np.float32]
    halt_probability: float
    changed: npt.NDArray[np.bool_]
    solved: bool


@dataclass(frozen=True)
class Answer:
    """What came of a question.

    `verdict` is the rules'. `right` (L,) compares with the known solution; None without one. `ended` says
    why refinement ended: `checked`, `halt`, `all` or `time`.
    """

    question: Question
    answer: Tokens
    verdict: Verdict
    steps: Sequence[Step]
    views: int
    ended: Ended
    seconds: float

    @property
    def halt_probability(self) -> float:
        """The model's own opinion at the last step."""
        return self.steps[-1].halt_probability

    @property
    def right(self) -> npt.NDArray[np.bool_] | None:
        """Which cells (L,) agree with the known solution; cells that it leaves open count as right."""
        truth = self.question.truth
        if truth is None:
            return None
        agreeing: npt.NDArray[np.bool_] = (self.answer == truth) | (np.asarray(truth) == PAD)
        return agreeing


@dataclass(frozen=True)
class ViewBegun:
    """The question is asked once more, as another image of itself."""

    view: int


@dataclass(frozen=True)
class Done:
    """The answer is there."""

    answer: Answer


@dataclass(frozen=True)
class Failed:
    """There will be no answer."""

    error: BaseException


Event: TypeAlias = Step | ViewBegun | Done | Failed
Tell: TypeAlias = Callable[[Event], None]
"""Hears how a question fares, on the batcher's thread: it must be quick."""


@dataclass
class Job:
    """One asker's question in a batcher. `cancel` may be called from any thread."""

    task: PuzzleTask
    question: Question
    effort: Effort
    batcher: Batcher
    tell: Tell
    clock: Callable[[], float] = time.monotonic
    taken: list[Step] = field(default_factory=list)
    _ending: threading.Lock = field(default_factory=threading.Lock)
    _over: bool = False
    _began: float = 0.0

    def start(self) -> None:
        """Ask the question as it is. Raises `RuntimeError` when the batcher has been closed."""
        self._began = self.clock()
        self.batcher.submit(_View(self, 0, self.question.puzzle, self.question.puzzle_id))

    def abandon(self) -> bool:
        """Wait for the answer no longer: the work ends before the next step, and nothing more is told.

        Returns whether this ended it: it may have ended before.
        """
        return self._end()

    @property
    def over(self) -> bool:
        """Whether there is an answer, or will never be one."""
        return self._over

    def _end(self) -> bool:
        """Return True to the first who ends this job: threads may try to at the same time."""
        with self._ending:
            first, self._over = not self._over, True
        return first

    @cached_property
    def _rng(self) -> np.random.Generator:
        """Draws the views; the same ones whenever the question is asked."""
        digest = hashlib.sha256(np.asarray(self.question.puzzle, np.uint8).tobytes()).digest()
        return np.random.default_rng(int.from_bytes(digest[:8], "big"))

    def ended_by(self, step: Step) -> Ended | None:
        """Return why a view ends with this step; None where it goes on."""
        if step.solved and self.effort.until == "checked":
            return "checked"
        if self.clock() - self._began > self.effort.seconds:
            return "time"
        if step.halt_probability > _HALTS and self.effort.until == "halt":
            return "halt"
        return "all" if step.step >= self.effort.max_steps else None

    def look_again(self, ended: Ended, view: int) -> bool:
        """Begin another view of the question, if one is left that may help; return whether one begins."""
        if self.taken[-1].solved or ended == "time" or view >= self.effort.views or not self.task.judges_all:
            return False
        symmetry = self.task.symmetry(self._rng)
        if symmetry is None:
            return False
        row = _View(self, view + 1, symmetry.forward(self.question.puzzle), self.question.puzzle_id, symmetry)
        try:
            self.batcher.submit(row, first=True)
        except RuntimeError:
            return False
        self.tell(ViewBegun(view + 1))
        return True

    def finish(self, ended: Ended, view: int) -> None:
        """Tell the answer: one that the rules accept, else that of the question as it was asked."""
        if self.over or self.look_again(ended, view):
            return
        views = view
        last = self.taken[-1]
        if not last.solved:
            last = [step for step in self.taken if step.view == 0][-1]
        verdict = self.task.check(self.question.puzzle, last.answer)
        seconds = self.clock() - self._began
        if self._end():
            self.tell(Done(Answer(self.question, last.answer, verdict, self.taken, views, ended, seconds)))

    def fail(self, error: BaseException) -> None:
        """Tell that there will be no answer."""
        if self._end():
            self.tell(Failed(error))


class _View(Row):
    """A question, or an image of it, as a row of a batch."""

    def __init__(
        self, job: Job, number: int, puzzle: Tokens, puzzle_id: int, symmetry: Symmetry | None = None
    ) -> None:
        self.puzzle, self.puzzle_id = puzzle, puzzle_id
        self._job, self._number, self._symmetry = job, number, symmetry
        self._source = None if symmetry is None else home_of_cells(symmetry, len(puzzle))
        self._before: Tokens | None = None

    def observe(self, refinement: Refinement) -> bool:
        job = self._job
        answer, confidence = refinement.answer, refinement.confidence
        if self._symmetry is not None and self._source is not None:
            answer, confidence = self._symmetry.back(answer), confidence[self._source]
        changed = np.zeros(len(answer), np.bool_) if self._before is None else answer != self._before
        self._before = answer
        solved = job.task.check(job.question.puzzle, answer).solved
        step = Step(
            self._number,
            refinement.step,
            answer,
            confidence,
            refinement.halt_probability,
            changed,
            solved,
        )
        job.taken.append(step)
        job.tell(step)
        ended = job.ended_by(step)
        if ended is not None:
            job.finish(ended, self._number)
        return ended is None

    def gone(self) -> bool:
        return self._job.over

    def fail(self, error: BaseException) -> None:
        self._job.fail(error)


def home_of_cells(symmetry: Symmetry, cells: int) -> npt.NDArray[np.intp]:
    """Return where in a view each cell (L,) of the puzzle is, so that figures of cells can be brought home.

    A symmetry only tells what it does to tokens, which it may rename. Two tokens stay two tokens, so each bit
    of a cell's number can be sent through it as one of two tokens.
    """
    number = np.arange(cells)
    found = np.zeros(cells, np.intp)
    one = symmetry.back(np.full(cells, 2, np.uint8))
    for bit in range(max(cells - 1, 1).bit_length()):
        sent = np.where(number >> bit & 1, 2, 1).astype(np.uint8)
        found |= (symmetry.back(sent) == one).astype(np.intp) << bit
    return found
