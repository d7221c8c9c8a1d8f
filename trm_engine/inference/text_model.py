"""A trained model that writes text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from trm_engine.config import Config
from trm_engine.inference.evaluate_text import TextEvaluation, evaluate_text
from trm_engine.inference.generate import Sampling, check_start, generate
from trm_engine.inference.model import Model, put_weights
from trm_engine.models.text import RecursiveText, build_text_model
from trm_engine.progress import Progress, silent
from trm_engine.remedies import Advice
from trm_engine.sessions import Store
from trm_engine.tasks.base import Task
from trm_engine.tasks.examples import Source
from trm_engine.tasks.text.config import TextConfig
from trm_engine.tasks.text.task import TextTask
from trm_engine.tasks.text.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class TextModel(Model):
    """A model that predicts the next character, and the characters that it knows."""

    network: RecursiveText
    vocabulary: Vocabulary
    learned: ClassVar[str] = "text"
    used_for: ClassVar[tuple[Advice, ...]] = (Advice.GENERATE,)

    @classmethod
    def from_weights(
        cls,
        store: Store,
        session: str,
        step: int,
        config: Config,
        weights: Mapping[str, Tensor],
        warnings: tuple[str, ...] = (),
    ) -> TextModel:
        """Return the model that has these weights.

        The characters it knows come from the session's record, so the text itself may be gone.
        """
        vocabulary = Vocabulary(store.get(session).record.vocabulary)
        network = build_text_model(config, len(vocabulary), torch.Generator().manual_seed(0))
        put_weights(network, weights, session, step, config.runtime, belong="configuration and vocabulary")
        return cls(
            session=session,
            step=step,
            config=config,
            network=network,
            warnings=warnings,
            vocabulary=vocabulary,
        )

    def task(self, progress: Progress | None = None) -> TextTask:
        """Return the task that the model was trained on, in the model's own tokens."""
        assert isinstance(self.config.task, TextConfig)
        return TextTask(self.config.task, progress or silent, self.vocabulary)

    def check_start(self, start: str) -> str:
        """Return what a text begins with; raises `UsageError` for characters that the model does not know."""
        return check_start(self.vocabulary, start)

    def write(self, start: str, sampling: Sampling, sample: int = 0) -> Iterator[str]:
        """Yield the characters of the text that follows `start`, one after the other."""
        return generate(self.network, self.vocabulary, start, sampling, sample)

    def evaluate(
        self,
        task: Task,
        examples: Source,
        *,
        progress: Callable[[int, int], None] | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> TextEvaluation:
        """Measure the loss on windows of text."""
        del task
        return evaluate_text(
            self.network,
            examples,
            batch_size=self.config.eval.batch_size,
            progress=progress,
            stopping=stopping,
        )
