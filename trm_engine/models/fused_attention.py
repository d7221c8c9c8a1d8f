"""An attention block as one differentiable function: rms(x + out(attention(x))) with its own backward pass.

At the lengths of puzzles (16 … 250 positions) batched matrix products can beat the flash kernel of PyTorch,
whose blocks are made for long sequences. Queries and keys are rotated in place, and the products read and
write heads where they lie, without a transposition.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from trm_engine.models.fused import inverse_rms, norm_backward

Tables = tuple[Tensor, Tensor]

_MOST_SCORES = 1 << 21  # at once, where they are not kept: 8 MB


class _AttentionNorm(Function):
    """See `attention_norm`. Queries, keys and values are held as (3, S, B, D)."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        qkv: Tensor,
        out: Tensor,
        tables: Tables | None,
        heads: int,
        eps: float,
        most_scores: int | None,
    ) -> Tensor:
        """Return the block's output (S, B, D)."""
        flat = x.reshape(-1, x.shape[-1])
        parts = x.new_empty((3, *x.shape))
        for weight, part in zip(qkv.chunk(3), parts, strict=True):
            torch.mm(flat, weight.t(), out=part.view(flat.shape))
        if tables is not None:
            _rotate_(parts[:2], *tables, heads)
        query, key, value = (_by_head(part, heads) for part in parts)
        mixed = torch.empty_like(x)
        mixed_by_head = _by_head(mixed, heads)
        # The backward pass needs the scores of all heads; without one, a few at a time stay in the cache.
        step = len(query) if most_scores is None else max(most_scores // len(x) ** 2, 1)
        for start in range(0, len(query), step):
            some = slice(start, start + step)
            weights = torch.softmax(
                _scaled_bmm(query[some], key[some].transpose(1, 2), _scale(query)), dim=-1
            )
            torch.bmm(weights, value[some], out=mixed_by_head[some])
        hidden = torch.addmm(flat, mixed.view(flat.shape), out.t())
        scale = inverse_rms(hidden, eps, -1)
        output = hidden.mul_(scale)
        ctx.tables, ctx.heads = tables, heads
        ctx.save_for_backward(flat, parts, weights, mixed, output, scale, qkv, out)
        return output.view(x.shape)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of x, qkv and out."""
        flat, parts, weights, mixed, output, scale, qkv, out = ctx.saved_tensors
        heads: int = ctx.heads
        query, key, value = (_by_head(part, heads) for part in parts)
        grad_hidden = norm_backward(grad.reshape(flat.shape), output, scale, -1)
        grad_out = grad_hidden.t() @ mixed.view(flat.shape)
        grad_mixed = _by_head((grad_hidden @ out).view(mixed.shape), heads)
        grad_parts = torch.empty_like(parts)
        grad_query, grad_key, grad_value = (_by_head(part, heads) for part in grad_parts)
        torch.bmm(weights.transpose(1, 2), grad_mixed, out=grad_value)
        grad_weights = torch.bmm(grad_mixed, value.transpose(1, 2))
        # Of the stored weights: the softmax need not be computed again.
        grad_scores = torch.ops.aten._softmax_backward_data(grad_weights, weights, -1, weights.dtype)
        grad_scores.mul_(_scale(query))
        torch.bmm(grad_scores, key, out=grad_query)
        torch.bmm(grad_scores.transpose(1, 2), query, out=grad_key)
        if ctx.tables is not None:
            cos, sin = ctx.tables
            _rotate_(grad_parts[:2], cos, -sin, heads)  # a rotation's transpose is the rotation back
        grad_qkv = torch.empty_like(qkv)
        grad_x = grad_hidden  # the residual's gradient is the sum's start, and its memory is reused
        for weight, grad_weight, grad_part in zip(qkv.chunk(3), grad_qkv.chunk(3), grad_parts, strict=True):
            grad_flat = grad_part.view(flat.shape)
            torch.mm(grad_flat.t(), flat, out=grad_weight)
            grad_x = grad_x.addmm_(grad_flat, weight)
        return grad_x.view(mixed.shape), grad_qkv, grad_out, None, None, None, None


def attention_norm(
    x: Tensor,
    qkv: Tensor,
    out: Tensor,
    tables: Tables | None,
    *,
    heads: int,
    eps: float,
    most_scores: int = _MOST_SCORES,
) -> Tensor:
    """Return rms(x + out(attention(qkv x))) of x (S, B, D), each position seeing all.

    `qkv` is (3 D, D), `out` (D, D); `tables` are the cosines and sines (S, 1, 1, d/2) by which queries and
    keys of heads of d numbers are rotated, if they are. The scores of all pairs of positions, S² · heads
    numbers a row of the batch, are kept for the backward pass, where there is to be one; else there are
    `most_scores` at once, which stay in the cache.
    """
    most = None if torch.is_grad_enabled() else most_scores
    result: Tensor = _AttentionNorm.apply(x, qkv, out, tables, heads, eps, most)  # type: ignore[no-untyped-call]  # torch
    return result


def _scale(query: Tensor) -> float:
    size: int = query.shape[-1]
    return float(size**-0.5)


def _scaled_bmm(a: Tensor, b: Tensor, scale: float) -> Tensor:
    """Return scale · a b; the scale costs no pass of its own."""
    # With beta 0 the first argument is not read, so an empty scalar will do.
    return torch.baddbmm(a.new_empty(()), a, b, beta=0, alpha=scale)


def _rotate_(parts: Tensor, cos: Tensor, sin: Tensor, heads: int) -> None:
    """Rotate queries and keys (2, S, B, D) in place, rotate-half."""
    first, second = parts.view(*parts.shape[:3], heads, -1).chunk(2, dim=-1)
    # One copy is needed: the second half is turned by the first as it was before.
    turned = first * sin
    first.mul_(cos).addcmul_(second, sin, value=-1)
    second.mul_(cos).add_(turned)


def _by_head(x_SBD: Tensor, heads: int) -> Tensor:
    """Return a view (B · heads, S, d)."""
    length, rows, _ = x_SBD.shape
    return x_SBD.view(length, rows * heads, -1).transpose(0, 1)
