"""The same mathematics as `trm_engine.models.layers` with fewer passes over memory.

On a CPU the elementwise work between two matrix products costs about as much as the products. Here residual,
SwiGLU and RMS norm are one differentiable function with its own backward pass: what can be done in place is,
gradients go into the two halves of a fused matrix without being concatenated, and only the inputs of the
SwiGLU are kept for the backward pass (its product is computed again), which halves the memory of a step.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function


class _SwigluNorm(Function):
    """rms(x + down(silu(gate x) · up x)) for x of shape (N, D); `along_length`: for (S, N), along S."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, gate_up: Tensor, down: Tensor, eps: float, along_length: bool, keep: bool
    ) -> Tensor:
        """Return the block's output, shaped as x."""
        gate, up = gate_up.chunk(2)
        g, u = (gate @ x, up @ x) if along_length else (x @ gate.t(), x @ up.t())
        # Only the backward pass needs g again: without one, its memory takes the product.
        product = F.silu(g, inplace=not keep).mul_(u)
        hidden = torch.addmm(x, down, product) if along_length else torch.addmm(x, product, down.t())
        scale = inverse_rms(hidden, eps, 0 if along_length else -1)
        # In place: the backward pass needs the output and the scale, and hidden is output / scale.
        output = hidden.mul_(scale)
        ctx.along_length = along_length
        ctx.save_for_backward(x, g, u, output, scale, gate_up, down)
        return output

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of x, gate_up and down."""
        x, g, u, output, scale, gate_up, down = ctx.saved_tensors
        gate, up = gate_up.chunk(2)
        along_length: bool = ctx.along_length
        grad_hidden = norm_backward(grad, output, scale, 0 if along_length else -1)
        # Recomputed, not saved: one pass over memory is cheaper than holding another (N, width) tensor.
        silu = F.silu(g)
        grad_product = down.t() @ grad_hidden if along_length else grad_hidden @ down
        grad_gate_up = torch.empty_like(gate_up)
        # Views of one tensor as outputs: the two gradients never have to be concatenated.
        grad_gate, grad_up = grad_gate_up.chunk(2)
        if along_length:
            grad_down = grad_hidden @ (silu * u).t()
            grad_u = silu.mul_(grad_product)
            grad_g = torch.ops.aten.silu_backward(grad_product.mul_(u), g)
            torch.mm(grad_g, x.t(), out=grad_gate)
            torch.mm(grad_u, x.t(), out=grad_up)
            grad_x = grad_hidden.addmm_(gate.t(), grad_g).addmm_(up.t(), grad_u)
        else:
            grad_down = grad_hidden.t() @ (silu * u)
            grad_u = silu.mul_(grad_product)
            grad_g = torch.ops.aten.silu_backward(grad_product.mul_(u), g)
            torch.mm(grad_g.t(), x, out=grad_gate)
            torch.mm(grad_u.t(), x, out=grad_up)
            grad_x = grad_hidden.addmm_(grad_g, gate).addmm_(grad_u, up)
        return grad_x, grad_gate_up, grad_down, None, None, None


class _ResidualNorm(Function):
    """rms(x + branch) along the last dimension."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, branch: Tensor, eps: float) -> Tensor:
        """Return the normalised sum."""
        hidden = x + branch
        scale = inverse_rms(hidden, eps, -1)
        output = hidden.mul_(scale)
        ctx.save_for_backward(output, scale)
        return output

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of x and of the branch, which are the same."""
        output, scale = ctx.saved_tensors
        grad_hidden = norm_backward(grad, output, scale, -1)
        return grad_hidden, grad_hidden, None


class _Rotate(Function):
    """Rotary position encoding (rotate-half) of heads (S, B, H, d), without concatenation.

    `cos` and `sin` are (S, 1, 1, d/2).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Return the rotated heads."""
        ctx.save_for_backward(cos, sin)
        return _rotated(x, cos, sin)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Rotate the gradient back."""
        cos, sin = ctx.saved_tensors
        return _rotated(grad, cos, -sin), None, None


def _rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    output = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    out_first, out_second = output.chunk(2, dim=-1)
    torch.mul(first, cos, out=out_first).addcmul_(second, sin, value=-1)
    torch.mul(second, cos, out=out_second).addcmul_(first, sin)
    return output


def inverse_rms(x: Tensor, eps: float, dim: int) -> Tensor:
    """Return 1 / rms(x) along `dim`, which is kept."""
    squares: Tensor
    if dim == -1:  # the norm reads x once and writes nothing of its size, but only along the last dimension
        squares = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1])
    else:
        squares = x.square().mean(dim, keepdim=True)
    return squares.add_(eps).rsqrt_()


def norm_backward(grad: Tensor, output: Tensor, scale: Tensor, dim: int) -> Tensor:
    """Return the gradient of h where output = h · scale and scale = 1 / rms(h)."""
    # d/dh of h / rms(h): the gradient without its part along the output, which the norm takes away.
    projection = (grad * output).mean(dim, keepdim=True)
    return torch.addcmul(grad, output, projection, value=-1).mul_(scale)


def swiglu_norm(x: Tensor, gate_up: Tensor, down: Tensor, eps: float, *, along_length: bool) -> Tensor:
    """Return rms(x + swiglu(x)) of x (N, D), or along the length of x (S, N)."""
    return _apply(_SwigluNorm, x, gate_up, down, eps, along_length, torch.is_grad_enabled())


def residual_norm(x: Tensor, branch: Tensor, eps: float) -> Tensor:
    """Return rms(x + branch) along the last dimension."""
    return _apply(_ResidualNorm, x, branch, eps)


def rotate(x_SBHd: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Return heads rotated by their position; `cos` and `sin` are (S, 1, 1, d/2)."""
    return _apply(_Rotate, x_SBHd, cos, sin)


def _apply(function: type[Function], *arguments: Tensor | float) -> Tensor:
    result: Tensor = function.apply(*arguments)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return result
