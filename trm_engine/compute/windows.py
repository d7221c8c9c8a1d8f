"""How a grid is cut into tiles, so that cells need be compared only with those near them.

Cells of one tile see the windows around them, which lie in one rectangle: a product of the tile's cells with
the rectangle's holds all pairs that are wanted, and few that are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

_TILE = 6
"""Side of a tile at least. Smaller ones have fewer pairs in vain, and more rectangles to fetch."""


@dataclass(frozen=True)
class Span:
    """Along one axis of a grid: cells [start, stop), and all cells that they see, [first, last)."""

    start: int
    stop: int
    first: int
    last: int

    def sees(self, reach: int) -> list[list[bool]]:
        """Return for each of its cells which of [first, last) are at most `reach` away."""
        return [
            [abs(seen - own) <= reach for seen in range(self.first, self.last)]
            for own in range(self.start, self.stop)
        ]


@dataclass(frozen=True)
class Tile:
    """A rectangle of cells, by their rows and columns."""

    rows: Span
    cols: Span

    @property
    def pairs(self) -> int:
        """Pairs of one of its cells with one in the rectangle that they see."""
        own = (self.rows.stop - self.rows.start) * (self.cols.stop - self.cols.start)
        return own * (self.rows.last - self.rows.first) * (self.cols.last - self.cols.first)


def tiles(grid: tuple[int, int], window: int) -> Iterator[Tile]:
    """Yield the tiles of a grid (rows, columns); `window`: side of the window around a cell."""
    rows, cols = (list(_spans(length, window // 2)) for length in grid)
    for row in rows:
        for col in cols:
            yield Tile(row, col)


def pairs(grid: tuple[int, int], window: int, prefix: int) -> int:
    """Return the pairs of positions that are compared; those of the prefix and all others see each other."""
    cells = grid[0] * grid[1]
    return sum(tile.pairs for tile in tiles(grid, window)) + prefix * (2 * cells + prefix)


def _spans(length: int, reach: int) -> Iterator[Span]:
    """Yield parts of an axis, as equal as can be."""
    count = max(length // _TILE, 1)
    bounds = [length * number // count for number in range(count + 1)]
    for start, stop in pairwise(bounds):
        yield Span(start, stop, max(start - reach, 0), min(stop + reach, length))
