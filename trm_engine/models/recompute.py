"""Gradient checkpointing: a function's input is kept for the backward pass, and the rest computed again.

The same idea as `torch.utils.checkpoint`, by the same means (hooks on what autograd saves). That one imports
torch's compiler when it is first called: seconds, and 75 MB, where memory is what is short.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks


def recomputed(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return `function(x)`; of what its backward pass needs, only x stays in memory until then.

    `function` must compute the same again, operation by operation, under the same autocast. Gradients have
    the same bits: the graph is the same one, and only what it has saved comes back otherwise.
    """
    kept = _Kept(function, x)
    with saved_tensors_hooks(kept.pack, kept.unpack):
        return function(x)


class _Kept:
    """Stands for the tensors that autograd has saved of one call, each by its number."""

    def __init__(self, function: Callable[[Tensor], Tensor], x: Tensor) -> None:
        self._function = function
        self._x = x.detach().requires_grad_(x.requires_grad)  # without the graph that x came from
        self._count = 0
        self._again: list[Tensor] = []

    def pack(self, _tensor: Tensor) -> int:
        """Let go of a tensor and return its number."""
        self._count += 1
        return self._count - 1

    def unpack(self, number: int) -> Tensor:
        """Return a tensor; the first that is asked for computes all of them."""
        if not self._again:
            # Autograd runs this in the thread (on CPUs), and the contexts, in which `backward` was called.
            with torch.enable_grad(), saved_tensors_hooks(self._keep, _none_left):
                self._function(self._x)
            assert len(self._again) == self._count, "computed again, other tensors are needed"
        return self._again[number]

    def _keep(self, tensor: Tensor) -> None:
        self._again.append(tensor.detach())


def _none_left(_packed: object) -> Tensor:
    raise AssertionError("what is computed again has no backward pass of its own")
