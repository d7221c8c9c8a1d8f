"""The same mathematics as `trm_engine.models.fused` by kernels that this machine has compiled.

Between two matrix products there is one pass over memory: residual, norm and SwiGLU each way, and attention
with its rotation. Gate and up, and queries, keys and values, are one product each.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from trm_engine.compute.kernels import Tables, kernels


class _SwigluNorm(Function):
    """See `swiglu_norm`. Where it works along the length, x is (S, N), and so are its like."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, gate_up: Tensor, down: Tensor, eps: float, along_length: bool, keep: bool
    ) -> Tensor:
        """Return the half block's output, shaped as x."""
        made, dim = kernels(), 0 if along_length else 1
        both = gate_up @ x if along_length else x @ gate_up.t()
        gate, up = both.chunk(2, dim)
        # Only the backward pass needs gate and up again: without one, gate's memory takes the product.
        product = both.new_empty(gate.shape) if keep else gate
        made.swiglu(gate, up, product)
        output = down @ product if along_length else product @ down.t()
        scale = made.norm(output, x, eps, dim)
        ctx.along_length = along_length
        ctx.save_for_backward(x, both, output, scale, gate_up, down)
        return output

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of x, gate_up and down."""
        x, both, output, scale, gate_up, down = ctx.saved_tensors
        made, dim = kernels(), 0 if ctx.along_length else 1
        grad_hidden = made.norm_back(grad.contiguous(), output, scale, dim)
        product = down.t() @ grad_hidden if ctx.along_length else grad_hidden @ down
        grad_both = torch.empty_like(both)
        (gate, up), (grad_gate, grad_up) = both.chunk(2, dim), grad_both.chunk(2, dim)
        made.swiglu_back(gate, up, product, grad_gate, grad_up)
        if ctx.along_length:
            grad_down, grad_gate_up = grad_hidden @ product.t(), grad_both @ x.t()
            grad_x = grad_hidden.addmm_(gate_up.t(), grad_both)
        else:
            grad_down, grad_gate_up = grad_hidden.t() @ product, grad_both.t() @ x
            grad_x = grad_hidden.addmm_(grad_both, gate_up)
        return grad_x, grad_gate_up, grad_down, None, None, None


class _AttentionNorm(Function):
    """See `attention_norm`."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, qkv: Tensor, out: Tensor, tables: Tables | None, heads: int, eps: float
    ) -> Tensor:
        """Return the half block's output (S, B, D)."""
        made, flat = kernels(), x.reshape(-1, x.shape[-1])
        parts = (flat @ qkv.t()).view(*x.shape[:2], -1)
        mixed, logarithms = made.attention(parts, tables, heads)
        output = mixed.view(flat.shape) @ out.t()
        scale = made.norm(output, flat, eps, 1)
        ctx.tables = tables
        ctx.save_for_backward(flat, parts, mixed, logarithms, output, scale, qkv, out)
        return output.view(x.shape)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of x, qkv and out."""
        flat, parts, mixed, logarithms, output, scale, qkv, out = ctx.saved_tensors
        made = kernels()
        grad_hidden = made.norm_back(grad.reshape(flat.shape).contiguous(), output, scale, 1)
        grad_out = grad_hidden.t() @ mixed.view(flat.shape)
        grad_mixed = grad_hidden @ out
        grad_parts = made.attention_back(parts, ctx.tables, mixed, logarithms, grad_mixed).view(len(flat), -1)
        grad_qkv = grad_parts.t() @ flat
        grad_x = grad_hidden.addmm_(grad_parts, qkv)
        return grad_x.view(mixed.shape), grad_qkv, grad_out, None, None, None


class _ResidualNorm(Function):
    """rms(x + branch) along the last dimension."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, branch: Tensor, eps: float) -> Tensor:
        """Return the normalised sum."""
        flat = x.reshape(-1, x.shape[-1])
        output = branch.reshape(flat.shape).clone()
        scale = kernels().norm(output, flat, eps, 1)
        ctx.save_for_backward(output, scale)
        return output.view(x.shape)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of x and of the branch, which are the same."""
        output, scale = ctx.saved_tensors
        flat = kernels().norm_back(grad.reshape(output.shape).contiguous(), output, scale, 1)
        return flat.view(grad.shape), flat.view(grad.shape), None


def swiglu_norm(x: Tensor, gate_up: Tensor, down: Tensor, eps: float, *, along_length: bool) -> Tensor:
    """Return rms(x + swiglu(x)) of x (N, D), or along the length of x (S, N)."""
    return _apply(_SwigluNorm, x.contiguous(), gate_up, down, eps, along_length, torch.is_grad_enabled())


def attention_norm(
    x: Tensor, qkv: Tensor, out: Tensor, tables: Tables | None, *, heads: int, eps: float
) -> Tensor:
    """Return rms(x + out(attention(qkv x))) of x (S, B, D), each position seeing all.

    `tables` are the cosines and sines (S, 1, 1, d/2), without gaps, that turn queries and keys, if any.
    """
    return _apply(_AttentionNorm, x.contiguous(), qkv, out, tables, heads, eps)


def residual_norm(x: Tensor, branch: Tensor, eps: float) -> Tensor:
    """Return rms(x + branch) along the last dimension."""
    return _apply(_ResidualNorm, x, branch, eps)


def _apply(function: type[Function], *arguments: object) -> Tensor:
    result: Tensor = function.apply(*arguments)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return result
