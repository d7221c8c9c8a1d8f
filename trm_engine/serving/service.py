"""Where questions are handed in: the model is chosen, the queue bounded, and the work started."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from trm_engine.errors import SessionError, TrmError, UsageError
from trm_engine.serving.catalogue import Served
from trm_engine.serving.puzzles import Asked, question_of, task_of
from trm_engine.serving.residents import Resident, Residents
from trm_engine.serving.solving import Done, Effort, Event, Failed, Job, Question, Tell

AUTO = "auto"


class BusyError(TrmError):
    """The queue is full; `retry_after` is in how many seconds there should be room."""

    def __init__(self, waiting: int, retry_after: int) -> None:
        super().__init__(f"{waiting} questions wait already: try again in {retry_after} s")
        self.retry_after = retry_after


class NoModelError(SessionError):
    """There is no model for a puzzle."""


@dataclass
class Service:
    """Takes questions for the resident models, at most `most_open` at a time."""

    residents: Residents
    most_open: int = 256
    _open: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    answered: int = 0
    solved: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def open(self) -> int:
        """Questions that have no answer yet."""
        return self._open

    @property
    def has_models(self) -> bool:
        """Whether any model can be asked."""
        return bool(self.residents.held() or self.residents.catalogue.recent())

    def choose(self, model: str, asked: Asked | None = None) -> Resident:
        """Return the model that was asked for; with `auto`, the best of those that read the puzzle.

        Raises `NoModelError`, `SessionError`, or the `UsageError` of the model that comes nearest.
        """
        if model != AUTO:
            return self.residents.get(model)
        served = self.residents.catalogue.recent()
        if not served:
            raise NoModelError("there is no trained model yet")
        if asked is None:
            return self.residents.get(served[0].session)
        errors: list[UsageError] = []
        for one in sorted(served, key=_merit, reverse=True):
            error = _misread(one, asked)
            if error is None:
                return self.residents.get(one.session)
            errors.append(error)
        raise errors[0]

    def ask(
        self, resident: Resident, question: Question, effort: Effort, tell: Tell, *, steps: bool = True
    ) -> Job:
        """Hand in a question; `tell` hears of every step on another thread, until `Done` or `Failed`.

        Without `steps`, it hears of the end alone.
        Raises `BusyError` where too many questions are open.
        """
        with self._lock:
            if self._open >= self.most_open:
                raise BusyError(self._open, self._retry_after())
            self._open += 1
        job = Job(
            resident.task,
            question,
            effort,
            resident.batcher,
            lambda event: self._hear(event, tell),
            tell_steps=steps,
        )
        try:
            job.start()
        except BaseException:
            self._close()
            raise
        return job

    def abandon(self, job: Job) -> None:
        """Wait for an answer no longer; nothing happens where it is there already."""
        if job.abandon():
            self.cancelled += 1
            self._close()

    def _hear(self, event: Event, tell: Tell) -> None:
        if isinstance(event, Done):
            self.answered += 1
            self.solved += event.answer.verdict.solved
            self._close()
        elif isinstance(event, Failed):
            self.failed += 1
            self._close()
        tell(event)

    def _close(self) -> None:
        with self._lock:
            self._open -= 1

    def _retry_after(self) -> int:
        """Return a guess in whole seconds: what is open, at the rate of the latest steps."""
        seconds = [resident.batcher.row_seconds for resident in self.residents.held()]
        return max(1, min(60, round(self._open * 8 * max(seconds, default=0.0))))


def _merit(served: Served) -> tuple[float, str]:
    return served.best_score if served.best_score is not None else -1.0, served.created


def _misread(served: Served, asked: Asked) -> UsageError | None:
    """Return why a model's task does not read a puzzle; None where it does. No model is loaded."""
    try:
        question_of(task_of(served.config.task), asked)
    except UsageError as error:
        return error
    return None
