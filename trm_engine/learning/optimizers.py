"""Optimizers on a flat tensor of weights: Adam and its kin, Muon, and signs for puzzle embeddings."""

from __future__ import annotations

import torch
from torch import Tensor

from trm_engine.compute.parameters import FlatParameters
from trm_engine.config.sections import TrainConfig

_ADAM_EPS = 1e-8
# Quintic Newton–Schulz: these coefficients bring singular values near 1 in five iterations, not quite to it.
_QUINTIC = 3.4445, -4.7750, 2.0315
_MUON_ITERATIONS = 5
_MUON_EPS = 1e-7
_MUON_RMS = 0.2
# Weights that are several matrices side by side: their rows belong to different maps.
_FUSED = {"gate_up": 2, "qkv": 3}


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
        self.updates: int | Tensor = 0
        """Updates so far; a number on the device where nobody waits to know it."""

    @torch.no_grad()
    def step(self, grads: Tensor, lr: float | Tensor) -> None:
        """Update the weights in place. `lr` may be a single number on the device."""
        config = self.config
        self.updates += 1
        self.mean.lerp_(grads, 1 - config.beta1)
        self.square.mul_(config.beta2).addcmul_(grads, grads, value=1 - config.beta2)
        mean_scale = 1 / (1 - config.beta1**self.updates)
        root = (self.square / (1 - config.beta2**self.updates)).sqrt_()
        # Decay before the step and apart from the moments (AdamW): it does not depend on gradients.
        self.values.mul_(1 - lr * config.weight_decay)
        if config.optimizer == "adam_atan2":
            take(self.values, torch.atan2(self.mean * mean_scale, root), lr)
        elif isinstance(lr, Tensor):
            take(self.values, self.mean / root.add_(_ADAM_EPS), lr * mean_scale)
        else:
            self.values.addcdiv_(self.mean, root.add_(_ADAM_EPS), value=-lr * float(mean_scale))


class Lion(Adam):
    """Moves every weight by the sign of a mean of gradients (arXiv 2302.06675).

    The update looks at β1 · mean + (1 − β1) · gradient, and the mean is kept with β2. There is no mean
    square: it stays zero, so that checkpoints of all optimizers have one form.
    """

    @torch.no_grad()
    def step(self, grads: Tensor, lr: float | Tensor) -> None:
        """Update the weights in place."""
        config = self.config
        self.updates += 1
        direction = self.mean.lerp(grads, 1 - config.beta1).sign_()
        take(self.values.mul_(1 - lr * config.weight_decay), direction, lr)
        self.mean.lerp_(grads, 1 - config.beta2)


class MomentumSGD(Adam):
    """Moves weights along the gradient and what is left of those before: β1 is the momentum.

    Weight decay is decoupled, as in the other optimizers; the mean square stays zero.
    """

    @torch.no_grad()
    def step(self, grads: Tensor, lr: float | Tensor) -> None:
        """Update the weights in place."""
        config = self.config
        self.updates += 1
        self.mean.mul_(config.beta1).add_(grads)
        take(self.values.mul_(1 - lr * config.weight_decay), self.mean, lr)


def take(values: Tensor, direction: Tensor, lr: float | Tensor) -> None:
    """Take lr · direction away from values, in place."""
    if isinstance(lr, Tensor):  # a factor of a fused addition has to be known to Python
        values.sub_(direction * lr)
    else:
        values.add_(direction, alpha=-lr)


class Muon(Adam):
    """Adam for vectors, and for the blocks' matrices momentum made orthogonal first (Jordan et al., 2024).

    `beta1` is the momentum of both; embeddings and heads are left to Adam. An update has the size of Adam's
    (arXiv 2502.16982: orthogonal matrix · 0.2 · √(longer side)), so that one learning rate serves both.
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
    def step(self, grads: Tensor, lr: float | Tensor) -> None:
        """Update the weights in place."""
        before = {shape: self._stacked(self.values, shape) for shape in self._matrices}
        super().step(grads, lr)
        config = self.config
        for shape, old in before.items():
            # Nesterov: the momentum as it will be when this gradient has come once more.
            ahead = self._stacked(self.mean, shape).lerp_(self._stacked(grads, shape), 1 - config.beta1)
            scale = _MUON_RMS * max(shape) ** 0.5
            new = old.mul_(1 - lr * config.weight_decay)
            take(new, orthogonal(ahead), lr * scale)
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
    a, b, c = _QUINTIC
    x: Tensor = matrices_NRC / (matrices_NRC.norm(dim=(1, 2), keepdim=True) + _MUON_EPS)
    for _ in range(_MUON_ITERATIONS):
        gram = x @ x.transpose(1, 2)
        polynomial = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, polynomial, x, beta=a)
    return x


def build_optimizer(parameters: FlatParameters, config: TrainConfig) -> Adam:
    """Return the optimizer that a configuration names."""
    if config.optimizer == "muon":
        return Muon(parameters, config)
    kinds: dict[str, type[Adam]] = {"lion": Lion, "sgd": MomentumSGD}
    return kinds.get(config.optimizer, Adam)(parameters.values, config)


def continued_optimizer(before: Adam, parameters: FlatParameters, config: TrainConfig) -> Adam:
    """Return the optimizer of a configuration with the moments of the one before.

    A restart of the moments from zero would take large first steps, as at the beginning.
    """
    optimizer = build_optimizer(parameters, config)
    optimizer.mean, optimizer.square, optimizer.updates = before.mean, before.square, before.updates
    return optimizer


@torch.no_grad()
def sign_sgd(
    embeddings_NE: Tensor,
    ids_B: Tensor,
    grads_BE: Tensor,
    lr: float | Tensor,
    weight_decay: float,
    sound: Tensor | None = None,
) -> None:
    """Move the embeddings of the puzzles in a batch by the sign of their summed gradient, in place.

    Where `sound`, a single truth value on the device, is false, nothing moves. Sorted, the rows of a puzzle
    lie together and share a sum; each of them then writes the same numbers. So no shape depends on how many
    different puzzles there are.
    """
    if ids_B.device.type == "cpu":
        ids_B, order_B = ids_B.sort(stable=True)
        begins_B = torch.cat([torch.ones_like(ids_B[:1]), (ids_B[1:] != ids_B[:-1]).to(ids_B)])
        sum_of_B = begins_B.cumsum(0) - 1
        summed_BE = torch.zeros_like(grads_BE).index_add_(0, sum_of_B, grads_BE[order_B])[sum_of_B]
    else:  # there, rows are added in whatever order they come; a product adds them in one order
        summed_BE = (ids_B[:, None] == ids_B).to(grads_BE) @ grads_BE
    old_BE = embeddings_NE[ids_B]
    moved_BE = old_BE * (1 - lr * weight_decay)
    take(moved_BE, summed_BE.sign_(), lr)
    embeddings_NE[ids_B] = moved_BE if sound is None else torch.where(sound, moved_BE, old_BE)
