"""Charts drawn with matplotlib: SVG or PNG, the same bytes for the same numbers."""

from __future__ import annotations

import importlib.util
import io
from typing import TYPE_CHECKING, Any, Literal

from trm_engine.errors import UsageError
from trm_engine.studies.reporting.charts import Chart, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Format = Literal["svg", "png"]
_STYLE: Any = {  # releases of matplotlib type its names differently
    "svg.hashsalt": "trm-tui",
    "svg.fonttype": "none",  # text stays text: small files, and words that can be searched
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e8",
    "axes.axisbelow": True,
    "legend.frameon": False,
}
# Okabe and Ito: told apart by people who are colour-blind.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555", "#8c6d31")
_DASHES = ("-", "--", ":", "-.")
_SIZE = (6.4, 3.8)
_MANY = 6
"""Series beyond which the legend stands beside the chart."""


def require_matplotlib() -> None:
    """Raise `UsageError` where matplotlib is not installed."""
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError(
            "figures of studies are drawn with matplotlib, which is not installed: "
            "pip install 'trm-tui[studies]'"
        )


def draw(chart: Chart, form: Format = "svg") -> bytes:
    """Return a chart as the bytes of a file. Raises `UsageError` without matplotlib."""
    require_matplotlib()
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=_SIZE, dpi=150)
        (FigureCanvasSVG if form == "svg" else FigureCanvasAgg)(figure)
        axes = figure.add_axes(_room(chart))
        for number, series in enumerate(chart.series):
            _draw_series(axes, series, number)
        _finish(axes, chart)
        out = io.BytesIO()
        # Neither the date nor the version belongs into a file that is to be the same tomorrow.
        metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
        figure.savefig(out, format=form, metadata=metadata)
    return out.getvalue()


def _room(chart: Chart) -> tuple[float, float, float, float]:
    """Return left, bottom, width and height of the axes; a layout engine would draw everything twice."""
    bottom = 0.26 if chart.categories else 0.14
    return 0.11, bottom, 0.64 if len(chart.series) > _MANY else 0.86, 0.91 - bottom


def _draw_series(axes: Axes, series: Series, number: int) -> None:
    colour = _COLOURS[number % len(_COLOURS)]
    if series.kind == "dots":
        axes.plot(series.x, series.y, ".", color="#888888", markersize=4, label=series.label, zorder=1.5)
    elif series.kind == "line":
        dash = _DASHES[number // len(_COLOURS) % len(_DASHES)]
        axes.plot(series.x, series.y, dash, color=colour, linewidth=1.4, label=series.label)
        if series.low:
            axes.fill_between(series.x, series.low, series.high, color=colour, alpha=0.15, linewidth=0)
    else:
        errors = None
        if series.low:
            below = [max(y - low, 0.0) for y, low in zip(series.y, series.low, strict=True)]
            above = [max(high - y, 0.0) for y, high in zip(series.y, series.high, strict=True)]
            errors = [below, above]
        axes.errorbar(
            series.x,
            series.y,
            yerr=errors,
            fmt="o",
            color=colour,
            markersize=4.5,
            capsize=2.5,
            label=series.label,
        )


def _finish(axes: Axes, chart: Chart) -> None:
    from matplotlib.ticker import NullFormatter, PercentFormatter

    axes.set_title(chart.title, fontsize=10, loc="left")
    axes.set_xlabel(chart.x_title)
    axes.set_ylabel(chart.y_title)
    if chart.x_log:
        axes.set_xscale("log")
        _mark_values(axes, chart)
    if chart.y_log:
        axes.set_yscale("log")
    if chart.percent:
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    if chart.categories:
        axes.set_xticks(range(len(chart.categories)), chart.categories, rotation=25, ha="right")
        axes.set_xlim(-0.5, len(chart.categories) - 0.5)
        axes.xaxis.set_minor_formatter(NullFormatter())
    if chart.zero:
        axes.axhline(0.0, color="#555555", linewidth=0.8)
    for words, at in chart.marked.items():
        first = chart.series[0]
        axes.annotate(
            words,
            (first.x[int(at)], first.y[int(at)]),
            xytext=(4, -9),
            textcoords="offset points",
            fontsize=6.5,
        )
    if len(chart.series) > _MANY:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7.5)
    elif len(chart.series) > 1:
        axes.legend(fontsize=7.5)


def _mark_values(axes: Axes, chart: Chart) -> None:
    """Name the values that were run, where they are few: powers of ten say little of 16, 24, 32."""
    from matplotlib.ticker import NullFormatter, NullLocator

    values = sorted(set(chart.series[0].x))
    if not chart.marked and len(values) <= 8:
        axes.set_xticks(values, [_short(value) for value in values])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())


def _short(value: float) -> str:
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"
