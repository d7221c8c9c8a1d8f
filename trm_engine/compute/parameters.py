"""All trainable weights of a model in one flat tensor, and their gradients in another.

An optimizer step, the moving average and the finiteness test are then a handful of operations however many
matrices the model has.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

_ALIGN = 16  # floats: each weight starts on a 64-byte line, as the matrix kernels like it


class FlatParameters:
    """Moves a model's parameters into `values` and their gradients into `grads`; the model sees views."""

    def __init__(self, model: nn.Module) -> None:
        self.slices: dict[str, tuple[int, torch.Size]] = {}
        total = 0
        for name, parameter in model.named_parameters():
            self.slices[name] = (total, parameter.shape)
            total += -(-parameter.numel() // _ALIGN) * _ALIGN
        device = next(model.parameters()).device
        self.values = torch.zeros(total, device=device)
        self.grads = torch.zeros(total, device=device)
        for (_, parameter), view, grad in zip(
            model.named_parameters(),
            self.split(self.values).values(),
            self.split(self.grads).values(),
            strict=True,
        ):
            view.copy_(parameter.data)
            parameter.data = view
            parameter.grad = grad

    def split(self, flat: Tensor) -> dict[str, Tensor]:
        """Return views of a flat tensor, one a weight, by name."""
        return {
            name: flat[start : start + shape.numel()].view(shape)
            for name, (start, shape) in self.slices.items()
        }

    def twin(self, model: nn.Module, values: Tensor | None = None) -> tuple[nn.Module, Tensor]:
        """Return a second model over the same weights and buffers, and the gradients that are its own.

        `values`: its weights, flat, where they are not the same; gradients are of their type.
        """
        values = self.values if values is None else values
        grads = torch.zeros_like(values)
        shared: dict[int, object] = {id(buffer): buffer for buffer in model.buffers()}
        for parameter, weight, grad in zip(
            model.parameters(), self.split(values).values(), self.split(grads).values(), strict=True
        ):
            twin = nn.Parameter(weight)
            twin.grad = grad
            shared[id(parameter)] = twin
        return copy.deepcopy(model, shared), grads

    def load(self, flat: Tensor, tensors: dict[str, Tensor], prefix: str = "") -> None:
        """Copy named tensors into their places in a flat tensor."""
        for name, view in self.split(flat).items():
            view.copy_(tensors[prefix + name])
