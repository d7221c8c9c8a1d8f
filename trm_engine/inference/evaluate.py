"""How well a model solves puzzles."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch

from trm_engine.config.kinds import Score
from trm_engine.config.puzzle_kind import PUZZLE
from trm_engine.inference.evaluation_result import Measured
from trm_engine.inference.scoring import judge, scored_labels
from trm_engine.inference.supervise import halting, supervise
from trm_engine.models.trm import TRM
from trm_engine.tasks.base import Examples, PuzzleTask, Source, Task, Tokens

Solved = Callable[[Tokens, Tokens], npt.NDArray[np.bool_]]
"""Tells which answers (N, L) to puzzles (N, L) the rules accept."""


@dataclass(frozen=True)
class Evaluation(Measured):
    """Accuracy on held-out puzzles.

    `exact_accuracy` and `cell_accuracy` are after all supervision steps. `early_exact_accuracy` takes each
    puzzle's answer at the first step whose halting logit is positive; `mean_steps` is the mean of those
    steps. `ran_steps` is the mean of the steps that were really computed (fewer with early halting).
    `valid_accuracy` counts answers that the task's rules accept, also where they are not the label; None for
    a task whose puzzles have one solution each.
    """

    puzzles: int
    max_steps: int
    exact_accuracy: float
    cell_accuracy: float
    early_exact_accuracy: float
    mean_steps: float
    ran_steps: float
    q_halt_accuracy: float
    seconds: float
    valid_accuracy: float | None = None
    judged_by: ClassVar[Score] = PUZZLE.score

    @property
    def rows(self) -> int:
        """Puzzles that were measured."""
        return self.puzzles

    @property
    def puzzles_per_second(self) -> float:
        """Puzzles solved a second."""
        return self.puzzles / self.seconds if self.seconds > 0 else 0.0

    def to_dict(self) -> dict[str, float]:
        """Return all figures by name, without those that the task has not."""
        figures = {**asdict(self), "puzzles_per_second": self.puzzles_per_second}
        return {name: figure for name, figure in figures.items() if figure is not None}


def judge_of(task: Task) -> Solved | None:
    """Return what judges answers beside the labels, for a task whose labels do not say it all."""
    return task.solved if isinstance(task, PuzzleTask) and task.several_answers else None


def evaluate(
    model: TRM,
    examples: Source,
    *,
    max_steps: int,
    batch_size: int,
    early_halt: bool = False,
    solved: Solved | None = None,
    progress: Callable[[int, int], None] | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Evaluation:
    """Measure a model on puzzles with known solutions.

    With `early_halt`, rows leave the batch at their first positive halting logit, which saves their
    remaining steps. `solved` (a `PuzzleTask`'s) judges answers by the rules. `progress` hears (done, total)
    after each batch; when `stopping` turns true, what was measured so far is returned.
    """
    started = time.perf_counter()
    totals = np.zeros(6)
    done, valid = 0, None if solved is None else 0
    for start in range(0, len(examples), batch_size):
        batch = examples.take(slice(start, start + batch_size))
        sums, answers = _evaluate_batch(model, batch, max_steps, early_halt)
        totals += sums
        done += len(batch)
        if solved is not None and valid is not None:
            valid += int(solved(batch.inputs, answers).sum())
        if progress is not None:
            progress(done, len(examples))
        if stopping():
            break
    exact, cells, early_exact, steps, ran, q_halt_right = (totals / max(done, 1)).tolist()
    seconds = time.perf_counter() - started
    valid_share = None if valid is None else valid / max(done, 1)
    return Evaluation(
        done, max_steps, exact, cells, early_exact, steps, ran, q_halt_right, seconds, valid_share
    )


def _evaluate_batch(
    model: TRM, batch: Examples, max_steps: int, early_halt: bool
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], Tokens]:
    """Return sums over a batch in the order of the totals of `evaluate`, and the last answers (B, L)."""
    labels = scored_labels(batch.labels)
    answers = torch.zeros(batch.inputs.shape, dtype=torch.int32)
    accuracy, exact, early_exact, q_right = (torch.zeros(len(batch)) for _ in range(4))
    first_halt, ran = (torch.zeros(len(batch), dtype=torch.int64) for _ in range(2))
    leaves = halting if early_halt else None
    for step in supervise(model, batch.inputs, batch.puzzle_ids, max_steps=max_steps, leaves=leaves):
        rows, wants_to_halt = step.rows, step.q_halt > 0
        judged = judge(step.logits, labels[rows])
        accuracy[rows], exact[rows] = judged.accuracy, judged.exact.float()
        q_right[rows] = (wants_to_halt == judged.exact).float()
        ran[rows] = step.number
        halts = wants_to_halt | (step.number == max_steps)
        newly = halts & (first_halt[rows] == 0)
        first_halt[rows[newly]] = step.number
        early_exact[rows[newly]] = judged.exact[newly].float()
        if early_halt or step.number == max_steps:
            answers[rows] = step.answers.to(answers.dtype)
    sums = [exact.sum(), accuracy.sum(), early_exact.sum(), first_halt.sum(), ran.sum(), q_right.sum()]
    return np.array([float(value) for value in sums]), answers.numpy()
