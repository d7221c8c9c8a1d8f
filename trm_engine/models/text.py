"""The recursive character model: one causal state that the same blocks refine again and again."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trm_engine.compute.precision import widened
from trm_engine.config.sections import Config, ModelConfig
from trm_engine.models.layers import build_network, embedded, lecun_normal, truncated_normal, use_kernels


class RecursiveText(nn.Module):
    """Embedding x, a learned first state z, `recursion_steps` times z ← blocks(z + x), and a head on z.

    The gradient goes through every step. Each position sees itself and those before it. The blocks normalise
    what they return, so the head needs no norm of its own.
    """

    def __init__(
        self, config: ModelConfig, *, vocab_size: int, context: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.config = config
        self.context = context
        size = config.hidden_size
        self.embed_tokens = nn.Parameter(
            truncated_normal(vocab_size, size, std=size**-0.5, generator=generator)
        )
        if config.positions == "learned":
            positions = truncated_normal(context, 1, size, std=size**-0.5, generator=generator)
            self.embed_positions = nn.Parameter(positions)
        self.z_init = nn.Parameter(truncated_normal(1, 1, size, std=1.0, generator=generator))
        self.blocks = build_network(config, context, generator, causal=True)
        if not config.tied_head:
            self.lm_head = nn.Parameter(lecun_normal(vocab_size, size, generator))

    def forward(self, inputs_BL: Tensor) -> Tensor:
        """Return the logits (L, B, V) of the character after each of L ≤ `context` positions."""
        x = self.embed(inputs_BL)
        z = self.z_init.expand(x.shape)
        for _ in range(self.config.recursion_steps):
            z = self.blocks(z + x)
        return widened(F.linear(z, self.embed_tokens if self.config.tied_head else self.lm_head))

    def embed(self, inputs_BL: Tensor) -> Tensor:
        """Return the embedded characters x (L, B, D)."""
        x = embedded(inputs_BL.t().long(), self.embed_tokens)
        if self.config.positions == "learned":
            x = math.sqrt(0.5) * (x + self.embed_positions[: len(x)])
        return math.sqrt(self.config.hidden_size) * x


def build_text_model(config: Config, vocab_size: int, generator: torch.Generator) -> RecursiveText:
    """Return a freshly initialised model of `vocab_size` tokens, with the kernels that are configured."""
    model = RecursiveText(
        config.model, vocab_size=vocab_size, context=config.task.seq_len, generator=generator
    )
    use_kernels(model, config.runtime)
    return model
