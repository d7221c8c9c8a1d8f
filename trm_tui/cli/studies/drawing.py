"""Charts of studies drawn with characters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trm_tui.cli.terminal.chart import Line, draw_chart
from trm_tui.workbench.charts.ticks import labels, ticks

if TYPE_CHECKING:
    from trm_engine.studies.reporting.charts import Chart, Series

_FEW = 8


def draw_in_terminal(chart: Chart, *, width: int, height: int, colour: bool) -> str:
    """Return a chart as text: points with their intervals as upright lines, laws as lines."""
    lines: list[Line] = []
    bars: list[Line] = []
    for series in chart.series:
        x, y = _logs(series.x, chart.x_log), _logs(series.y, chart.y_log)
        lines.append(Line(series.label, x, y, dots=series.kind != "line"))
        if series.kind == "points":
            bars += _bars(series, x, chart)
    return draw_chart(
        [*lines, *bars],
        title=chart.title,
        x_title=chart.x_title,
        y_title=chart.y_title + (", log10" if chart.y_log else ""),
        y_unit="percent" if chart.percent else "number",
        width=width,
        height=height,
        colour=colour,
        x_marks=_marks(chart, max(2, width // 14)),
    )


def _bars(series: Series, x: Sequence[float], chart: Chart) -> list[Line]:
    return [
        Line("", [at, at], _logs([low, high], chart.y_log))
        for at, low, high in zip(x, series.low, series.high, strict=False)
        if math.isfinite(high) and high > low
    ]


def _marks(chart: Chart, count: int) -> Mapping[float, str] | None:
    if chart.categories:
        return {float(at): name for at, name in enumerate(chart.categories)}
    if not chart.x_log:
        return None
    values = sorted({x for series in chart.series if series.kind == "points" for x in series.x})
    if not 0 < len(values) <= _FEW:
        every = [x for series in chart.series for x in series.x if x > 0]
        low, high = math.log10(min(every)), math.log10(max(every))
        values = [10**place for place in ticks(low, high, count, "number")]
    return dict(zip(_logs(values, True), labels(values, "number"), strict=True))


def _logs(values: Sequence[float], log: bool) -> list[float]:
    return [math.log10(value) if value > 0 else math.nan for value in values] if log else [*values]
