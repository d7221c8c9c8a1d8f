"""A kind of learner in one module: it learns how often each token is an answer, and nothing else.

The entry at the end, and a task that asks for it, are all that makes it known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from trm_engine.compute.compute import Result, Rows
from trm_engine.compute.sums import Sums
from trm_engine.config import Config
from trm_engine.config.kinds import LearnerKind, Score
from trm_engine.inference.evaluation_result import Measured
from trm_engine.inference.model import Model, put_weights
from trm_engine.inference.scoring import scored_labels, softmax_cross_entropy
from trm_engine.learning.learner import Learner
from trm_engine.planning.costs import Shape
from trm_engine.planning.puzzle_costs import PuzzleCosts
from trm_engine.progress import Progress
from trm_engine.sessions import Store
from trm_engine.tasks import build_task
from trm_engine.tasks.base import Task
from trm_engine.tasks.examples import Examples, Source
from trm_engine.tasks.sudoku.config import SudokuConfig


class TallyConfig(SudokuConfig, kind="tally", task="trm_engine.tasks.sudoku.task:SudokuTask"):
    """Sudoku, of which only the frequency of digits is learned."""

    architecture: ClassVar[str] = "tally"
    kind: Literal["tally"] = "tally"  # type: ignore[assignment]  # another kind
    """Which task the model learns."""


class Tally(nn.Module):
    """A logit for each token."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(vocab_size))

    def losses(self, labels_BL: Tensor) -> Tensor:
        """Return the cross-entropy of each token."""
        labels = labels_BL.flatten()
        return softmax_cross_entropy(self.logits.expand(len(labels), -1), labels)


@dataclass(frozen=True)
class TallyEvaluation(Measured):
    """The mean loss of a token."""

    examples: int
    surprise: float
    judged_by: ClassVar[Score] = Score("surprise", "surprise", "target_loss", higher_is_better=False)
    counts: ClassVar[tuple[str, ...]] = ("examples",)

    @property
    def rows(self) -> int:
        return self.examples

    def to_dict(self) -> dict[str, float]:
        return asdict(self)


def measure(network: Tally, examples: Source) -> TallyEvaluation:
    with torch.no_grad():
        labels = scored_labels(examples.take(slice(0, len(examples))).labels)
        return TallyEvaluation(len(examples), float(network.losses(labels).mean()))


@dataclass(frozen=True, kw_only=True)
class TallyModel(Model):
    network: Tally
    learned: ClassVar[str] = "to count tokens"

    @classmethod
    def from_weights(
        cls,
        store: Store,
        session: str,
        step: int,
        config: Config,
        weights: Mapping[str, Tensor],
        warnings: tuple[str, ...] = (),
    ) -> TallyModel:
        network = Tally(config.task.vocab_size)
        put_weights(network, weights, session, step, config.runtime, belong="configuration")
        return cls(session=session, step=step, config=config, network=network, warnings=warnings)

    def task(self, progress: Progress | None = None) -> Task:
        return build_task(self.config.task, progress)

    def evaluate(
        self,
        task: Task,
        examples: Source,
        *,
        progress: Callable[[int, int], None] | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> TallyEvaluation:
        return measure(self.network, examples)


@dataclass(frozen=True)
class TallyRows(Rows):
    labels: Tensor

    def part(self, start: int, stop: int) -> TallyRows:
        return TallyRows(self.labels[start:stop])


class TallyLearner(Learner):
    model: Tally

    def __init__(self, config: Config, task: Task) -> None:
        super().__init__(config, task, Tally(task.vocab_size))

    def draw(self) -> TallyRows:
        examples: Examples = self.task.augment(self.sampler.next(self.rows), self.rng)
        return TallyRows(scored_labels(examples.labels))

    def work(self, model: nn.Module, rows: TallyRows) -> Result:
        assert isinstance(model, Tally)
        loss = model.losses(rows.labels).mean() * len(rows.labels)
        (loss / self.rows).backward()
        return Result(Sums.of(loss=loss))

    def accept(self, results: Sequence[Any], scale: float) -> None:
        """Nothing is carried on."""

    def reject(self) -> None:
        """Nothing is carried on."""

    def evaluate(
        self, examples: Source, stopping: Callable[[], bool], *, batch_size: int, thorough: bool = False
    ) -> TallyEvaluation:
        return measure(self.model, examples)


class TallyCosts(PuzzleCosts):
    def parameters_outside(self, config: Config, shape: Shape) -> int:
        return config.task.vocab_size


TALLY = LearnerKind(
    name="tally",
    models="a tally",
    score=TallyEvaluation.judged_by,
    costs=f"{__name__}:TallyCosts",
    model=f"{__name__}:TallyModel",
    learner=f"{__name__}:TallyLearner",
)
