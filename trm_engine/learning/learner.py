"""Everything that changes while a model learns, and how one step changes it.

What is the same for every kind of model is here: weights, optimizer, moving average, data cursor, random
generators, counters, and the order of a step: draw rows, compute them, commit the results. What rows are and
how they are computed, a subclass says: `PuzzleLearner` (deep supervision, halting) and `TextLearner` (next
character). Where they are computed is `trm_engine.compute`'s to know.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from trm_engine.compute.accelerator import Accelerator
from trm_engine.compute.compute import Compute, Result, Rows
from trm_engine.compute.devices import chosen, on, synchronize
from trm_engine.compute.gemm import use_gemm
from trm_engine.compute.group import Group
from trm_engine.compute.parameters import FlatParameters
from trm_engine.compute.ranks import GivenUpError, require_processor
from trm_engine.compute.sums import Sums
from trm_engine.config import dumps
from trm_engine.config.sections import Config
from trm_engine.errors import LostRankError
from trm_engine.inference.evaluation_result import Measured
from trm_engine.learning.ahead import Ahead, Figures, RunsAhead
from trm_engine.learning.computing import compute_of, gemm_on
from trm_engine.learning.counters import Counters, Update
from trm_engine.learning.loss_scale import first_scale, lower_scale, raise_scale
from trm_engine.learning.optimizers import build_optimizer, continued_optimizer
from trm_engine.learning.schedule import lr_scale
from trm_engine.learning.team import Team
from trm_engine.models.layers import use_kernels
from trm_engine.tasks.base import Task
from trm_engine.tasks.examples import Source
from trm_engine.tasks.streaming import sampler_for

NUMERICS = 2
"""Version of a step's arithmetic, recorded in each session: between two of them, losses differ in their bits.

1: fresh puzzles are drawn for the rows that halted alone; gradients of threads are added every micro-batch.
2: a fresh puzzle is drawn for every row, and those of rows that go on are passed over, as in the published
code, so that no shape depends on data; gradients of threads are added once a step.
"""

# A uniform guess costs ln(vocabulary) a row; fifty times that is no bad batch but a broken model.
_SPIKE = 50.0


class Learner(ABC):
    """A model with its optimizer, moving average, batch in flight, data cursor and random generators.

    Equal learners fed by equal data stay bit-identical; `tensors` and `state` hold all there is to know. Of
    several ranks each has a learner: what rank 0 is asked to do, it has the others do too (`team`). Initial
    weights are the same on every device.
    """

    def __init__(self, config: Config, task: Task, model: nn.Module) -> None:
        self.config = config
        self.task = task
        seed = config.train.seed
        self.device = chosen(config.runtime.device)[0]
        self.model = model.to(self.device)
        use_kernels(model, config.runtime)
        self.parameters = FlatParameters(model)
        self.optimizer = build_optimizer(self.parameters, config.train)
        self.ema = self.parameters.values.clone()
        self.sampler = sampler_for(task.train, seed)
        self.rng = np.random.default_rng([seed, 1])
        self.counters = Counters(loss_scale=first_scale(config.runtime.precision))
        self._threads = 1
        self._compute: Compute | None = None
        self._ahead: Ahead | None = None
        self.team = Team()

    # --- what kinds of models differ in -------------------------------------------------------------------

    @property
    def rows(self) -> int:
        """Rows of the batch of one step."""
        return self.config.train.batch_size

    @abstractmethod
    def draw(self) -> Rows:
        """Draw the rows of the next step. Moves the data's cursor and the generators, and nothing else."""

    @abstractmethod
    def work(self, model: nn.Module, rows: Any) -> Result:
        """Compute some of the rows that were drawn: `trm_engine.compute.compute.Work`."""

    @abstractmethod
    def accept(self, results: Sequence[Any], scale: float) -> None:
        """Take over what the step leads to; the weights have moved with `scale` times the peak rates."""

    @abstractmethod
    def reject(self) -> None:
        """Leave the rows behind: their loss or gradient was not sound, and no weight has moved."""

    @abstractmethod
    def evaluate(
        self, examples: Source, stopping: Callable[[], bool], *, batch_size: int, thorough: bool = False
    ) -> Measured:
        """Measure the model with its present weights, in batches of `batch_size`.

        `stopping` is asked after each batch; when it turns true, what there is is returned. `thorough`:
        everything that the configuration asks of the last evaluation.
        """

    # --- how good it is -----------------------------------------------------------------------------------

    def measure(
        self,
        examples: Source,
        stopping: Callable[[], bool] = lambda: False,
        *,
        final: bool = False,
        thorough: bool = False,
    ) -> Measured | None:
        """Evaluate on the first held-out examples, or on all of them (`final`), with all ranks.

        Only rank 0 gets the result.
        """
        self.team.lead("measure", count=len(examples), final=final, thorough=thorough)

        def evaluate(part: Source, pace: Callable[[], bool], at_once: int) -> Measured:
            return self.evaluate(part, pace, batch_size=at_once, thorough=thorough)

        return self.team.measure(examples, self.config.eval.batch_size, evaluate, stopping)

    # --- a step -------------------------------------------------------------------------------------------

    def learn(self, micro_batch: int, interrupted: Callable[[], bool] = lambda: False) -> Update | None:
        """Take one step with at most `micro_batch` rows in flight.

        `interrupted` is asked between micro-batches; when it says so, the step is undone and None returned.
        An error undoes the step too, unless the step has been counted: then the update of the weights broke
        off, and only a checkpoint is whole.
        """
        if self._goes_ahead:
            updates = self.advance(micro_batch, interrupted, most=1)
            return updates[0] if updates else None
        self.team.lead("learn", micro_batch=micro_batch)
        before, step = self.cursor(), self.counters.step
        micro_batch = max(micro_batch, self.compute.least_rows)
        try:
            rows, results = self.draw(), list[Result]()
            self.compute.clear()
            for start in range(0, self.rows, micro_batch):
                if start and interrupted():
                    self.team.give_up(self.compute)
                    self.rewind(before)
                    return None
                results += self.compute.run(self.work, rows, start, min(start + micro_batch, self.rows))
            return self._commit(results)
        except GivenUpError:
            self.rewind(before)
            return None
        except BaseException as error:
            if self.counters.step == step:
                self.rewind(before)
            self.team.give_up(self.compute, error)
            raise

    def advance(
        self,
        micro_batch: int,
        interrupted: Callable[[], bool] = lambda: False,
        *,
        most: int,
        hurried: Callable[[], bool] = lambda: False,
    ) -> list[Update]:
        """Take at least one step and up to `most`, and return what they did; nothing where one was undone.

        A device that runs ahead takes several before anybody asks for their figures, until `hurried` turns
        true or a moment has passed; elsewhere this is `learn`.
        """
        if not self._goes_ahead:
            update = self.learn(micro_batch, interrupted)
            return [] if update is None else [update]
        self._ahead = self._ahead or Ahead(self, _SPIKE)
        step = self.counters.step
        launched = self._ahead.run(micro_batch, most, hurried, self._count_step)
        return [self._counted(figures, step + number) for number, figures in enumerate(launched, 1)]

    def rehearse(self, micro_batch: int) -> None:
        """Take the gradients of one micro-batch and forget them: the learner stays as it was, bit for bit."""
        before = self.cursor()
        try:
            with on(self.device):
                self.compute.run(self.work, self.draw(), 0, min(micro_batch, self.rows))
                synchronize(self.device)
        finally:
            self.rewind(before)
            self.compute.clear()

    def use_threads(self, count: int) -> None:
        """Compute with `count` threads from now on; called in the thread that trains, whose torch it sets."""
        torch.set_num_threads(count)
        use_gemm(gemm_on(self.device, self.config.runtime))
        self._threads = count
        self._compute_anew()

    def compute_with(self, compute: Compute) -> None:
        """Compute with something else than what the configuration and the device ask for."""
        self._compute_anew()
        self._compute = compute

    @property
    def compute(self) -> Compute:
        """What computes the rows, by the configuration, the number of threads and the ranks."""
        if self._compute is None:
            runtime, place = self.config.runtime, self.team.place
            own = compute_of(self.model, self.parameters, runtime, self.device, self._threads, place)
            self._compute = self.team.compute(own)
        return self._compute

    @property
    def busy_seconds(self) -> float | None:
        """How long the device has computed steps so far; None where that is not known."""
        return self._ahead.busy_seconds if self._ahead is not None else None

    @property
    def _goes_ahead(self) -> bool:
        # The factor of float16 has to be known before the next step.
        return (
            isinstance(self, RunsAhead)
            and isinstance(self.compute, Accelerator)
            and self.counters.loss_scale == 1
        )

    def _compute_anew(self) -> None:
        """Forget what computes: it has copies of the model, or programs for the settings that were."""
        self._compute, self._ahead = None, None

    def cursor(self) -> tuple[Any, Any]:
        """Return where drawing examples and chance stand."""
        return self.sampler.state(), self.rng.bit_generator.state

    def rewind(self, cursor: tuple[Any, Any]) -> None:
        """Draw again what was drawn since `cursor`."""
        self.sampler.restore(cursor[0])
        self.rng.bit_generator.state = cursor[1]

    def _commit(self, results: Sequence[Result]) -> Update:
        """Update weights, moving average and counters by the results of all rows, if they are sound."""
        sums = self.compute.reduce(results)
        with self.compute.steady():
            return self._update(results, sums)

    def _update(self, results: Sequence[Result], sums: Sums) -> Update:
        train, counters = self.config.train, self.counters
        if counters.loss_scale != 1:
            self.parameters.grads.div_(counters.loss_scale)
        loss, grad_norm = self.compute.read(sums.loss, self.parameters.grads.norm())
        scale = self._lr_scale()
        # Tested before the optimizer moves anything: a spike in Adam's moments would outlive the step.
        sound = math.isfinite(grad_norm) and loss / self.rows < _SPIKE * math.log(self.task.vocab_size)
        counters.step += 1
        counters.samples += self.rows
        # Of every loss so far, also of skipped steps: a replay that agrees here agrees in all steps.
        counters.chain(loss)
        if not sound:
            # Too large for float16 is no divergence: the factor is halved, until it is no factor any more.
            if math.isfinite(grad_norm) or not lower_scale(counters):
                counters.skipped_in_a_row += 1
            self.reject()
            return Update(sums, grad_norm, False, counters.step, counters.skipped_in_a_row)
        counters.skipped_in_a_row = 0
        raise_scale(counters)
        counters.updates += 1
        self.optimizer.step(self.parameters.grads, train.lr * scale)
        self.ema.lerp_(self.parameters.values, 1 - train.ema)
        self.accept(results, scale)
        return Update(sums, grad_norm, True, counters.step)

    def _count_step(self) -> float:
        """Count a step that is about to be launched; return the factor on its learning rates."""
        scale = self._lr_scale()
        self.counters.step += 1
        self.counters.samples += self.rows
        return scale

    def _counted(self, figures: Figures, step: int) -> Update:
        """Count what a step that was launched has shown, in the order of the steps."""
        counters, sums = self.counters, figures.sums
        counters.chain(float(sums.loss))
        counters.updates += figures.applied
        counters.skipped_in_a_row = 0 if figures.applied else counters.skipped_in_a_row + 1
        self.optimizer.updates = counters.updates
        return Update(sums, figures.grad_norm, figures.applied, step, counters.skipped_in_a_row)

    @property
    def lr(self) -> float:
        """The learning rate of the next update."""
        return self.config.train.lr * self._lr_scale()

    def _lr_scale(self) -> float:
        return lr_scale(self.config.train, self.counters.step) * self.counters.lr_scale

    # --- several ranks ------------------------------------------------------------------------------------

    def join(self, group: Group) -> None:
        """Learn together with the other ranks of a group from now on; their learners must be equal to it."""
        require_processor(self.device)
        self.team = Team(group)
        self._compute_anew()

    def gather(self) -> None:  # noqa: B027  # most kinds of learners carry no rows on
        """Make the state whole on every rank: until then, rows are only where they were computed."""

    # --- weights ------------------------------------------------------------------------------------------

    @contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Put the moving average into the model for as long as the block lasts."""
        self.team.lead("average")
        raw = self.parameters.values.clone()
        self.parameters.values.copy_(self.ema)
        try:
            yield
        finally:
            self.parameters.values.copy_(raw)
            with suppress(LostRankError):  # then there is nobody to tell
                self.team.lead("end_average")

    def averaged_copy(self) -> dict[str, Tensor]:
        """Return copies of the weights and buffers by name, the moving average in place of the weights."""
        averaged = {**self.weights(), **self.parameters.split(self.ema)}
        return {name: tensor.detach().to("cpu", copy=True) for name, tensor in averaged.items()}

    def reconfigure(self, config: Config) -> None:
        """Go on under another configuration of the same task and model."""
        assert (config.task, config.model) == (self.config.task, self.config.model)
        self.team.lead("reconfigure", config=dumps(config))
        self.gather()  # which rank computes which rows may change
        if config.runtime.precision != self.config.runtime.precision:
            self.counters.loss_scale, self.counters.scaled_in_a_row = first_scale(config.runtime.precision), 0
        if config.runtime != self.config.runtime:
            use_kernels(self.model, config.runtime)
            use_gemm(gemm_on(self.device, config.runtime))
            self._compute_anew()
        self.config = config
        self.optimizer = continued_optimizer(self.optimizer, self.parameters, config.train)

    def weights(self) -> dict[str, Tensor]:
        """Return the raw weights and buffers by name (views, not copies)."""
        return self.model.state_dict()

    # --- all there is to know -----------------------------------------------------------------------------

    def scale_rate(self, factor: float) -> None:
        """Multiply every learning rate from now on with a factor, beside the one of the configuration."""
        self.team.lead("scale_rate", factor=factor)
        self.counters.lr_scale = factor

    def tensors(self) -> dict[str, Tensor]:
        """Return every other tensor of the training state by name, whole."""
        self.team.lead("gather")
        self.gather()
        flats = {"ema": self.ema, "adam_mean": self.optimizer.mean, "adam_square": self.optimizer.square}
        return {
            f"{kind}.{name}": view
            for kind, flat in flats.items()
            for name, view in self.parameters.split(flat).items()
        }

    def state(self) -> dict[str, Any]:
        """Return what is not a tensor, as JSON values."""
        return {
            "counters": dataclasses.asdict(self.counters),
            "sampler": self.sampler.state(),
            "rng": self.rng.bit_generator.state,
        }

    def restore(
        self, weights: dict[str, Tensor], tensors: dict[str, Tensor], state: Mapping[str, Any]
    ) -> None:
        """Become what `weights`, `tensors` and `state` describe."""
        self.team.give(weights, tensors, state)
        self.model.load_state_dict(weights)
        self.parameters.load(self.ema, tensors, "ema.")
        self.parameters.load(self.optimizer.mean, tensors, "adam_mean.")
        self.parameters.load(self.optimizer.square, tensors, "adam_square.")
        self.counters = Counters.parse(state["counters"])
        self.optimizer.updates = self.counters.updates
        self.sampler.restore(state["sampler"])
        self.rng.bit_generator.state = state["rng"]
