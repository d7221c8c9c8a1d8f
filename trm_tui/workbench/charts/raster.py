"""Lines as characters: a grid of dots, eight to a cell in braille, or two where a font has no braille."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from trm_tui.workbench.charts.curves import Column

Markers = Literal["braille", "blocks"]

# Bits of the dots of a braille cell, [row][column], as Unicode numbers them.
_BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_HALVES = " ▀▄█"


class Raster:
    """Dots of several lines; a cell has the colour of the last line that was drawn through it."""

    def __init__(self, width: int, height: int, markers: Markers) -> None:
        self.width, self.height = width, height
        self.markers = markers
        self._across, self._down = self.dots_in(markers)
        self._bits = [0] * (width * height)
        self._owner = [-1] * (width * height)

    @staticmethod
    def dots_in(markers: Markers) -> tuple[int, int]:
        """Return how many dots a cell has across and down."""
        return (2, 4) if markers == "braille" else (1, 2)

    @property
    def dots_across(self) -> int:
        """Pixel columns."""
        return self.width * self._across

    @property
    def dots_down(self) -> int:
        """Pixel rows."""
        return self.height * self._down

    def draw(self, owner: int, line: Mapping[int, Column], row_of: Callable[[float], int]) -> None:
        """Draw a line given by pixel column; `row_of` says in which pixel row a value lies (0 on top)."""
        before: tuple[int, int] | None = None
        for column in sorted(line):
            at = line[column]
            first = row_of(at.first)
            if before is not None:
                self._connect(owner, *before, column, first)
            self._fill(owner, column, row_of(at.high), row_of(at.low))
            before = column, row_of(at.last)

    def cell(self, column: int, row: int) -> tuple[str, int]:
        """Return a cell's character and the line it belongs to; a space and −1 where there is none."""
        place = row * self.width + column
        bits = self._bits[place]
        if not bits:
            return " ", -1
        return chr(0x2800 + bits) if self._across == 2 else _HALVES[bits], self._owner[place]

    def _connect(self, owner: int, x0: int, y0: int, x1: int, y1: int) -> None:
        """Join two points with a line, each column as high as the line is steep."""
        span = x1 - x0
        low = y0
        for x in range(x0 + 1, x1 + 1):
            high = y0 + round((y1 - y0) * (x - x0) / span)
            step = (high > low) - (high < low)
            self._fill(owner, x, low + step, high)
            low = high

    def _fill(self, owner: int, x: int, y0: int, y1: int) -> None:
        if not 0 <= x < self.dots_across:
            return
        top, bottom = max(min(y0, y1), 0), min(max(y0, y1), self.dots_down - 1)
        for y in range(top, bottom + 1):
            place = (y // self._down) * self.width + x // self._across
            bit = _BRAILLE[y % 4][x % 2] if self._across == 2 else 1 << (y % 2)
            self._bits[place] |= bit
            self._owner[place] = owner
