"""Optimizers on a flat tensor of weights."""

from __future__ import annotations

import torch
from torch import Tensor

from trm_engine.config.sections import TrainConfig

_ADAM_EPS = 1e-8


class Adam:
    """AdamW, or Adam-atan2, which has no ε and does not care about the gradient's scale (arXiv 2407.05872).

    Both keep bias-corrected means m̂ of the gradient and v̂ of its square, and first shrink the weights by
    1 − lr · weight_decay; then AdamW takes lr · m̂ / (√v̂ + ε) and Adam-atan2 takes lr · atan2(m̂, √v̂).
    """

    def __init__(self, values: Tensor, config: TrainConfig) -> None:
        self.values = values
        self.config = config
        self.mean = torch.zeros_like(values)
        self.square = torch.zeros_like(values)
        self.updates = 0

    @torch.no_grad()
    def step(self, grads: Tensor, lr: float) -> None:
        """Update the weights in place."""
        config = self.config
        self.updates += 1
        self.mean.lerp_(grads, 1 - config.beta1)
        self.square.mul_(config.beta2).addcmul_(grads, grads, value=1 - config.beta2)
        mean_scale = 1 / (1 - config.beta1**self.updates)
        root = (self.square / (1 - config.beta2**self.updates)).sqrt_()
        self.values.mul_(1 - lr * config.weight_decay)
        if config.optimizer == "adam_atan2":
            self.values.add_(torch.atan2(self.mean * mean_scale, root), alpha=-lr)
        else:
            self.values.addcdiv_(self.mean, root.add_(_ADAM_EPS), value=-lr * mean_scale)


class Lion(Adam):
    """Moves every weight by the sign of a mean of gradients (arXiv 2302.06675).

    The update looks at β1 · mean + (1 − β1) · gradient, and the mean is kept with β2. There is no mean
    square: it stays zero, so that checkpoints of all optimizers have one form.
    """

    @torch.no_grad()
    def step(self, grads: Tensor, lr: float) -> None:
        """Update the weights in place."""
        config = self.config
        self.updates += 1
        direction = self.mean.lerp(grads, 1 - config.beta1).sign_()
        self.values.mul_(1 - lr * config.weight_decay).add_(direction, alpha=-lr)
        self.mean.lerp_(grads, 1 - config.beta2)


class MomentumSGD(Adam):
    """Moves weights along the gradient and what is left of those before: β1 is the momentum.

    Weight decay is decoupled, as in the other optimizers; the mean square stays zero.
    """

    @torch.no_grad()
    def step(self, grads: Tensor, lr: float) -> None:
        """Update the weights in place."""
        config = self.config
        self.updates += 1
        self.mean.mul_(config.beta1).add_(grads)
        self.values.mul_(1 - lr * config.weight_decay).add_(self.mean, alpha=-lr)


@torch.no_grad()
def sign_sgd(embeddings_NE: Tensor, ids_B: Tensor, grads_BE: Tensor, lr: float, weight_decay: float) -> None:
    """Move the embeddings of the puzzles in a batch by the sign of their summed gradient, in place.

    Sorted, the rows of a puzzle lie together and share a sum; each of them then writes the same numbers. So
    no shape depends on how many different puzzles there are.
    """
    ids_B, order_B = ids_B.sort(stable=True)
    begins_B = torch.cat([torch.ones_like(ids_B[:1]), (ids_B[1:] != ids_B[:-1]).to(ids_B)])
    sum_of_B = begins_B.cumsum(0) - 1
    summed_BE = torch.zeros_like(grads_BE).index_add_(0, sum_of_B, grads_BE[order_B])[sum_of_B]
    moved_BE = embeddings_NE[ids_B].mul_(1 - lr * weight_decay).add_(summed_BE.sign_(), alpha=-lr)
    embeddings_NE[ids_B] = moved_BE
