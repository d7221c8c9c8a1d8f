"""How well a model solves puzzles."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch

from trm_engine.config.kinds import Score
from trm_engine.config.puzzle_kind import PUZZLE
from trm_engine.inference.evaluation_result import Measured
from trm_engine.inference.scoring import answer_loss, judge, scored_labels
from trm_engine.inference.supervise import halting, supervise
from trm_engine.models.trm import TRM
from trm_engine.tasks.base import PuzzleTask, Task
from trm_engine.tasks.examples import Examples, Source, Tokens

_ROWS, _RIGHT = "rows of ", "right of "

Solved = Callable[[Tokens, Tokens], npt.NDArray[np.bool_]]
"""Tells which answers (N, L) to puzzles (N, L) the rules accept."""


@dataclass(frozen=True)
class Evaluation(Measured):
    """Accuracy on held-out puzzles.

    `exact_accuracy` and `cell_accuracy` are after all supervision steps. `early_exact_accuracy` takes each
    puzzle's answer at the first step whose halting logit is positive; `mean_steps` is the mean of those
    steps. `ran_steps` is the mean of the steps that were really computed (fewer with early halting).
    `valid_accuracy` counts answers that the task's rules accept, also where they are not the label; None for
    a task whose puzzles have one solution each. `lm_loss` is the mean loss of answers after all supervision
    steps, as in training; None with early halting. `further` are figures at other depths and thresholds: see
    `evaluate`. `solved` (N,) says of each puzzle whether it was solved, in the order of the examples.
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
    lm_loss: float | None = None
    judged_by: ClassVar[Score] = PUZZLE.score
    counts: ClassVar[tuple[str, ...]] = ("puzzles",)
    further: Mapping[str, float] = field(default_factory=dict)
    parts: Mapping[str, float] = field(default_factory=dict)
    """Of a mixture: for each part the share of all puzzles that are of it, and that are of it and right."""
    solved: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_), repr=False)

    @property
    def rows(self) -> int:
        """Puzzles that were measured."""
        return self.puzzles

    @property
    def puzzles_per_second(self) -> float:
        """Puzzles solved a second."""
        return self.puzzles / self.seconds if self.seconds > 0 else 0.0

    def solved_bits(self) -> bytes:
        """Return which puzzles were solved, one bit each, the first in the highest bit of the first byte."""
        return np.packbits(self.solved).tobytes()

    def to_dict(self) -> dict[str, float]:
        """Return all figures by name, without those that the task has not."""
        figures = {**asdict(self), "puzzles_per_second": self.puzzles_per_second}
        del figures["further"], figures["solved"], figures["parts"]
        known = {name: figure for name, figure in figures.items() if figure is not None}
        return known | dict(self.further) | self._of_parts()

    def _of_parts(self) -> dict[str, float]:
        """Return the exact accuracy of each part by name; parts without a puzzle are left out."""
        shares = {name.removeprefix(_ROWS): share for name, share in self.parts.items() if share > 0}
        return {
            f"exact_accuracy_of_{part}": self.parts[_RIGHT + part] / share
            for part, share in shares.items()
            if _RIGHT + part in self.parts
        }


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
    depths: Sequence[int] = (),
    thresholds: Sequence[float] = (),
    cross_entropy: str = "softmax",
    solved: Solved | None = None,
    parts: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Evaluation:
    """Measure a model on puzzles with known solutions.

    With `early_halt`, rows leave the batch at their first positive halting logit, which saves their
    remaining steps. In the same pass `exact_accuracy_at_D` is measured after D supervision steps for each of
    `depths` (the other figures stay those of `max_steps`), and for each θ of `thresholds` what halting at the
    first logit above θ makes of it: `exact_accuracy_over_θ` after `mean_steps_over_θ`. `cross_entropy` names
    the loss of `CROSS_ENTROPY` that is measured. `solved` (a `PuzzleTask`'s) judges answers by the rules.
    `parts` are the names of identifiers 1, 2, … whose accuracy is measured apart. `progress` hears (done,
    total) after each batch; when `stopping` turns true, what was measured so far is returned.
    """
    started = time.perf_counter()
    tally = _Tally(max_steps, depths, thresholds, cross_entropy)
    done, valid = 0, None if solved is None else 0
    for start in range(0, len(examples), batch_size):
        batch = examples.take(slice(start, start + batch_size))
        answers = tally.measure(model, batch, early_halt=early_halt)
        tally.count_parts(batch, parts)
        done += len(batch)
        if solved is not None and valid is not None:
            valid += int(solved(batch.inputs, answers).sum())
        if progress is not None:
            progress(done, len(examples))
        if stopping():
            break
    exact, cells, early_exact, steps, ran, q_halt_right = (tally.totals / max(done, 1)).tolist()
    return Evaluation(
        puzzles=done,
        max_steps=max_steps,
        exact_accuracy=exact,
        cell_accuracy=cells,
        early_exact_accuracy=early_exact,
        mean_steps=steps,
        ran_steps=ran,
        q_halt_accuracy=q_halt_right,
        seconds=time.perf_counter() - started,
        valid_accuracy=None if valid is None else valid / max(done, 1),
        lm_loss=None if early_halt else tally.loss / max(done, 1),
        further={name: value / max(done, 1) for name, value in tally.further.items()},
        parts={name: count / max(done, 1) for name, count in tally.parts.items()},
        solved=np.concatenate([np.zeros(0, np.bool_), *tally.solved]),
    )


class _Tally:
    """Adds up what batches show, in one pass over their supervision steps."""

    def __init__(
        self, max_steps: int, depths: Sequence[int], thresholds: Sequence[float], cross_entropy: str
    ) -> None:
        self.totals = np.zeros(6)
        """Sums in the order of the figures of `Evaluation`."""
        self.loss = 0.0
        self.further: dict[str, float] = {}
        self.parts: dict[str, int] = {}
        self.solved: list[npt.NDArray[np.bool_]] = []
        self._max_steps = max_steps
        self._depths = frozenset(depths)
        self._thresholds = tuple(thresholds)
        self._cross_entropy = cross_entropy

    def measure(self, model: TRM, batch: Examples, *, early_halt: bool) -> Tokens:
        """Run a batch and add it up; return the answers (B, L) after `max_steps`."""
        labels = scored_labels(batch.labels)
        answers = torch.zeros(batch.inputs.shape, dtype=torch.int32)
        accuracy, exact, q_right = (torch.zeros(len(batch)) for _ in range(3))
        ran = torch.zeros(len(batch), dtype=torch.int64)
        halts = [_Halting(theta, len(batch), self._max_steps) for theta in (0.0, *self._thresholds)]
        steps = max(self._max_steps, *self._depths) if self._depths and not early_halt else self._max_steps
        leaves = halting if early_halt else None
        for step in supervise(model, batch.inputs, batch.puzzle_ids, max_steps=steps, leaves=leaves):
            rows, judged = step.rows, judge(step.logits, labels[step.rows])
            if step.number in self._depths:
                self._add(f"exact_accuracy_at_{step.number}", judged.exact)
            if step.number > self._max_steps:
                continue
            accuracy[rows], exact[rows] = judged.accuracy, judged.exact.float()
            q_right[rows] = ((step.q_halt > 0) == judged.exact).float()
            ran[rows] = step.number
            for halt in halts:
                halt.see(step.number, rows, step.q_halt, judged.exact)
            if early_halt or step.number == self._max_steps:
                answers[rows] = step.answers.to(answers.dtype)
            if step.number == self._max_steps:
                self.loss += float(answer_loss(step.logits, labels[rows], judged, self._cross_entropy))
        usual, *others = halts
        sums = [exact, accuracy, usual.exact, usual.steps, ran, q_right]
        self.totals += np.array([float(part.sum()) for part in sums])
        for halt in others:
            self._add(f"exact_accuracy_over_{halt.threshold:g}", halt.exact)
            self._add(f"mean_steps_over_{halt.threshold:g}", halt.steps)
        self.solved.append(exact.bool().numpy())
        return answers.numpy()

    def count_parts(self, batch: Examples, names: Sequence[str]) -> None:
        """Count the puzzles of the batch that was measured last by their part, and those that are right."""
        for number, name in enumerate(names, 1):
            here = batch.puzzle_ids == number
            for what, rows in ((_ROWS, here), (_RIGHT, here & self.solved[-1])):
                self.parts[what + name] = self.parts.get(what + name, 0) + int(rows.sum())

    def _add(self, name: str, values: torch.Tensor) -> None:
        self.further[name] = self.further.get(name, 0.0) + float(values.sum())


class _Halting:
    """Where each row of a batch halts at its first logit above a threshold, and whether it is right there."""

    def __init__(self, threshold: float, rows: int, max_steps: int) -> None:
        self.threshold = threshold
        self.exact = torch.zeros(rows)
        self.steps = torch.zeros(rows, dtype=torch.int64)
        self._max_steps = max_steps

    def see(self, number: int, rows: torch.Tensor, q_halt: torch.Tensor, exact: torch.Tensor) -> None:
        """Look at a supervision step of the rows that are still there."""
        halts = (q_halt > self.threshold) | (number == self._max_steps)
        # The first halt counts: rows go on to the end, so that every threshold is measured in one pass.
        newly = halts & (self.steps[rows] == 0)
        self.steps[rows[newly]] = number
        self.exact[rows[newly]] = exact[newly].float()
