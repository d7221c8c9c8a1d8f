"""Everything that changes while a model learns, and how one step changes it."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.config.sections import Config
from engine.models.carry import Carry
from engine.models.trm import build_model
from engine.tasks.base import Examples, Task
from engine.tasks.sampler import Sampler
from engine.training.optimizers import Adam, sign_sgd
from engine.training.parameters import FlatParameters
from engine.training.schedule import lr_scale
from engine.training.step import PuzzleGradients, StepResult, backward_step, refill

# A uniform guess costs ln(vocabulary) a row; fifty times that is no bad batch but a broken model.
_SPIKE = 50.0


@dataclass
class Counters:
    """Numbers that travel with the weights; all of them are in every checkpoint."""

    step: int = 0
    """Supervision steps taken, skipped ones included."""
    updates: int = 0
    """Optimizer updates made."""
    samples: int = 0
    """Rows trained on, counted once a supervision step."""
    skipped_in_a_row: int = 0
    """Steps skipped since the last update, because the loss or its gradient was unsound."""
    lr_scale: float = 1.0
    """Extra factor on the learning rate, lowered when training diverges."""
    digest: str = ""
    """Running hash of the loss of every step: equal digests mean that every loss agreed bit for bit."""


@dataclass(frozen=True)
class Update:
    """What one step did: sums over the batch, the gradient's norm, and whether the weights moved."""

    result: StepResult
    grad_norm: float
    applied: bool


class Learner:
    """A model with its optimizer, moving average, batch in flight, data cursor and random generators.

    Equal learners fed by equal data stay bit-identical; `tensors` and `state` hold all there is to know.
    """

    def __init__(self, config: Config, task: Task) -> None:
        self.config = config
        self.task = task
        seed = config.train.seed
        self.model = build_model(config, task.num_puzzle_ids, torch.Generator().manual_seed(seed))
        self.parameters = FlatParameters(self.model)
        self.optimizer = Adam(self.parameters.values, config.train)
        self.ema = self.parameters.values.clone()
        rows = config.train.batch_size
        self.carry = Carry.empty(self.model.initial_state(rows), config.task.seq_len)
        self.sampler = Sampler(task.train, seed)
        self.rng = np.random.default_rng([seed, 1])
        self.counters = Counters()

    def learn(self, micro_batch: int, interrupted: Callable[[], bool] = lambda: False) -> Update | None:
        """Take one step with at most `micro_batch` rows in flight.

        `interrupted` is asked between micro-batches; when it says so, the step is undone and None returned.
        """
        before = self.sampler.state(), self.rng.bit_generator.state
        fresh, min_steps = self._draw()
        self.parameters.grads.zero_()
        result = StepResult()
        puzzle_gradients: list[PuzzleGradients] = []
        count, drawn = len(self.carry), 0
        whole = micro_batch >= count
        following = self.carry if whole else self.carry.blank()
        for start in range(0, count, micro_batch):
            if start and interrupted():
                self.sampler.restore(before[0])
                self.rng.bit_generator.state = before[1]
                return None
            stop = min(start + micro_batch, count)
            part = self.carry.rows(start, stop)
            taken = drawn + int(part.halted.sum())
            part = refill(self.model, part, fresh.take(slice(drawn, taken)))
            drawn = taken
            after, sums, gradients = backward_step(
                self.model, part, min_steps[start:stop], self.config.train, 1 / count
            )
            result += sums
            if gradients is not None:
                puzzle_gradients.append(gradients)
            if whole:
                following = after
            else:
                following.put(start, after)
        return self._update(following, result, puzzle_gradients)

    def _draw(self) -> tuple[Examples, Tensor]:
        """Draw puzzles for the rows that halted, and how long each row of the batch must at least go on."""
        fresh = self.task.augment(self.sampler.next(int(self.carry.halted.sum())), self.rng)
        train, rows = self.config.train, len(self.carry)
        explores = self.rng.random(rows) < train.halt_exploration_prob
        drawn = self.rng.integers(2, train.halt_max_steps + 1, rows) if train.halt_max_steps > 1 else 1
        return fresh, torch.from_numpy(np.where(explores, drawn, 0))

    def _update(self, after: Carry, result: StepResult, puzzle_gradients: list[PuzzleGradients]) -> Update:
        train, counters = self.config.train, self.counters
        grad_norm = float(self.parameters.grads.norm())
        scale = self._lr_scale()
        mean_loss = result.loss / len(after)
        sound = math.isfinite(grad_norm) and mean_loss < _SPIKE * math.log(self.model.lm_head.shape[0])
        counters.step += 1
        counters.samples += len(after)
        counters.digest = _chained(counters.digest, result.loss)
        if not sound:
            counters.skipped_in_a_row += 1
            self.carry = dataclasses.replace(self.carry, halted=torch.ones_like(self.carry.halted))
            return Update(result, grad_norm, applied=False)
        counters.skipped_in_a_row = 0
        counters.updates += 1
        self.optimizer.step(self.parameters.grads, train.lr * scale)
        if puzzle_gradients:
            ids = torch.cat([gradients.ids for gradients in puzzle_gradients])
            grads = torch.cat([gradients.grads for gradients in puzzle_gradients])
            lr = train.puzzle_emb_lr * scale
            sign_sgd(self.model.puzzle_emb, ids, grads, lr, train.puzzle_emb_weight_decay)
        self.ema.lerp_(self.parameters.values, 1 - train.ema)
        self.carry = after
        return Update(result, grad_norm, applied=True)

    @property
    def lr(self) -> float:
        """The learning rate of the next update."""
        return self.config.train.lr * self._lr_scale()

    def _lr_scale(self) -> float:
        return lr_scale(self.config.train, self.counters.step) * self.counters.lr_scale

    @contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Put the moving average into the model for as long as the block lasts."""
        raw = self.parameters.values.clone()
        self.parameters.values.copy_(self.ema)
        try:
            yield
        finally:
            self.parameters.values.copy_(raw)

    def averaged_copy(self) -> dict[str, Tensor]:
        """Return copies of the weights and buffers by name, the moving average in place of the weights."""
        averaged = {**self.weights(), **self.parameters.split(self.ema)}
        return {name: tensor.detach().clone() for name, tensor in averaged.items()}

    def reconfigure(self, config: Config) -> None:
        """Go on under another configuration of the same task, model and batch size."""
        assert (config.task, config.model) == (self.config.task, self.config.model)
        self.config = config
        self.optimizer.config = config.train

    def weights(self) -> dict[str, Tensor]:
        """Return the raw weights and buffers by name (views, not copies)."""
        return self.model.state_dict()

    def tensors(self) -> dict[str, Tensor]:
        """Return every other tensor of the training state by name."""
        flats = {"ema": self.ema, "adam_mean": self.optimizer.mean, "adam_square": self.optimizer.square}
        named = {
            f"{kind}.{name}": view
            for kind, flat in flats.items()
            for name, view in self.parameters.split(flat).items()
        }
        return named | {f"carry.{name}": tensor for name, tensor in self.carry.tensors().items()}

    def state(self) -> dict[str, Any]:
        """Return what is not a tensor, as JSON values."""
        return {
            "counters": dataclasses.asdict(self.counters),
            "sampler": self.sampler.state(),
            "rng": self.rng.bit_generator.state,
        }

    def restore(self, weights: dict[str, Tensor], tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        """Become what `weights`, `tensors` and `state` describe."""
        self.model.load_state_dict(weights)
        self.parameters.load(self.ema, tensors, "ema.")
        self.parameters.load(self.optimizer.mean, tensors, "adam_mean.")
        self.parameters.load(self.optimizer.square, tensors, "adam_square.")
        carry = {name.removeprefix("carry."): t for name, t in tensors.items() if name.startswith("carry.")}
        self.carry = Carry.from_tensors(carry)
        self.counters = Counters(**state["counters"])
        self.optimizer.updates = self.counters.updates
        self.sampler.restore(state["sampler"])
        self.rng.bit_generator.state = state["rng"]


def _chained(digest: str, loss: float) -> str:
    return hashlib.blake2b(bytes.fromhex(digest) + struct.pack("<d", loss), digest_size=16).hexdigest()
