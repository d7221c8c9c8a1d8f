"""Rows of many questions share supervision steps: a row joins at the next step and leaves when it is done.

Rows of a batch do not know each other (every operation of the network is within a row), so an answer does not
depend on who else was asked at the same time.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from trm_engine.inference.supervise import Refinement, Supervision, SupervisionStep
from trm_engine.models.trm import TRM
from trm_engine.tasks.examples import Tokens

_LONGEST_STEP = 0.3
"""Seconds that one shared step may be expected to take before no further row is let in."""
_IDLE_SECONDS = 0.5


class Row(ABC):
    """One puzzle (L,) being refined. All methods are called on the batcher's thread, and must be quick."""

    puzzle: Tokens
    puzzle_id: int = 0

    @abstractmethod
    def observe(self, refinement: Refinement, *, accepted: bool) -> bool:
        """Take the answer after one supervision step, and whether the rules accept it.

        Returns whether another step is wanted.
        """

    @abstractmethod
    def gone(self) -> bool:
        """Return whether nobody waits for this row any more: it leaves before the next step."""

    @abstractmethod
    def fail(self, error: BaseException) -> None:
        """Hear that no further step will come, and why."""


Judge: TypeAlias = Callable[[Tokens, Tokens], npt.NDArray[np.bool_]]
"""Tells which answers (R, L) to puzzles (R, L) the rules accept."""


def nobody(puzzles: Tokens, _: Tokens) -> npt.NDArray[np.bool_]:
    """Accept no answer: the judge where there are no rules."""
    return np.zeros(len(puzzles), np.bool_)


class Batcher:
    """A thread that refines the rows of one network together, and lets `judge` look at all answers of a step.

    `threads` is asked before each step for the number of torch threads to compute with. No more rows are let
    in than `most_rows`, nor than can be expected to be served within `longest_step` seconds a step, so that a
    large network does not make one asker wait for all the others.
    """

    def __init__(
        self,
        network: TRM,
        judge: Judge = nobody,
        *,
        name: str = "batcher",
        most_rows: int = 64,
        longest_step: float = _LONGEST_STEP,
        threads: Callable[[], int] = lambda: 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._network = network
        self._judge = judge
        self._most_rows = most_rows
        self._longest_step = longest_step
        self._threads_wanted, self._threads = threads, 0
        self._clock = clock
        self._waiting: deque[Row] = deque()
        self._rows: list[Row] = []
        self._steps: list[int] = []
        self._changed = threading.Condition()
        self._closing = self._draining = False
        self._row_seconds = 0.0
        self._ticked = clock()
        self.steps_run = 0
        """Supervision steps computed, each for all rows of its time."""
        self.rows_run = 0
        """Supervision steps computed, counted for each row."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    # --- any thread ---------------------------------------------------------------------------------------

    def submit(self, row: Row, *, first: bool = False) -> None:
        """Let a row join at the next step there is room; `first`: before those that wait already.

        Raises `RuntimeError` when the batcher has been closed.
        """
        with self._changed:
            if self._closing:
                raise RuntimeError("the batcher is closed")
            if first:
                self._waiting.appendleft(row)
            else:
                self._waiting.append(row)
            self._changed.notify()

    @property
    def closed(self) -> bool:
        """Whether no further row is taken."""
        with self._changed:
            return self._closing

    @property
    def load(self) -> tuple[int, int]:
        """Rows that wait, and rows in flight."""
        with self._changed:
            return len(self._waiting), len(self._rows)

    @property
    def row_seconds(self) -> float:
        """Seconds that the latest step took, divided by its rows."""
        return self._row_seconds

    @property
    def seconds_since_tick(self) -> float:
        """How long ago the thread last showed that it is alive."""
        return self._clock() - self._ticked

    def close(self, *, drain: bool = False) -> None:
        """Stop: at once, failing the rows in flight, or with `drain` once none is left. Does not wait."""
        with self._changed:
            self._draining = drain
            self._closing = self._closing or not drain
            self._changed.notify()

    def join(self, seconds: float | None = None) -> None:
        """Wait until the thread has ended, for so many seconds at most."""
        self._thread.join(seconds)

    # --- the batcher's thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        supervision = Supervision(self._network)
        while self._wait_for_work():
            supervision = self._turn(supervision)
        self._fail_all(RuntimeError("the server is shutting down"))

    def _turn(self, supervision: Supervision) -> Supervision:
        """Take one step with the rows there are, after some have left and others joined."""
        try:
            self._leave(supervision)
            self._admit(supervision)
            if self._rows:
                self._step(supervision)
        except BaseException as error:  # a failing step must not end the service of later askers
            self._fail_all(error)
            return Supervision(self._network)
        return supervision

    def _wait_for_work(self) -> bool:
        with self._changed:
            while not self._closing and not self._rows and not self._waiting:
                if self._draining:
                    self._closing = True
                    break
                self._ticked = self._clock()
                self._changed.wait(_IDLE_SECONDS)
            self._ticked = self._clock()
            return not self._closing

    def _fail_all(self, error: BaseException) -> None:
        with self._changed:
            rows = [*self._rows, *self._waiting]
            self._rows, self._steps = [], []
            self._waiting.clear()
        for row in rows:
            row.fail(error)

    def _leave(self, supervision: Supervision) -> None:
        """Drop rows that nobody waits for."""
        self._keep(supervision, [index for index, row in enumerate(self._rows) if not row.gone()])

    def _keep(self, supervision: Supervision, staying: Sequence[int]) -> None:
        if len(staying) == len(self._rows):
            return
        with self._changed:
            self._rows = [self._rows[index] for index in staying]
            self._steps = [self._steps[index] for index in staying]
        supervision.keep(torch.tensor(staying, dtype=torch.int64))

    def _admit(self, supervision: Supervision) -> None:
        """Let waiting rows in as far as there is room; they start from the initial states."""
        fresh: list[Row] = []
        with self._changed:
            while self._waiting and self._has_room(len(self._rows) + len(fresh)):
                row = self._waiting.popleft()
                if not row.gone():
                    fresh.append(row)
            self._rows += fresh
            self._steps += [0] * len(fresh)
        if fresh:
            puzzles = np.stack([np.asarray(row.puzzle) for row in fresh])
            supervision.join(puzzles, np.array([row.puzzle_id for row in fresh]))

    def _has_room(self, rows: int) -> bool:
        if rows >= self._most_rows:
            return False
        # Before anything is measured one row goes alone: nobody knows how long its step will take.
        return rows == 0 or 0 < self._row_seconds * (rows + 1) <= self._longest_step

    def _step(self, supervision: Supervision) -> None:
        self._use_threads()
        rows = self._rows
        began = self._clock()
        found = SupervisionStep(0, torch.arange(len(rows)), *supervision.step())
        answers, sure = found.answers.numpy(), found.confidences.float().numpy()
        halt = found.halt_probabilities.tolist()
        accepted = self._judge(np.stack([np.asarray(row.puzzle) for row in rows]), answers)
        self._row_seconds = (self._clock() - began) / len(rows)
        self.steps_run += 1
        self.rows_run += len(rows)
        staying = []
        for index, row in enumerate(rows):
            self._steps[index] += 1
            refinement = Refinement(self._steps[index], answers[index], sure[index], halt[index])
            if _observed(row, refinement, bool(accepted[index])):
                staying.append(index)
        self._keep(supervision, staying)

    def _use_threads(self) -> None:
        wanted = max(self._threads_wanted(), 1)
        if wanted != self._threads:
            torch.set_num_threads(wanted)  # of this thread alone
            self._threads = wanted


def _observed(row: Row, refinement: Refinement, accepted: bool) -> bool:
    """Return whether a row wants another step; one whose observer fails has none."""
    try:
        return row.observe(refinement, accepted=accepted)
    except Exception as error:
        row.fail(error)
        return False
