"""Text written by a model, one character after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from trm_engine.errors import UsageError
from trm_engine.models.text import RecursiveText
from trm_engine.tasks.examples import PAD
from trm_engine.tasks.text.vocabulary import Vocabulary
from trm_engine.text import safe_text

_SHOWN = 5


@dataclass(frozen=True)
class Sampling:
    """How characters are drawn."""

    temperature: float = 0.8
    """Divides the logits: below 1 likelier characters win more often; 0 always takes the likeliest."""
    top_k: int = 0
    """Only the so many likeliest characters are drawn from; 0: all."""
    max_tokens: int = 500
    """Characters to write, after the start."""
    seed: int = 0
    """Random seed."""


def check_start(vocabulary: Vocabulary, start: str) -> str:
    """Return what a text begins with: `start`, or a line break (else the first character) for nothing.

    Raises `UsageError` naming the characters that the model does not know.
    """
    if not start:
        return "\n" if "\n" in vocabulary.characters else vocabulary.characters[:1]
    if unknown := vocabulary.unknown(start):
        named = ", ".join(_named(character) for character in unknown[:_SHOWN])
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        known = safe_text(" ".join(vocabulary.characters.split()))[:100]
        raise UsageError(
            f"the start has characters that the model has never seen: {named}{more}; it knows {known}"
        )
    return start


def generate(
    network: RecursiveText, vocabulary: Vocabulary, start: str, sampling: Sampling, sample: int = 0
) -> Iterator[str]:
    """Yield one character after the other of the text that follows `start`.

    Samples of different number, and of different seed, are drawn independently; the same ones again are the
    same to the last character. Raises `UsageError` for a start that the model cannot read.
    """
    tokens = [int(token) for token in vocabulary.encode(check_start(vocabulary, start))]
    rng = np.random.default_rng([sampling.seed, sample])
    for _ in range(sampling.max_tokens):
        # The whole window is run again for every character. Keys and values cannot simply be kept as in a
        # plain transformer: each recursion step would need a cache of its own, and once the window is full
        # they all change with every character that leaves it.
        window = torch.tensor([tokens[-network.context :]], device=network.z_init.device)
        with torch.no_grad():
            logits = network(window)[-1, 0].cpu().double().numpy()
        token = _drawn(logits, sampling, rng)
        tokens.append(token)
        yield vocabulary.decode([token])


def _drawn(
    logits_V: np.ndarray[tuple[int], np.dtype[np.float64]], sampling: Sampling, rng: np.random.Generator
) -> int:
    logits_V[PAD] = -np.inf
    if sampling.temperature <= 0:
        return int(logits_V.argmax())
    if 0 < sampling.top_k < len(logits_V):
        logits_V[logits_V < np.sort(logits_V)[-sampling.top_k]] = -np.inf
    weights = np.exp((logits_V - logits_V.max()) / sampling.temperature)
    bounds = weights.cumsum()
    drawn = int(np.searchsorted(bounds, rng.random() * bounds[-1], side="right"))
    return min(drawn, int(np.flatnonzero(weights)[-1]))  # where rounding has reached the highest bound


def _named(character: str) -> str:
    shown = safe_text(character)
    return f'"{shown}"' if shown.isprintable() and shown else f"U+{ord(character):04X}"
