"""rms(x + swiglu(x)) as one kernel of a GPU, for short sides: the length of a puzzle, a small width.

Between its two matrix products a SwiGLU widens every number of the state several times; on a GPU writing and
reading these takes longer than the products. Here a tile of columns stays on the chip from x to the norm: the
kernel reads x and writes the result. The way back computes the inside again, tile by tile, and writes only
what the weights' gradients need. Products are in 16-bit numbers, sums and norms in float32.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd import Function

LONGEST = 128
"""The longest side that a tile holds whole."""
_TILE = 128
_CHUNK, _CHUNK_BACK = 64, 32
"""Inner columns at a time: as many as the chip's own memory has room for, on the way back with gradients."""
_OPTIONS = {"num_warps": 8, "num_stages": 3}


@triton.jit
def _forward(
    x_ptr,
    gate_ptr,
    up_ptr,
    down_ptr,
    y_ptr,
    scale_ptr,
    columns,
    stride_k,
    stride_n,
    eps,
    SIDE: tl.constexpr,
    PADDED: tl.constexpr,
    WIDTH: tl.constexpr,
    TILE: tl.constexpr,
    CHUNK: tl.constexpr,
):
    n = (tl.program_id(0) * TILE + tl.arange(0, TILE)).to(tl.int64)
    k = tl.arange(0, PADDED)
    inside = (n[:, None] < columns) & (k[None, :] < SIDE)
    place = n[:, None] * stride_n + k[None, :] * stride_k
    x = tl.load(x_ptr + place, mask=inside, other=0.0)
    total = tl.zeros((TILE, PADDED), tl.float32)
    for start in range(0, WIDTH, CHUNK):
        w = start + tl.arange(0, CHUNK)
        turned = w[None, :] * PADDED + k[:, None]
        g = tl.dot(x, tl.load(gate_ptr + turned))
        u = tl.dot(x, tl.load(up_ptr + turned))
        product = g * tl.sigmoid(g) * u
        down = tl.load(down_ptr + w[:, None] * PADDED + k[None, :])
        total = tl.dot(product.to(x.dtype), down, total)
    hidden = x.to(tl.float32) + total
    scale = tl.rsqrt(tl.sum(hidden * hidden, 1) / SIDE + eps)
    tl.store(y_ptr + place, (hidden * scale[:, None]).to(x.dtype), mask=inside)
    tl.store(scale_ptr + n, scale, mask=n < columns)


@triton.jit
def _backward(
    grad_ptr,
    x_ptr,
    y_ptr,
    scale_ptr,
    gate_ptr,
    up_ptr,
    down_ptr,
    grad_x_ptr,
    grad_hidden_ptr,
    grad_gate_up_ptr,
    product_ptr,
    columns,
    stride_k,
    stride_n,
    stride_w_wide,
    stride_n_wide,
    stride_w,
    stride_n_narrow,
    SIDE: tl.constexpr,
    PADDED: tl.constexpr,
    WIDTH: tl.constexpr,
    ALL: tl.constexpr,
    TILE: tl.constexpr,
    CHUNK: tl.constexpr,
):
    n = (tl.program_id(0) * TILE + tl.arange(0, TILE)).to(tl.int64)
    k = tl.arange(0, PADDED)
    inside = (n[:, None] < columns) & (k[None, :] < SIDE)
    place = n[:, None] * stride_n + k[None, :] * stride_k
    x = tl.load(x_ptr + place, mask=inside, other=0.0)
    y = tl.load(y_ptr + place, mask=inside, other=0.0).to(tl.float32)
    grad = tl.load(grad_ptr + place, mask=inside, other=0.0).to(tl.float32)
    scale = tl.load(scale_ptr + n, mask=n < columns, other=0.0)
    along = tl.sum(grad * y, 1) / SIDE
    total = (grad - y * along[:, None]) * scale[:, None]
    hidden = total.to(x.dtype)
    tl.store(grad_hidden_ptr + place, hidden, mask=inside)
    for start in range(0, ALL, CHUNK):
        w = start + tl.arange(0, CHUNK)
        turned = w[None, :] * PADDED + k[:, None]
        straight = w[:, None] * PADDED + k[None, :]
        g = tl.dot(x, tl.load(gate_ptr + turned))
        u = tl.dot(x, tl.load(up_ptr + turned))
        grad_product = tl.dot(hidden, tl.load(down_ptr + turned))
        s = tl.sigmoid(g)
        silu = g * s
        grad_u = (grad_product * silu).to(x.dtype)
        grad_g = (grad_product * u * (s + silu * (1.0 - s))).to(x.dtype)
        kept = (n[:, None] < columns) & (w[None, :] < WIDTH)
        wide = n[:, None] * stride_n_wide + w[None, :] * stride_w_wide
        tl.store(grad_gate_up_ptr + wide, grad_g, mask=kept)
        tl.store(grad_gate_up_ptr + wide + WIDTH * stride_w_wide, grad_u, mask=kept)
        narrow = n[:, None] * stride_n_narrow + w[None, :] * stride_w
        tl.store(product_ptr + narrow, (silu * u).to(x.dtype), mask=kept)
        total = tl.dot(grad_g, tl.load(gate_ptr + straight), total)
        total = tl.dot(grad_u, tl.load(up_ptr + straight), total)
    tl.store(grad_x_ptr + place, total.to(x.dtype), mask=inside)


class _TiledSwigluNorm(Function):
    """See `swiglu_norm`. x and its like are (side, columns), or (columns, side) unless `along_length`."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        gate_up: Tensor,  # noqa: ARG004  # named, as `tiles` is a copy of both: gradients are theirs
        down: Tensor,
        tiles: Tensor,
        eps: float,
        along_length: bool,
    ) -> Tensor:
        """Return the half block's output, shaped as x."""
        side, columns = x.shape if along_length else x.shape[::-1]
        y, scale = torch.empty_like(x), x.new_empty(columns, dtype=torch.float32)
        strides = (columns, 1) if along_length else (1, side)
        _forward[(triton.cdiv(columns, _TILE),)](
            x,
            *tiles,
            y,
            scale,
            columns,
            *strides,
            eps,
            SIDE=side,
            PADDED=tiles.shape[2],
            WIDTH=tiles.shape[1],
            TILE=_TILE,
            CHUNK=_CHUNK,
            **_OPTIONS,
        )
        ctx.along_length = along_length
        ctx.save_for_backward(x, y, scale, tiles)
        ctx.width = down.shape[1]
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of x, gate_up and down."""
        x, y, scale, tiles = ctx.saved_tensors
        along_length: bool = ctx.along_length
        side, columns = x.shape if along_length else x.shape[::-1]
        width: int = ctx.width
        grad_x, grad_hidden = torch.empty_like(x), torch.empty_like(x)
        if along_length:
            grad_gate_up, product = x.new_empty(2 * width, columns), x.new_empty(width, columns)
            strides = (columns, 1, columns, 1, columns, 1)
        else:
            grad_gate_up, product = x.new_empty(columns, 2 * width), x.new_empty(columns, width)
            strides = (1, side, 1, 2 * width, 1, width)
        _backward[(triton.cdiv(columns, _TILE),)](
            grad.contiguous(),
            x,
            y,
            scale,
            *tiles,
            grad_x,
            grad_hidden,
            grad_gate_up,
            product,
            columns,
            *strides,
            SIDE=side,
            PADDED=tiles.shape[2],
            WIDTH=width,
            ALL=tiles.shape[1],
            TILE=_TILE,
            CHUNK=_CHUNK_BACK,
            **_OPTIONS,
        )
        if along_length:
            return grad_x, grad_gate_up @ x.t(), grad_hidden @ product.t(), None, None, None
        return grad_x, grad_gate_up.t() @ x, grad_hidden.t() @ product, None, None, None


class Tiles:
    """The weights of a SwiGLU as the kernels read them: gate, up and down's transpose, each (W, K).

    They have zeros up to sides that the kernels can take, and are copies: `refresh` brings them up to date.
    """

    def __init__(self, gate_up: Tensor, down: Tensor) -> None:
        self.gate_up, self.down = gate_up, down
        side, width = down.shape
        wide, high = max(triton.next_power_of_2(side), 16), -(-width // _CHUNK) * _CHUNK
        self.padded = gate_up.detach().new_zeros(3, high, wide)
        self.refresh()

    @torch.no_grad()
    def refresh(self) -> None:
        """Copy the weights as they are now."""
        side, width = self.down.shape
        self.padded[:2, :width, :side] = self.gate_up.view(2, width, side)
        self.padded[2, :width, :side] = self.down.t()


def swiglu_norm(x: Tensor, tiles: Tiles, eps: float, *, along_length: bool) -> Tensor:
    """Return rms(x + swiglu(x)) of x (N, D), or along the length of x (S, N); in 16-bit numbers.

    The side along which it works is at most `LONGEST`.
    """
    result: Tensor = _TiledSwigluNorm.apply(  # type: ignore[no-untyped-call]  # torch leaves it untyped
        x, tiles.gate_up, tiles.down, tiles.padded, eps, along_length
    )
    return result
