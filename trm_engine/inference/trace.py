"""A model's way to its answer to one puzzle, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trm_engine.inference.supervise import supervise
from trm_engine.models.trm import TRM
from trm_engine.tasks.base import Tokens


@dataclass(frozen=True)
class Refinement:
    """The model's answer to one puzzle after one supervision step.

    `answer` (L,) tokens, `confidence` (L,) probability of each token, `halt_probability` of the step.
    """

    step: int
    answer: Tokens
    confidence: npt.NDArray[np.float32]
    halt_probability: float


def refine(model: TRM, puzzle: Tokens, max_steps: int, puzzle_id: int = 0) -> Iterator[Refinement]:
    """Solve one puzzle (L,), yielding the answer after each supervision step."""
    inputs, ids = np.asarray(puzzle)[None], np.array([puzzle_id])
    for step in supervise(model, inputs, ids, max_steps=max_steps):
        answer, confidence = step.answers[0].numpy(), step.confidences[0].numpy()
        yield Refinement(step.number, answer, confidence, float(step.halt_probabilities[0]))
