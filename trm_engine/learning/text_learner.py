"""Learning text: every step takes fresh windows, and every character predicts the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from trm_engine.compute.compute import Result, Rows
from trm_engine.compute.sums import Sums
from trm_engine.config.sections import Config
from trm_engine.inference.evaluate_text import TextEvaluation, character_losses, evaluate_text
from trm_engine.inference.scoring import as_tensor, scored_labels
from trm_engine.learning.ahead import RunsAhead
from trm_engine.learning.learner import Learner
from trm_engine.models.text import RecursiveText, build_text_model
from trm_engine.tasks.base import Task
from trm_engine.tasks.examples import Source


class TextLearner(Learner, RunsAhead):
    """Learns the next character with full backpropagation; nothing is carried from step to step."""

    model: RecursiveText
    measured_by: ClassVar[Callable[..., TextEvaluation]] = staticmethod(evaluate_text)
    """What measures the loss on held-out windows."""

    def __init__(self, config: Config, task: Task) -> None:
        generator = torch.Generator().manual_seed(config.train.seed)
        super().__init__(config, task, build_text_model(config, task.vocab_size, generator))

    def draw(self) -> TextRows:
        """Draw the windows of the next step."""
        windows = self.task.augment(self.sampler.next(self.rows), self.rng)
        place = self.compute.place
        return TextRows(
            place(as_tensor(windows.inputs)).to(torch.int64), scored_labels(windows.labels, place)
        )

    def work(self, model: nn.Module, rows: TextRows) -> Result:
        """Predict every character of some windows; the loss of a window is the mean of its characters'."""
        assert isinstance(model, RecursiveText)
        losses_LB, scored_LB = character_losses(model, rows.inputs, rows.labels)
        loss = (losses_LB.sum(0) / scored_LB.sum(0).clamp(min=1)).sum()
        (loss * (self.counters.loss_scale / self.rows)).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return Result(Sums.of(loss=loss))

    def accept(self, results: Sequence[Result], scale: float) -> None:
        """Nothing is carried on."""

    def accept_where(self, sound: Tensor, results: Sequence[Result], scale: Tensor) -> None:
        """Nothing is carried on."""

    def reject(self) -> None:
        """Nothing is carried on, so nothing has to be left behind."""

    def evaluate(
        self, examples: Source, stopping: Callable[[], bool], *, batch_size: int, thorough: bool = False
    ) -> TextEvaluation:
        """Measure the loss on windows that are held out; there is nothing more thorough than that."""
        del thorough
        return self.measured_by(self.model, examples, batch_size=batch_size, stopping=stopping)


@dataclass(frozen=True)
class TextRows(Rows):
    """Windows of text: `inputs` and `labels` (B, L), where a label is the character after its input."""

    inputs: Tensor
    labels: Tensor

    def part(self, start: int, stop: int) -> TextRows:
        """Return windows [start, stop)."""
        return TextRows(self.inputs[start:stop], self.labels[start:stop])

    @property
    def drawn(self) -> tuple[Tensor, ...]:
        """What was drawn for this step."""
        return self.inputs, self.labels

    @property
    def signature(self) -> tuple[object, ...]:
        """Nothing else decides the step."""
        return ()

    def with_drawn(self, drawn: Sequence[Tensor]) -> TextRows:
        """Return windows of other text."""
        return TextRows(*drawn)
