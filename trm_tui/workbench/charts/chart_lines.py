"""What a chart consists of, as characters without colours: lines, y axis with its marks, x axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from trm_tui.workbench.charts.curves import Points, columns
from trm_tui.workbench.charts.raster import Markers, Raster
from trm_tui.workbench.charts.ticks import Unit, labels, log_ticks, step_of, ticks, write

EMPTY, GRID, CURSOR = -1, -2, -3
"""Owners of cells that belong to no line."""

_NARROWEST_PLOT = 8  # columns; below, the y axis gives its room to the lines
_COLUMNS_PER_X_TICK = 10
_ROWS_PER_Y_TICK = 2.5
_FEWEST_Y_TICKS = 2
_ROOM = 0.04  # share of the range left free above and below, on a log axis
_SAMPLED_COLUMNS = 64


@dataclass(frozen=True)
class Plot:
    """Lines over a window of the x axis, in `width` × `height` cells, axes included."""

    lines: Sequence[Points]
    """The first is drawn on top."""
    window: tuple[float, float]
    width: int
    height: int
    markers: Markers
    log_y: bool = False
    x_unit: Unit = "number"
    y_unit: Unit = "number"
    y_range: tuple[float | None, float | None] = (None, None)
    """Limits of the y axis where they are not left to the data."""
    signs: Sequence[tuple[int, float, float, str]] = ()
    """Characters to be drawn at points: the line they belong to, x, y, and the character."""

    @property
    def rows(self) -> int:
        """Rows of cells for the lines; the x axis has one below."""
        return max(self.height - 1, 1)

    @property
    def columns(self) -> int:
        """Columns of cells for the lines."""
        return max(self.width - self.axis_width, 1)

    @cached_property
    def axis_width(self) -> int:
        """Columns of the y axis with its labels; 0 where there is no room for them."""
        wide = max((len(label) for label in self.marks.values()), default=0) + 1
        return wide if self.width - wide >= _NARROWEST_PLOT else 0

    @cached_property
    def marks(self) -> dict[int, str]:
        """The labels of the y axis by row."""
        bottom, top = self._limits
        if self.log_y:
            places = log_ticks(bottom, top, self._y_ticks)
            words = [write(10**place, self.y_unit) for place in places]
        else:
            places = ticks(bottom, top, self._y_ticks)
            words = labels(places, self.y_unit)
        # In the cell of the dots that lines of this value are drawn with: a line never runs beside its mark.
        rows = [self._row_of(10**place if self.log_y else place) for place in places]
        return dict(zip(rows, words, strict=True))

    @property
    def _y_ticks(self) -> int:
        return max(int(self.rows / _ROWS_PER_Y_TICK), _FEWEST_Y_TICKS)

    def row(self, row: int, cursor: float | None = None) -> list[tuple[str, int]]:
        """Return a row of cells as runs of text with their owner: a line's number, or one of the above."""
        at = self._column_of(cursor)
        cells = [self._cell(column, row, at) for column in range(self.columns)]
        runs = groupby(cells, key=lambda cell: cell[1])
        return [("".join(sign for sign, _ in run), owner) for owner, run in runs]

    @cached_property
    def x_labels(self) -> str:
        """The row below the lines."""
        low, high = self.window
        line = [" "] * (self.axis_width + self.columns)
        free_from = 0
        for tick in ticks(low, high, max(self.columns // _COLUMNS_PER_X_TICK, 1), self.x_unit):
            label = write(tick, self.x_unit)
            at = self.axis_width + (self._column_of(tick) or 0)
            start = min(max(at - len(label) // 2, free_from), len(line) - len(label))
            if start >= free_from:
                line[start : start + len(label)] = label
                free_from = start + len(label) + 2
        return "".join(line)

    @cached_property
    def _limits(self) -> tuple[float, float]:
        """Bottom and top of the y axis; decimal logarithms on a log axis."""
        seen: list[float] = []
        for points in self.lines:
            for column in columns(points, self.window, _SAMPLED_COLUMNS).values():
                seen += (column.low, column.high)
        bottom, top = (min(seen), max(seen)) if seen else (0.0, 1.0)
        if self.log_y:
            return _opened(math.log10(bottom), math.log10(top)) if seen else (0.0, 1.0)
        lowest, highest = self.y_range
        bottom = bottom if lowest is None else min(bottom, lowest)
        top = top if highest is None else max(top, highest)
        bottom, top = _opened(bottom, top)
        # To the next marks: the ends of the axis are numbers that can be read.
        step = step_of(bottom, top, self._y_ticks, self.y_unit)
        if lowest is None:
            bottom = math.floor(bottom / step + 1e-9) * step
        if highest is None:
            top = math.ceil(top / step - 1e-9) * step
        return bottom, top

    @cached_property
    def _raster(self) -> Raster:
        raster = Raster(self.columns, self.rows, self.markers)
        for owner in range(len(self.lines) - 1, -1, -1):
            drawn = columns(self.lines[owner], self.window, raster.dots_across)
            raster.draw(owner, drawn, lambda value: self._dot_of(value, raster.dots_down))
        return raster

    def _dot_of(self, value: float, dots: int) -> int:
        """Return the row of dots of a value, 0 on top."""
        bottom, top = self._limits
        level = math.log10(value) if self.log_y else value
        return round((top - level) / (top - bottom) * (dots - 1))

    def _row_of(self, value: float) -> int:
        """Return the row of cells of a value."""
        dots = Raster.dots_in(self.markers)[1]
        return self._dot_of(value, self.rows * dots) // dots

    @cached_property
    def _signs(self) -> dict[tuple[int, int], tuple[str, int]]:
        """The characters at points, by column and row; the first of two in one cell stays."""
        found: dict[tuple[int, int], tuple[str, int]] = {}
        for owner, x, y, sign in self.signs:
            column = self._column_of(x)
            if column is not None and (y > 0 or not self.log_y):
                found.setdefault((column, self._row_of(y)), (sign, owner))
        return found

    def _cell(self, column: int, row: int, cursor: int | None) -> tuple[str, int]:
        if (marked := self._signs.get((column, row))) is not None:
            return marked
        sign, owner = self._raster.cell(column, row)
        if owner >= 0:
            return sign, owner
        if column == cursor:
            return "│", CURSOR
        return ("┈", GRID) if row in self.marks else (" ", EMPTY)

    def _column_of(self, x: float | None) -> int | None:
        low, high = self.window
        if x is None or not low <= x <= high or high <= low:
            return None
        return round((x - low) / (high - low) * (self.columns - 1))


def _opened(bottom: float, top: float) -> tuple[float, float]:
    """Return limits with room between them."""
    if top > bottom:
        return bottom, top
    room = abs(top) * 0.1 or 1.0
    return bottom - room, top + room
