"""Learning puzzles: rows that keep puzzle and state from step to step until they halt."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from trm_engine.compute.batch import Batch, Part
from trm_engine.config.sections import Config
from trm_engine.inference.evaluate import Evaluation, evaluate, judge_of
from trm_engine.inference.evaluation_result import Measured
from trm_engine.learning.learner import Learner
from trm_engine.learning.optimizers import sign_sgd
from trm_engine.learning.schedule import halt_steps
from trm_engine.learning.step import PuzzleGradients, StepBounds, StepResult, backward_step, refill
from trm_engine.models.carry import Carry
from trm_engine.models.trm import TRM, build_model
from trm_engine.tasks.base import Examples, Source, Task


class PuzzleLearner(Learner):
    """Learns with deep supervision and halting; `carry` is the batch in flight."""

    model: TRM
    target: ClassVar[str] = "accuracy"

    def __init__(self, config: Config, task: Task) -> None:
        generator = torch.Generator().manual_seed(config.train.seed)
        model = build_model(config, task.num_puzzle_ids, generator)
        super().__init__(config, task, model)
        self.carry = Carry.empty(model.initial_state(config.train.batch_size), config.task.seq_len)

    @property
    def rows(self) -> int:
        """Rows of the batch in flight."""
        return len(self.carry)

    def draw(self) -> PuzzleBatch:
        """Draw puzzles for the rows that halted, and the steps between which each row may halt."""
        fresh = self.task.augment(self.sampler.next(int(self.carry.halted.sum())), self.rng)
        train, rows = self.config.train, self.rows
        most = halt_steps(train, self.counters.step)
        explores = self.rng.random(rows) < train.halt_exploration_prob
        drawn = self.rng.integers(2, most + 1, rows) if most > 1 else 1
        least = torch.from_numpy(np.where(explores, drawn, 0))
        return PuzzleBatch(self, fresh, StepBounds(least, most))

    def evaluate(self, examples: Source, stopping: Callable[[], bool]) -> Evaluation:
        """Measure how many puzzles the model solves, after the configured supervision steps."""
        config = self.config
        return evaluate(
            self.model,
            examples,
            max_steps=config.eval_steps,
            batch_size=config.eval.batch_size,
            solved=judge_of(self.task),
            stopping=stopping,
        )

    def reached_target(self, measured: Measured) -> bool:
        """Return whether `eval.target_accuracy` is reached."""
        target = self.config.eval.target_accuracy
        return target > 0 and measured.score >= target

    def best_figure(self, score: float) -> tuple[str, float]:
        """Return the best exact accuracy."""
        return "best_exact_accuracy", score

    def reconfigure(self, config: Config) -> None:
        """Go on under another configuration; where its batch is smaller, rows in flight are given up."""
        super().reconfigure(config)
        if config.train.batch_size < len(self.carry):
            self.carry = self.carry.keep(config.train.batch_size)

    def tensors(self) -> dict[str, Tensor]:
        """Return every tensor of the training state by name, the carry among them."""
        return super().tensors() | {f"carry.{name}": tensor for name, tensor in self.carry.tensors().items()}

    def restore(
        self, weights: dict[str, Tensor], tensors: dict[str, Tensor], state: Mapping[str, Any]
    ) -> None:
        """Become what `weights`, `tensors` and `state` describe."""
        super().restore(weights, tensors, state)
        carry = {name.removeprefix("carry."): t for name, t in tensors.items() if name.startswith("carry.")}
        self.carry = Carry.from_tensors(carry)


Done = tuple[Carry, StepResult, PuzzleGradients | None]


class PuzzleBatch(Batch):
    """The rows of one supervision step: halted ones get the puzzles in `fresh`, in order."""

    def __init__(self, learner: PuzzleLearner, fresh: Examples, bounds: StepBounds) -> None:
        self.result = StepResult()
        self._learner = learner
        self._fresh = fresh
        self._bounds = bounds
        self._taken = 0
        self._before = learner.carry
        self._after = learner.carry
        self._gradients: list[PuzzleGradients] = []

    def part(self, start: int, stop: int) -> PuzzlePart:
        """Return rows [start, stop) with the puzzles for those of them that halted."""
        rows = self._before.rows(start, stop)
        until = self._taken + int(rows.halted.sum())
        fresh = self._fresh.take(slice(self._taken, until))
        self._taken = until
        return PuzzlePart(self, start, rows, fresh, self._bounds.rows(start, stop))

    def step(self, model: TRM, rows: Carry, bounds: StepBounds) -> Done:
        """Run the supervision step of some rows, weighed as part of the batch."""
        return backward_step(model, rows, bounds, self._learner.config.train, 1 / len(self._before))

    def put(self, start: int, after: Carry, result: StepResult, gradients: PuzzleGradients | None) -> None:
        """Take in what became of the rows from `start` on."""
        self.result += result
        if gradients is not None:
            self._gradients.append(gradients)
        if len(after) == len(self._before):
            self._after = after
            return
        if self._after is self._before:
            self._after = self._before.blank()
        self._after.put(start, after)

    def accept(self, scale: float) -> None:
        """Carry states and halts on, and train the puzzle embeddings that were used."""
        learner, train = self._learner, self._learner.config.train
        if self._gradients:
            ids = torch.cat([gradients.ids for gradients in self._gradients])
            grads = torch.cat([gradients.grads for gradients in self._gradients])
            lr = train.puzzle_emb_lr * scale
            sign_sgd(learner.model.puzzle_emb, ids, grads, lr, train.puzzle_emb_weight_decay)
        learner.carry = self._after

    def reject(self) -> None:
        """Give every row another puzzle."""
        halted = torch.ones_like(self._before.halted)
        self._learner.carry = dataclasses.replace(self._before, halted=halted)


class PuzzlePart(Part):
    """Rows of a supervision step, from `start` on; `fresh` are the puzzles for those that halted."""

    def __init__(
        self, batch: PuzzleBatch, start: int, rows: Carry, fresh: Examples, bounds: StepBounds
    ) -> None:
        self._batch = batch
        self._start = start
        self._rows = rows
        self._fresh = fresh
        self._bounds = bounds
        self._done: Done | None = None

    def backward(self, model: nn.Module) -> None:
        """Run the supervision step of these rows."""
        assert isinstance(model, TRM)
        self._done = self._batch.step(model, refill(model, self._rows, self._fresh), self._bounds)

    def merge(self) -> None:
        """Put states, halts and sums into the batch."""
        assert self._done is not None
        self._batch.put(self._start, *self._done)
