"""Muon: momentum whose matrices are made orthogonal before they move the weights (Jordan et al., 2024).

For the matrices inside the blocks; embeddings, heads and vectors are left to Adam. An update has the size of
Adam's (arXiv 2502.16982: orthogonal matrix · 0.2 · √(longer side)), so that one learning rate serves both.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trm_engine.compute.parameters import FlatParameters
from trm_engine.config.sections import TrainConfig
from trm_engine.learning.optimizers import Adam, Lion, MomentumSGD

# Quintic Newton–Schulz: these coefficients bring singular values near 1 in five iterations, not quite to it.
_A, _B, _C = 3.4445, -4.7750, 2.0315
_ITERATIONS = 5
_EPS = 1e-7
_RMS = 0.2
# Weights that are several matrices side by side: their rows belong to different maps.
_FUSED = {"gate_up": 2, "qkv": 3}


class Muon(Adam):
    """Adam with Muon's update for the matrices of the blocks; `beta1` is the momentum of both.

    Float32 throughout: bfloat16, usual on GPUs, is slow on CPUs. Matrices of one shape are made orthogonal
    together.
    """

    def __init__(self, parameters: FlatParameters, config: TrainConfig) -> None:
        super().__init__(parameters.values, config)
        self._matrices: dict[tuple[int, int], list[tuple[int, int, bool]]] = {}
        for name, (start, shape) in parameters.slices.items():
            if name.startswith("blocks.") and len(shape) == 2:
                count = _FUSED.get(name.rpartition(".")[2], 1)
                self._add(start, shape[0] // count, shape[1], count)

    def _add(self, start: int, rows: int, columns: int, count: int) -> None:
        tall = rows > columns
        group = self._matrices.setdefault((min(rows, columns), max(rows, columns)), [])
        group.extend((start + number * rows * columns, rows, tall) for number in range(count))

    @torch.no_grad()
    def step(self, grads: Tensor, lr: float) -> None:
        """Update the weights in place."""
        before = {shape: self._stacked(self.values, shape) for shape in self._matrices}
        super().step(grads, lr)
        config = self.config
        for shape, old in before.items():
            # Nesterov: the momentum as it will be when this gradient has come once more.
            ahead = self._stacked(self.mean, shape).lerp_(self._stacked(grads, shape), 1 - config.beta1)
            scale = _RMS * max(shape) ** 0.5
            new = old.mul_(1 - lr * config.weight_decay).sub_(orthogonal(ahead), alpha=lr * scale)
            for matrix, view in zip(new, self._views(self.values, shape), strict=True):
                view.copy_(matrix)

    def _stacked(self, flat: Tensor, shape: tuple[int, int]) -> Tensor:
        return torch.stack(self._views(flat, shape))

    def _views(self, flat: Tensor, shape: tuple[int, int]) -> list[Tensor]:
        """Return the matrices of one shape, wide."""
        size = shape[0] * shape[1]
        found = []
        for start, rows, tall in self._matrices[shape]:
            matrix = flat[start : start + size].view(rows, size // rows)
            found.append(matrix.t() if tall else matrix)
        return found


def orthogonal(matrices_NRC: Tensor) -> Tensor:
    """Return the nearest semi-orthogonal matrices, R ≤ C, nearly: singular values between 0.7 and 1.2."""
    x: Tensor = matrices_NRC / (matrices_NRC.norm(dim=(1, 2), keepdim=True) + _EPS)
    for _ in range(_ITERATIONS):
        gram = x @ x.transpose(1, 2)
        polynomial = torch.baddbmm(gram, gram, gram, beta=_B, alpha=_C)
        x = torch.baddbmm(x, polynomial, x, beta=_A)
    return x


def build_optimizer(parameters: FlatParameters, config: TrainConfig) -> Adam:
    """Return the optimizer that a configuration names."""
    if config.optimizer == "muon":
        return Muon(parameters, config)
    kinds: dict[str, type[Adam]] = {"lion": Lion, "sgd": MomentumSGD}
    return kinds.get(config.optimizer, Adam)(parameters.values, config)
