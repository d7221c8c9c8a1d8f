"""How well a model predicts the next character of text it has never seen."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from trm_engine.config.kinds import Score
from trm_engine.config.text_kind import TEXT
from trm_engine.inference.evaluation_result import Measured
from trm_engine.inference.scoring import scored_labels, softmax_cross_entropy
from trm_engine.models.text import RecursiveText
from trm_engine.tasks.examples import IGNORE_LABEL, Source
from trm_engine.tasks.text.task import Windows


@dataclass(frozen=True)
class TextEvaluation(Measured):
    """Loss on held-out windows: `val_loss` is the mean cross-entropy of a character, in nats."""

    windows: int
    characters: int
    val_loss: float
    seconds: float
    unknown_characters: int = 0
    """Characters of the windows that the model does not know, and that are not scored."""
    text_characters: int = 0
    """Characters of the whole text, the first and those after the last window too, which none predicts."""
    judged_by: ClassVar[Score] = TEXT.score
    counts: ClassVar[tuple[str, ...]] = ("characters", "windows", "unknown_characters", "text_characters")

    @property
    def rows(self) -> int:
        """Windows that were measured."""
        return self.windows

    @property
    def bits_per_character(self) -> float:
        """The loss in bits: what storing a character would take."""
        return self.val_loss / math.log(2)

    @property
    def characters_per_second(self) -> float:
        """Characters predicted a second."""
        return self.characters / self.seconds if self.seconds > 0 else 0.0

    def over(self, examples: Source) -> TextEvaluation:
        """Return the result with the characters of the whole text."""
        return replace(self, text_characters=len(examples.tokens)) if isinstance(examples, Windows) else self

    def to_dict(self) -> dict[str, float]:
        """Return all figures by name."""
        return {
            **asdict(self),
            "bits_per_character": self.bits_per_character,
            "characters_per_second": self.characters_per_second,
        }


def character_losses(model: RecursiveText, inputs_BL: Tensor, labels_BL: Tensor) -> tuple[Tensor, Tensor]:
    """Return the cross-entropy (L, B) of every label, and which are scored (L, B); the others are 0.

    `labels_BL` are those of `scored_labels`.
    """
    labels_LB = labels_BL.t()
    losses_N = softmax_cross_entropy(model(inputs_BL).flatten(0, 1), labels_LB.flatten())
    return losses_N.view(labels_LB.shape), labels_LB != IGNORE_LABEL


@torch.no_grad()
def evaluate_text(
    model: RecursiveText,
    windows: Source,
    *,
    batch_size: int,
    progress: Callable[[int, int], None] | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> TextEvaluation:
    """Measure a model on windows; characters that it does not know are not scored.

    `progress` hears (done, total) after each batch; when `stopping` turns true, what was measured so far is
    returned.
    """
    started, device = time.perf_counter(), model.z_init.device
    loss, characters, unknown, done = 0.0, 0, 0, 0
    for start in range(0, len(windows), batch_size):
        batch = windows.take(slice(start, start + batch_size))
        inputs_BL = torch.from_numpy(batch.inputs.astype(np.int64)).to(device)
        losses_LB, scored_LB = character_losses(model, inputs_BL, scored_labels(batch.labels).to(device))
        loss += float(losses_LB.cpu().sum(dtype=torch.float64))
        scored = int(scored_LB.sum())
        characters += scored
        unknown += scored_LB.numel() - scored
        done += len(batch)
        if progress is not None:
            progress(done, len(windows))
        if stopping():
            break
    seconds = time.perf_counter() - started
    mean = loss / max(characters, 1)
    return TextEvaluation(done, characters, mean, seconds, unknown, characters + unknown).over(windows)
