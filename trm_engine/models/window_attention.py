"""Sparse attention: a cell of a grid sees the window around it and the prefix, the prefix sees everything.

Computed tile by tile (`trm_engine.compute.windows`): the scores of a tile stay in the processor's cache, and
are computed again for the backward pass, which keeps queries, keys and values alone. The cost grows with the
cells of the grid, and not with their square.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function

from trm_engine.compute.windows import Tile, tiles


class Windows(nn.Module):
    """Which positions see which: `prefix` positions, then the cells of a grid, row by row.

    `window` is the side of the square around a cell that it sees, as far as the grid goes.
    """

    def __init__(self, grid: tuple[int, int], window: int, prefix: int) -> None:
        super().__init__()
        self.grid, self.prefix, self.reach = grid, prefix, window // 2
        self.tiles = list(tiles(grid, window))
        self._masks: list[str] = []
        known: dict[tuple[object, ...], str] = {}
        for tile in self.tiles:
            # Tiles that are alike share a mask: hardly more than nine differ.
            seen = tile.rows.sees(self.reach), tile.cols.sees(self.reach)
            key = tuple(tuple(map(tuple, part)) for part in seen)
            if key not in known:
                known[key] = f"mask{len(known)}"
                self.register_buffer(known[key], _mask(*seen, prefix), persistent=False)
            self._masks.append(known[key])

    def masks(self) -> list[Tensor]:
        """Return for each tile what is added to its scores (cells, prefix + cells seen): 0, or −∞."""
        return [getattr(self, name) for name in self._masks]

    def allowed(self) -> Tensor:
        """Return all pairs as booleans (S, S): whether the first sees the second."""
        rows, cols = (torch.arange(length) for length in self.grid)
        near_rows = (rows[:, None] - rows).abs() <= self.reach
        near_cols = (cols[:, None] - cols).abs() <= self.reach
        cells = self.grid[0] * self.grid[1]
        found = torch.ones(self.prefix + cells, self.prefix + cells, dtype=torch.bool)
        near = near_rows[:, None, :, None] & near_cols[None, :, None, :]
        found[self.prefix :, self.prefix :] = near.reshape(cells, cells)
        return found

    def own(self, tensor_SNd: Tensor, tile: Tile) -> Tensor:
        """Return a view of a tile's cells: (rows, columns, N, d)."""
        rows, cols = tile.rows, tile.cols
        return self._cells(tensor_SNd)[rows.start : rows.stop, cols.start : cols.stop]

    def seen(self, tensor_SNd: Tensor, tile: Tile) -> Tensor:
        """Return a view of the cells that a tile's cells see: (rows, columns, N, d)."""
        rows, cols = tile.rows, tile.cols
        return self._cells(tensor_SNd)[rows.first : rows.last, cols.first : cols.last]

    def with_prefix(self, tensor_SNd: Tensor, tile: Tile) -> Tensor:
        """Return the prefix and what a tile's cells see (N, K, d)."""
        seen = self.seen(tensor_SNd, tile).flatten(0, 1)
        return torch.cat((tensor_SNd[: self.prefix], seen)).transpose(0, 1)

    def _cells(self, tensor_SNd: Tensor) -> Tensor:
        return tensor_SNd[self.prefix :].view(*self.grid, *tensor_SNd.shape[1:])


def _mask(rows: list[list[bool]], cols: list[list[bool]], prefix: int) -> Tensor:
    near_rows, near_cols = torch.tensor(rows), torch.tensor(cols)
    near = near_rows[:, None, :, None] & near_cols[None, :, None, :]
    near = near.reshape(len(rows) * len(cols), -1)
    seen = torch.cat((near.new_ones(len(near), prefix), near), 1)
    return torch.zeros(seen.shape).masked_fill(~seen, float("-inf"))


class _WindowAttention(Function):
    """See `window_attention`; tensors are (S, N, d), where N counts the heads of all rows."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, windows: Windows) -> Tensor:
        """Return the mixed values."""
        ctx.windows = windows
        ctx.save_for_backward(query, key, value)
        mixed = torch.empty_like(query)
        for tile, mask in zip(windows.tiles, windows.masks(), strict=True):
            own = windows.own(query, tile)
            weights = _weights(_by_head(own), windows.with_prefix(key, tile), mask)
            found = torch.bmm(weights, windows.with_prefix(value, tile))
            windows.own(mixed, tile).copy_(found.transpose(0, 1).view(own.shape))
        if windows.prefix:
            first = query[: windows.prefix].transpose(0, 1)
            weights = _weights(first, key.transpose(0, 1), None)
            mixed[: windows.prefix] = torch.bmm(weights, value.transpose(0, 1)).transpose(0, 1)
        return mixed

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of queries, keys and values."""
        query, key, value = ctx.saved_tensors
        windows: Windows = ctx.windows
        prefix = windows.prefix
        grads = torch.empty_like(query), torch.zeros_like(key), torch.zeros_like(value)
        for tile, mask in zip(windows.tiles, windows.masks(), strict=True):
            own = windows.own(query, tile)
            given = _by_head(own), windows.with_prefix(key, tile), windows.with_prefix(value, tile)
            of_query, *of_seen = _backward(*given, mask, _by_head(windows.own(grad, tile)))
            windows.own(grads[0], tile).copy_(of_query.transpose(0, 1).view(own.shape))
            for whole, part in zip(grads[1:], of_seen, strict=True):
                part = part.transpose(0, 1)
                whole[:prefix] += part[:prefix]
                seen = windows.seen(whole, tile)
                seen += part[prefix:].reshape(seen.shape)
        if prefix:
            given = query[:prefix].transpose(0, 1), key.transpose(0, 1), value.transpose(0, 1)
            of_query, *of_seen = _backward(*given, None, grad[:prefix].transpose(0, 1))
            grads[0][:prefix] = of_query.transpose(0, 1)
            for whole, part in zip(grads[1:], of_seen, strict=True):
                whole += part.transpose(0, 1)
        return *grads, None


def _by_head(cells: Tensor) -> Tensor:
    """Return cells (rows, columns, N, d) as (N, cells, d)."""
    return cells.flatten(0, 1).transpose(0, 1)


def _weights(query: Tensor, key: Tensor, mask: Tensor | None) -> Tensor:
    """Return the softmax of the scores of (N, Q, d) and (N, K, d), in their type: (N, Q, K)."""
    scores = torch.bmm(query * query.shape[-1] ** -0.5, key.transpose(1, 2))
    wide = scores if scores.dtype == torch.float64 else scores.float()
    if mask is not None:
        wide = wide.add_(mask)
    return torch.softmax(wide, -1).to(query.dtype)


def _backward(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, grad: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of queries, keys and values (N, …, d)."""
    weights = _weights(query, key, mask)
    of_value = torch.bmm(weights.transpose(1, 2), grad)
    of_weights = torch.bmm(grad, value.transpose(1, 2))
    of_scores = torch.ops.aten._softmax_backward_data(of_weights, weights, -1, weights.dtype)
    of_scores = of_scores * query.shape[-1] ** -0.5
    return torch.bmm(of_scores, key), torch.bmm(of_scores.transpose(1, 2), query), of_value


def window_attention(query_SBHd: Tensor, key_SBHd: Tensor, value_SBHd: Tensor, windows: Windows) -> Tensor:
    """Return the values (S, B, H, d) that each position mixes of those it sees."""
    parts = (part.reshape(len(part), -1, part.shape[-1]) for part in (query_SBHd, key_SBHd, value_SBHd))
    mixed: Tensor = _WindowAttention.apply(*parts, windows)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return mixed.view(query_SBHd.shape)
