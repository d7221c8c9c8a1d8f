"""One question on its way to an answer: supervision steps, the rules' verdict, and further views of it.

Which view is next and which answer counts is decided as everywhere (`trm_engine.inference.looks`); here a
question shares its steps with others, tells of each, and may end earlier.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from trm_engine.inference.looks import Ballot, Look, Looking, Looks
from trm_engine.inference.supervise import Refinement
from trm_engine.serving.batcher import Batcher, Row
from trm_engine.tasks.base import PuzzleTask, Verdict
from trm_engine.tasks.examples import PAD, Tokens

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
    why refinement ended: `checked`, `halt`, `all` or `time`. The answer was found at step `place` of `steps`,
    counted from 0. `ballots` are the different answers of whole views, the one that counts first.
    """

    question: Question
    answer: Tokens
    verdict: Verdict
    steps: Sequence[Step]
    views: int
    ended: Ended
    seconds: float
    place: int
    ballots: Sequence[Ballot] = ()

    @property
    def found(self) -> Step:
        """The step at which the answer was found."""
        return self.steps[self.place]

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
    tell_steps: bool = True
    """Whether `tell` hears of every step, and not of the end alone."""
    _ending: threading.Lock = field(default_factory=threading.Lock)
    _over: bool = False
    _began: float = 0.0

    def start(self) -> None:
        """Ask the question as it is. Raises `RuntimeError` when the batcher has been closed."""
        self._began = self.clock()
        self.batcher.submit(_View(self, self._looks.first()))

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
    def _looks(self) -> Looks:
        looking = Looking(self.effort.max_steps, self.effort.views + 1)
        return Looks(self.task, self.question.puzzle, looking, self.question.puzzle_id)

    def take(self, step: Step) -> None:
        """Take note of a step, and tell it where each is wanted."""
        self.taken.append(step)
        if self.tell_steps:
            self.tell(step)

    def ended_by(self, step: Step) -> Ended | None:
        """Return why a view ends with this step; None where it goes on."""
        if step.solved and self.effort.until == "checked":
            return "checked"
        if self.clock() - self._began > self.effort.seconds:
            return "time"
        if step.halt_probability > _HALTS and self.effort.until == "halt":
            return "halt"
        return "all" if step.step >= self.effort.max_steps else None

    def finish(self, ended: Ended, look: Look) -> None:
        """Begin the next view, if there is one; else tell the answer."""
        if self.over:
            return
        last = self.taken[-1]
        again = self._looks.after(look, last.answer, last.halt_probability, accepted=last.solved)
        if again is not None and ended != "time" and self._begin(again):
            return
        place, ballots = len(self.taken) - 1, self._looks.ranked()
        if not last.solved:
            # The last step of the surest view among those that ended in the answer that counts.
            view = ballots[0].look - 1
            place = max(index for index, step in enumerate(self.taken) if step.view == view)
        answer = self.taken[place].answer
        verdict = self.task.check(self.question.puzzle, answer)
        seconds = self.clock() - self._began
        views = look.number - 1
        if self._end():
            found = Answer(self.question, answer, verdict, self.taken, views, ended, seconds, place, ballots)
            self.tell(Done(found))

    def _begin(self, look: Look) -> bool:
        """Ask the question under another view; return whether the batcher takes it."""
        try:
            self.batcher.submit(_View(self, look), first=True)
        except RuntimeError:
            return False
        if self.tell_steps:
            self.tell(ViewBegun(look.number - 1))
        return True

    def fail(self, error: BaseException) -> None:
        """Tell that there will be no answer."""
        if self._end():
            self.tell(Failed(error))


class _View(Row):
    """A question, or an image of it, as a row of a batch."""

    def __init__(self, job: Job, look: Look) -> None:
        self.puzzle, self.puzzle_id = look.view, look.puzzle_id
        self._job, self._look = job, look
        self._before: Tokens | None = None

    def observe(self, refinement: Refinement, *, accepted: bool) -> bool:
        job, look = self._job, self._look
        answer = look.home(refinement.answer)
        confidence = look.cells_home(refinement.confidence, refinement.answer)
        changed = np.zeros(len(answer), np.bool_) if self._before is None else answer != self._before
        self._before = answer
        step = Step(
            look.number - 1,
            refinement.step,
            answer,
            confidence,
            refinement.halt_probability,
            changed,
            accepted,
        )
        job.take(step)
        ended = job.ended_by(step)
        if ended is not None:
            job.finish(ended, look)
        return ended is None

    def gone(self) -> bool:
        return self._job.over

    def fail(self, error: BaseException) -> None:
        self._job.fail(error)
