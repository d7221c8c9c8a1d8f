"""What a chart consists of, as characters without colours: lines, y axis with its marks, x axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from trm_tui.workbench.charts.curves import Points, columns
from trm_tui.workbench.charts.raster import Markers, Raster
from trm_tui.workbench.charts.ticks import Unit, labels, log_ticks, ticks, write

EMPTY, GRID, CURSOR = -1, -2, -3
"""Owners of cells that belong to no line."""

_NARROWEST_PLOT = 8  # columns; below, the y axis gives its room to the lines
_COLUMNS_PER_X_TICK = 10
_ROWS_PER_Y_TICK = 2.5
_ROOM = 0.04  # share of the range left free above and below
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
        count = max(int(self.rows / _ROWS_PER_Y_TICK), 1)
        if self.log_y:
            places = log_ticks(bottom, top, count)
            words = [write(10**place, self.y_unit) for place in places]
        else:
            places = ticks(bottom, top, count)
            words = labels(places, self.y_unit)
        rows = [round((top - place) / (top - bottom) * (self.rows - 1)) for place in places]
        return dict(zip(rows, words, strict=True))

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
        room = (top - bottom) * _ROOM
        bottom -= room if lowest is None else 0
        top += room if highest is None else 0
        return _opened(bottom, top)

    @cached_property
    def _raster(self) -> Raster:
        raster = Raster(self.columns, self.rows, self.markers)
        bottom, top = self._limits
        scale = (raster.dots_down - 1) / (top - bottom)
        level = math.log10 if self.log_y else float

        def row_of(value: float) -> int:
            return round((top - level(value)) * scale)

        for owner in range(len(self.lines) - 1, -1, -1):
            raster.draw(owner, columns(self.lines[owner], self.window, raster.dots_across), row_of)
        return raster

    def _cell(self, column: int, row: int, cursor: int | None) -> tuple[str, int]:
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
