"""Learning text: every step takes fresh windows, and every character predicts the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import nn

from trm_engine.compute.batch import Batch, Part
from trm_engine.compute.sums import Sums
from trm_engine.config.sections import Config
from trm_engine.inference.evaluate_text import TextEvaluation, character_losses, evaluate_text
from trm_engine.inference.evaluation_result import Measured
from trm_engine.learning.learner import Learner
from trm_engine.models.text import RecursiveText, build_text_model
from trm_engine.tasks.base import Examples, Source, Task


class TextLearner(Learner):
    """Learns the next character with full backpropagation; nothing is carried from step to step."""

    model: RecursiveText
    target: ClassVar[str] = "loss"

    def __init__(self, config: Config, task: Task) -> None:
        generator = torch.Generator().manual_seed(config.train.seed)
        super().__init__(config, task, build_text_model(config, task.vocab_size, generator))

    def draw(self) -> TextBatch:
        """Draw the windows of the next step."""
        return TextBatch(self.task.augment(self.sampler.next(self.rows), self.rng))

    def evaluate(self, examples: Source, stopping: Callable[[], bool]) -> TextEvaluation:
        """Measure the loss on windows that are held out."""
        return evaluate_text(self.model, examples, batch_size=self.config.eval.batch_size, stopping=stopping)

    def reached_target(self, measured: Measured) -> bool:
        """Return whether the loss is as low as `eval.target_loss`."""
        target = self.config.eval.target_loss
        return target > 0 and -measured.score <= target

    def best_figure(self, score: float) -> tuple[str, float]:
        """Return the lowest loss on held-out text."""
        return "best_val_loss", -score


class TextBatch(Batch):
    """The windows of one step."""

    def __init__(self, windows: Examples) -> None:
        self.result = Sums()
        self._windows = windows

    def part(self, start: int, stop: int) -> TextPart:
        """Return windows [start, stop)."""
        return TextPart(self, self._windows.take(slice(start, stop)), 1 / len(self._windows))

    def accept(self, scale: float) -> None:
        """Nothing is carried on."""

    def reject(self) -> None:
        """Nothing is carried on, so nothing has to be left behind."""


class TextPart(Part):
    """Some windows; the gradients of each count `weight` times."""

    def __init__(self, batch: TextBatch, windows: Examples, weight: float) -> None:
        self._batch = batch
        self._windows = windows
        self._weight = weight
        self._loss = 0.0

    def backward(self, model: nn.Module) -> None:
        """Predict every character of these windows."""
        assert isinstance(model, RecursiveText)
        losses_LB, scored_LB = character_losses(model, self._windows)
        loss = (losses_LB.sum(0) / scored_LB.sum(0).clamp(min=1)).sum()
        (loss * self._weight).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self._loss = loss.item()

    def merge(self) -> None:
        """Add the loss to the batch's."""
        self._batch.result += Sums(loss=self._loss)
