"""Learning puzzles: rows that keep puzzle and state from step to step until they halt."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from trm_engine.config.sections import Config
from trm_engine.inference.evaluate import Evaluation, evaluate, judge_of
from trm_engine.learning.ahead import RunsAhead
from trm_engine.learning.learner import Learner
from trm_engine.learning.optimizers import sign_sgd
from trm_engine.learning.schedule import exploration, halt_steps
from trm_engine.learning.step import PuzzleResult, PuzzleRows, fresh_rows, supervision_step
from trm_engine.models.carry import Carry
from trm_engine.models.trm import TRM, build_model
from trm_engine.planning.recursion import recursion_at
from trm_engine.tasks.base import Task
from trm_engine.tasks.examples import Source


class PuzzleLearner(Learner, RunsAhead):
    """Learns with deep supervision and halting; `carry` is the batch in flight."""

    model: TRM
    measured_by: ClassVar[Callable[..., Evaluation]] = staticmethod(evaluate)
    """What counts the puzzles that a model solves."""

    def __init__(self, config: Config, task: Task) -> None:
        generator = torch.Generator().manual_seed(config.train.seed)
        model = build_model(config, task.num_puzzle_ids, generator)
        super().__init__(config, task, model)
        self.carry = Carry.empty(model.initial_state(config.train.batch_size), config.task.seq_len)
        self._own: list[tuple[int, int]] | None = None
        """The rows of the carry that this rank has computed; None where all of them are as they are."""

    @property
    def rows(self) -> int:
        """Rows of the batch in flight."""
        return len(self.carry)

    def draw(self) -> PuzzleRows:
        """Draw a puzzle for every row, and the steps between which each row may halt.

        Only rows that halted take theirs. Asking which ones do would wait for the step before.
        """
        fresh = self.task.augment(self.sampler.next(self.rows), self.rng)
        train, rows = self.config.train, self.rows
        most = halt_steps(train, self.counters.step)
        explores = self.rng.random(rows) < exploration(train, self.counters.step)
        drawn = self.rng.integers(2, most + 1, rows) if most > 1 else 1
        least = torch.from_numpy(np.where(explores, drawn, 0))
        place = self.compute.place
        recursion = recursion_at(self.config, self.counters.step)
        return PuzzleRows(self.carry, fresh_rows(fresh, place), place(least), most, recursion)

    def work(self, model: nn.Module, rows: PuzzleRows) -> PuzzleResult:
        """Run the supervision step of some rows, weighed as part of the batch."""
        assert isinstance(model, TRM)
        return supervision_step(model, rows, self.config.train, self.counters.loss_scale / self.rows)

    def accept(self, results: Sequence[PuzzleResult], scale: float) -> None:
        """Carry states and halts on, and train the puzzle embeddings that were used."""
        train = self.config.train
        if self.model.puzzle_emb_len:
            ids = self._of_all_ranks(results, [result.carry.puzzle_ids for result in results])
            found = [g for result in results if (g := result.embedding_grads) is not None]
            grads = self._of_all_ranks(results, found)
            lr = train.puzzle_emb_lr * scale
            sign_sgd(self.model.puzzle_emb, ids, grads, lr, train.puzzle_emb_weight_decay)
        if self.team.group is None:
            self.carry = self.carry.followed_by([result.carry for result in results])
            return
        for result in results:
            self.carry.put(result.first, result.carry)
        self._own = [result.bounds for result in results]

    def _of_all_ranks(self, results: Sequence[PuzzleResult], parts: Sequence[Tensor]) -> Tensor:
        """Return tensors (rows, …) of the results, and of those of other ranks, in the order of the rows."""
        if self.team.group is None:
            return torch.cat(list(parts))
        whole = parts[0].new_zeros((self.rows, *parts[0].shape[1:]))
        bounds = [result.bounds for result in results]
        for (start, stop), part in zip(bounds, parts, strict=True):
            whole[start:stop] = part
        return self.team.rows(whole, bounds)

    def gather(self) -> None:
        """Bring the rows that the ranks have computed together on each of them."""
        if self._own is None:
            return
        whole = {
            name: self.team.rows(tensor, self._own, dim=1 if name in ("y", "z") else 0)
            for name, tensor in self.carry.tensors().items()
        }
        self.carry, self._own = Carry.from_tensors(whole), None

    def accept_where(self, sound: Tensor, results: Sequence[PuzzleResult], scale: Tensor) -> None:
        """Carry states and halts on, in place; where the step is unsound, every row takes another puzzle."""
        train = self.config.train
        if self.model.puzzle_emb_len:
            ids = torch.cat([result.carry.puzzle_ids for result in results])
            grads = torch.cat([g for result in results if (g := result.embedding_grads) is not None])
            decay = train.puzzle_emb_weight_decay
            sign_sgd(self.model.puzzle_emb, ids, grads, train.puzzle_emb_lr * scale, decay, sound)
        for result in results:
            self.carry.put(result.first, result.carry)
        self.carry.halted.logical_or_(~sound)

    def reject(self) -> None:
        """Give every row another puzzle."""
        self.carry = dataclasses.replace(self.carry, halted=torch.ones_like(self.carry.halted))

    def evaluate(
        self, examples: Source, stopping: Callable[[], bool], *, batch_size: int, thorough: bool = False
    ) -> Evaluation:
        """Measure how many puzzles the model solves, after the configured supervision steps."""
        config = self.config
        return self.measured_by(
            self.model,
            examples,
            max_steps=config.eval_steps,
            batch_size=batch_size,
            depths=config.eval_depths if thorough else (),
            thresholds=config.eval_thresholds if thorough else (),
            cross_entropy=config.train.loss,
            solved=judge_of(self.task),
            parts=self.task.part_names,
            stopping=stopping,
        )

    def reconfigure(self, config: Config) -> None:
        """Go on under another configuration; where its batch is smaller, rows in flight are given up."""
        super().reconfigure(config)
        if config.train.batch_size < len(self.carry):
            self.carry = self.carry.keep(config.train.batch_size)

    def tensors(self) -> dict[str, Tensor]:
        """Return every tensor of the training state by name, the carry among them."""
        rest = super().tensors()
        return rest | {f"carry.{name}": tensor for name, tensor in self.carry.tensors().items()}

    def restore(
        self, weights: dict[str, Tensor], tensors: dict[str, Tensor], state: Mapping[str, Any]
    ) -> None:
        """Become what `weights`, `tensors` and `state` describe."""
        super().restore(weights, tensors, state)
        self._own = None
        carry = {name.removeprefix("carry."): t for name, t in tensors.items() if name.startswith("carry.")}
        restored = Carry.from_tensors({name: tensor.to(self.device) for name, tensor in carry.items()})
        if len(restored) == len(self.carry):
            self.carry.put(0, restored)  # a copy: a step may write into the carry
        else:
            self.carry = restored
