"""Evaluation by voting: a test input is answered under many images of its task, and the answers vote.

Each answer is brought back to the original's colours and orientation and cropped; equal grids are counted
together and ranked by votes, then by the mean probability of halting that came with them. This is how the
published ARC-AGI figures are made (two tries: pass@2).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from trm_engine.inference.supervise import halting, supervise
from trm_engine.models.trm import TRM
from trm_engine.tasks.arc.data import Query
from trm_engine.tasks.arc.grids import Grid
from trm_engine.tasks.arc.task import ArcTask
from trm_engine.tasks.examples import Examples, Tokens

PASS_AT = (1, 2, 5, 10, 100, 1000)
"""How many of the ranked grids are tried in the figures that are reported."""
ATTEMPTS = 2
"""Grids a submission may hold for each test input."""


class Answers(NamedTuple):
    """What a model says to a batch: `tokens` (B, L), and the probability of halting (B,) at the end."""

    tokens: Tokens
    halt: npt.NDArray[np.floating]


Predictor: TypeAlias = Callable[[Examples], Answers]
"""Answers a batch of inputs and puzzle identifiers; the labels are not to be looked at."""


@dataclass(frozen=True)
class Outcome:
    """How a test input was voted on.

    `attempts` are the (at most two) grids ranked first, `votes` counts those cast, and `rank` is the place of
    the right grid, from 1: None where nobody voted for it, or its output is not known.
    """

    query: Query
    attempts: Sequence[Grid]
    votes: int
    rank: int | None


@dataclass(frozen=True)
class Poll:
    """The outcomes of all test inputs that were voted on, in order; `complete` unless it was interrupted."""

    outcomes: Sequence[Outcome]
    complete: bool
    predictions: int
    seconds: float
    too_large: Mapping[str, int] = field(default_factory=dict)
    """Held-out tasks that the canvas has no room for: how many test inputs each has, by name."""

    @property
    def scored(self) -> int:
        """Test inputs whose output is known."""
        return sum(outcome.query.output is not None for outcome in self.outcomes)

    def pass_at(self, tries: int) -> float:
        """Return the share of tasks solved with `tries` grids for each test input.

        A task counts by the share of its test inputs that are solved, as in the published figures.
        """
        solved: dict[str, list[bool]] = {}
        for outcome in self.outcomes:
            if outcome.query.output is not None:
                right = outcome.rank is not None and outcome.rank <= tries
                solved.setdefault(outcome.query.task, []).append(right)
        return float(np.mean([np.mean(of_task) for of_task in solved.values()])) if solved else 0.0

    def submission(self) -> dict[str, list[dict[str, list[list[int]]]]]:
        """Return the attempts in the competition's form: {task: [{"attempt_1": grid, "attempt_2": grid}, …]}.

        Where there is one grid only it is both attempts; where there is none, a single black cell is. Tasks
        that do not fit the canvas are answered so too: a competition asks for every task.
        """
        tasks: dict[str, list[dict[str, list[list[int]]]]] = {}
        for outcome in self.outcomes:
            grids = [grid.tolist() for grid in outcome.attempts] or [[[0]]]
            tasks.setdefault(outcome.query.task, []).append(_attempts(grids))
        unanswered = {name: [_attempts([[[0]]])] * inputs for name, inputs in self.too_large.items()}
        return {**tasks, **unanswered}

    def to_dict(self) -> dict[str, object]:
        """Return the figures by name."""
        return {
            "complete": self.complete,
            "test_inputs": len(self.outcomes),
            "scored": self.scored,
            "tasks_too_large": len(self.too_large),
            "predictions": self.predictions,
            "seconds": self.seconds,
            "pass": {str(tries): self.pass_at(tries) for tries in PASS_AT} if self.scored else {},
        }


def _attempts(grids: Sequence[list[list[int]]]) -> dict[str, list[list[int]]]:
    """Return the attempts at a test input in the competition's form, the last grid again for one missing."""
    return {f"attempt_{n + 1}": grids[min(n, len(grids) - 1)] for n in range(ATTEMPTS)}


@dataclass
class _Tally:
    """Votes for grids, by shape and cells: how many, and the sum of the halting probabilities."""

    votes: dict[tuple[tuple[int, ...], bytes], tuple[int, float]] = field(default_factory=dict)

    def add(self, grid: Grid, halt: float) -> None:
        if grid.size:  # an answer without a cell is none
            key = grid.shape, grid.tobytes()
            count, total = self.votes.get(key, (0, 0.0))
            self.votes[key] = count + 1, total + halt

    def outcome(self, query: Query) -> Outcome:
        def merit(key: tuple[tuple[int, ...], bytes]) -> tuple[int, float]:
            count, total = self.votes[key]
            return count, total / count

        ranked = sorted(self.votes, key=merit, reverse=True)
        grids = [np.frombuffer(cells, np.uint8).reshape(shape) for shape, cells in ranked[:ATTEMPTS]]
        rank = None
        if query.output is not None:
            right = query.output.shape, query.output.tobytes()
            rank = ranked.index(right) + 1 if right in self.votes else None
        return Outcome(query, grids, sum(count for count, _ in self.votes.values()), rank)


def vote(
    task: ArcTask,
    predict: Predictor,
    *,
    images: int,
    batch_size: int,
    progress: Callable[[int, int], None] | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Poll:
    """Ask `predict` for the held-out test inputs under at most `images` images each, and count the votes.

    Memory holds the votes on one test input and a batch. `progress` hears (predictions made, all of them)
    after each batch; when `stopping` turns true, the test inputs that were finished are returned.
    """
    started = time.perf_counter()
    rows, queries = task.ballots(images), task.queries
    outcomes: list[Outcome] = []
    tally, done = _Tally(), 0
    for start in range(0, len(rows), batch_size):
        if stopping():
            break
        batch = rows.take(slice(start, start + batch_size))
        answers = predict(batch)
        for tokens, halt, puzzle_id in zip(answers.tokens, answers.halt, batch.puzzle_ids, strict=True):
            tally.add(task.restore(tokens, int(puzzle_id)), float(halt))
            done += 1
            if done == rows.bounds[len(outcomes) + 1]:
                outcomes.append(tally.outcome(queries[len(outcomes)]))
                tally = _Tally()
        if progress is not None:
            progress(done, len(rows))
    complete = len(outcomes) == len(queries)
    return Poll(outcomes, complete, done, time.perf_counter() - started, task.too_large)


def predictor(model: TRM, max_steps: int, *, early_halt: bool = False) -> Predictor:
    """Return how a model answers a batch: after `max_steps` supervision steps.

    With `early_halt`, each row's answer is that of its first step with a positive halting logit, and later
    steps are not computed.
    """

    def predict(batch: Examples) -> Answers:
        tokens = torch.zeros(batch.inputs.shape, dtype=torch.int64)
        halt = torch.zeros(len(batch), dtype=torch.float64)
        leaves = halting if early_halt else None
        for step in supervise(model, batch.inputs, batch.puzzle_ids, max_steps=max_steps, leaves=leaves):
            tokens[step.rows] = step.answers
            halt[step.rows] = step.q_halt.double().sigmoid()
        return Answers(tokens.numpy(), halt.numpy())

    return predict
