"""A line chart: the only place that knows how curves become characters.

The drawing (`raster`) is our own, because no library serves here. Measured with a training thread beside
it, on 70×14 cells and 280 points: plotext 6.1 takes 56 ms a chart, since each point is a call into C that
gives up the interpreter's lock and waits for it again, and it has no wheels for Linux on ARM; plotext 5.3
takes 9–18 ms, is no longer worked on, and raises on infinities and on 0 with a log axis; textual-plot needs
NumPy 2, which the torch for Intel Macs does not bear, and has no log axis. This takes about 2 ms and needs
nothing.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from trm_tui.tui.common.colours import style_of
from trm_tui.tui.common.legend import Legend
from trm_tui.tui.common.panel import Rows
from trm_tui.tui.common.series import Line, Series, View
from trm_tui.workbench.charts.chart_lines import CURSOR, EMPTY, GRID, Plot
from trm_tui.workbench.charts.curves import best_of, finite, nearest, smoothed
from trm_tui.workbench.charts.raster import Markers
from trm_tui.workbench.charts.ticks import Unit

_WHEEL = 0.8  # share of the window that a notch of the mouse wheel leaves
_ROOM_TO_GROW = 1 / 16  # share of the axis that may lie beyond the last point
_BEST = "★"
_NARROWEST = 1e-3  # share of all there is that the window can be zoomed to


class Chart(Rows, can_focus=True):
    """Shows lines over one x axis. The screen's keys call `zoom`, `pan`, `reset_window` and `move_cursor`."""

    DEFAULT_CSS = """
    Chart {
        border: round $border-blurred; border-title-color: $text; border-subtitle-color: $text-muted;
        background: $background; color: $foreground; padding: 0; height: 1fr;
        &:focus { border: round $border; border-title-style: bold; }
    }
    """

    class Read(Message):
        """The reading cursor was put somewhere with the mouse."""

        def __init__(self, chart: Chart, x: float) -> None:
            super().__init__()
            self.chart, self.x = chart, x

    markers: reactive[Markers] = reactive("braille")

    def __init__(self, *, id: str | None = None, empty: str = "no points yet") -> None:  # noqa: A002  # Textual's
        super().__init__(id=id)
        self._empty = empty
        self._series: tuple[Series, ...] = ()
        self._view = View()
        self._lines: list[Line] = []
        self._window: tuple[float, float] | None = None
        self._cursor: float | None = None
        self._strips: list[Strip] = []
        self._drawn: object = None

    # --- what to show -------------------------------------------------------------------------------------

    def show(
        self,
        series: Sequence[Series],
        *,
        title: str = "",
        x_axis: str = "step",
        x_unit: Unit = "number",
        y_unit: Unit = "number",
        log_y: bool = False,
        smoothing: float = 0.0,
        y_range: tuple[float | None, float | None] = (None, None),
        note: str = "",
    ) -> None:
        """Show these lines; the window (zoom) and the cursor stay as they are. Cheap when nothing is new.

        `smoothing` is the weight of the past: the points themselves stay visible behind the smoothed line.
        `y_range` holds limits of the y axis where they are not left to the data; `note` stands below.
        """
        view = View(title, x_axis, x_unit, y_unit, log_y, smoothing, y_range, note)
        if view == self._view and self._same(series):
            return
        if view.x_axis != self._view.x_axis:
            self._window = self._cursor = None
        self._series, self._view = tuple(series), view
        self._lines = [self._prepared(line) for line in series]
        self._redraw()

    @property
    def window(self) -> tuple[float, float]:
        """The visible part of the x axis: without a zoom all there is, and some room to grow into."""
        first, last = self._extent()
        return self._window or (first, _rounded_up(first, last))

    def zoom(self, factor: float) -> None:
        """Make the visible part `factor` times as wide, around the cursor or towards its end."""
        first, last = self._extent()
        low, high = self._window or (first, last)
        width = (high - low) * factor
        if width >= last - first or last <= first:
            return self.reset_window()
        width = max(width, (last - first) * _NARROWEST)
        fixed = self._cursor if self._cursor is not None else high
        share = (fixed - low) / (high - low) if high > low else 1.0
        return self._look_at(fixed - share * width, width)

    def pan(self, share: float) -> None:
        """Move the visible part by a share of its width."""
        low, high = self.window
        if self._window is not None:
            self._look_at(low + share * (high - low), high - low)

    def reset_window(self) -> None:
        """Show everything again, and follow the end."""
        self._window = None
        self._redraw()

    def move_cursor(self, cells: int) -> float | None:
        """Move the reading cursor from record to record, and return where it is; None without points.

        The frame shows the values there. Its first place is the right end; a move goes on by at least one
        record, and by a cell of the picture where records are denser.
        """
        low, high = self.window
        xs = next((line.raw[0] for line in self._lines if line.raw[0]), ())
        seen = [x for x in xs if low <= x <= high]
        if not seen:
            return None
        if self._cursor is None:
            place = len(seen) - 1
        else:
            step = (high - low) / max(self._plot().columns - 1, 1)
            now = nearest(seen, self._cursor) or 0
            place = nearest(seen, seen[now] + cells * step) or 0
            place = min(max(place, 0), len(seen) - 1)
            if place == now and cells:
                place = min(max(now + (1 if cells > 0 else -1), 0), len(seen) - 1)
        self.put_cursor(seen[place])
        return seen[place]

    def put_cursor(self, x: float) -> None:
        """Show the values at a place: those of the records nearest to it."""
        self._cursor = x
        self._redraw()

    @property
    def cursor(self) -> float | None:
        """Where the reading cursor is."""
        return self._cursor

    @property
    def is_zoomed(self) -> bool:
        """Whether less than all is shown."""
        return self._window is not None

    @property
    def is_empty(self) -> bool:
        """Whether there is no point to show."""
        return not any(line.points[0] for line in self._lines)

    @property
    def has_cursor(self) -> bool:
        """Whether the reading cursor is shown."""
        return self._cursor is not None

    def hide_cursor(self) -> None:
        """Take the cursor away."""
        self._cursor = None
        self._redraw()

    # --- drawing ------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Return one line of the picture, drawn anew when size, colours or content have changed."""
        if self._drawn != self._look():
            self._strips = self._picture()
            self._drawn = self._look()
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def on_click(self, event: Click) -> None:
        """Put the reading cursor where the mouse is."""
        plot, (low, high) = self._plot(), self.window
        column = event.get_content_offset_capture(self).x - plot.axis_width
        if self._lines and high > low and 0 <= column < plot.columns:
            at = low + (high - low) * column / max(plot.columns - 1, 1)
            xs = next((line.raw[0] for line in self._lines if line.raw[0]), ())
            place = nearest(xs, at)
            if place is not None:
                self.put_cursor(xs[place])
                self.post_message(self.Read(self, xs[place]))

    def on_mouse_scroll_up(self) -> None:
        """Zoom in."""
        self.zoom(_WHEEL)

    def on_mouse_scroll_down(self) -> None:
        """Zoom out."""
        self.zoom(1 / _WHEEL)

    def on_resize(self) -> None:
        """Fit the title anew."""
        self._redraw()

    def watch_markers(self) -> None:
        """Draw anew with other characters."""
        self._redraw()

    def _look(self) -> object:
        """Return what the picture depends on beside the series."""
        return self.size, self.markers, self.app.theme, self.visual_style

    def _redraw(self) -> None:
        if self._drawn is None or self._drawn != self._look():
            self._drawn = None
            self.refresh()
        else:
            before, self._strips = self._strips, self._picture()
            self.draw_rows(before, self._strips)
        legend = Legend(
            self._view, self._lines, self._cursor, self.window[1], self.is_zoomed, self.size.width - 4
        )
        self.entitle(legend.title(), legend.subtitle())

    def _same(self, series: Sequence[Series]) -> bool:
        # Curves are shared between snapshots while they do not change, so identity is enough, and cheap.
        return len(series) == len(self._series) and all(
            a.name == b.name and a.colour == b.colour and a.x is b.x and a.y is b.y
            for a, b in zip(series, self._series, strict=True)
        )

    def _prepared(self, series: Series) -> Line:
        points = finite(series.x, series.y, positive=self._view.log_y)
        if not (self._view.smoothing and series.smooth and len(points[1]) > 2):
            return Line(series, points, None)
        return Line(series, (points[0], smoothed(points[1], self._view.smoothing)), points)

    def _extent(self) -> tuple[float, float]:
        ends = [(line.points[0][0], line.points[0][-1]) for line in self._lines if line.points[0]]
        return (min(a for a, _ in ends), max(b for _, b in ends)) if ends else (0.0, 0.0)

    def _look_at(self, low: float, width: float) -> None:
        first, last = self._extent()
        low = min(max(low, first), last - width)
        self._window = (low, low + width)
        self._redraw()

    def _plot(self) -> Plot:
        """Return the picture without colours: the lines on top, then the points behind smoothed ones."""
        view = self._view
        behind = [line.behind for line in self._lines if line.behind is not None]
        return Plot(
            lines=[*(line.points for line in self._lines), *behind],
            window=self.window,
            width=self.size.width,
            height=self.size.height,
            markers=self.markers,
            log_y=view.log_y,
            x_unit=view.x_unit,
            y_unit=view.y_unit,
            y_range=view.y_range,
            signs=tuple(self._signs()),
        )

    def _signs(self) -> Iterator[tuple[int, float, float, str]]:
        """Yield what is drawn at points: the best of a line, and an overlay's letter at its end."""
        high = self.window[1]
        for owner, line in enumerate(self._lines):
            best = best_of(line.points, highest=line.series.best == "highest") if line.series.best else None
            if best is not None:
                yield owner, *best, _BEST
            xs, ys = line.points
            end = bisect_right(xs, high) - 1
            if line.series.letter and end >= 0:
                yield owner, xs[end], ys[end], line.series.letter

    def _picture(self) -> list[Strip]:
        base = self.visual_style.rich_style
        muted, faint = base + style_of(self, "text-muted"), base + style_of(self, "border-blurred")
        if not any(line.points[0] for line in self._lines):
            return self._no_picture(base, muted)
        plot = self._plot()
        styles = self._styles(base, faint)
        strips = []
        for row in range(plot.rows):
            segments = [Segment(text, styles[owner]) for text, owner in plot.row(row, self._cursor)]
            if plot.axis_width:
                label = plot.marks.get(row, "").rjust(plot.axis_width - 1)
                axis = "┤" if row in plot.marks else "│"
                segments = [Segment(label, muted), Segment(axis, faint), *segments]
            strips.append(Strip(segments, plot.axis_width + plot.columns))
        if self.size.height > 1:
            strips.append(Strip([Segment(plot.x_labels, muted)], len(plot.x_labels)))
        return strips

    def _styles(self, base: Style, faint: Style) -> dict[int, Style]:
        """Return the style of each owner of cells in the plot."""
        colours = [line.series.colour for line in self._lines]
        behind = [line.series.colour for line in self._lines if line.behind is not None]
        drawn = [style_of(self, colour) for colour in colours]
        drawn += [style_of(self, colour, faint=True) for colour in behind]
        styles = {owner: base + style for owner, style in enumerate(drawn)}
        return {**styles, EMPTY: base, GRID: faint, CURSOR: base + style_of(self, "accent")}

    def _no_picture(self, base: Style, muted: Style) -> list[Strip]:
        lines = [Strip.blank(self.size.width, base)] * self.size.height
        if lines:
            text = self._empty[: self.size.width].center(self.size.width)
            lines[len(lines) // 2] = Strip([Segment(text, muted)])
        return lines


def _rounded_up(first: float, last: float) -> float:
    """Return an end of the axis at or a little above `last`: the same for a while as the curve grows."""
    if last <= first:
        return last
    rough = (last - first) * _ROOM_TO_GROW
    power = 10.0 ** math.floor(math.log10(rough))
    step = max(factor * power for factor in (1, 2, 5) if factor * power <= rough)
    return max(last, math.ceil(last / step * (1 - 1e-12)) * step)
