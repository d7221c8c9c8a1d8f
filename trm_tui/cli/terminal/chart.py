"""Lines drawn with characters in a plain terminal, a pipe or a file."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trm_engine.text import safe_text
from trm_tui.workbench.charts.curves import finite
from trm_tui.workbench.charts.ticks import Unit, labels, ticks

_PIPE_WIDTH = 100
_LONGEST_LABEL = 32
_COLOURS = ("blue", "green", "magenta", "orange", "cyan", "red")


@dataclass(frozen=True)
class Line:
    """One line of a chart, by rising x; points that are not finite are left out."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    dots: bool = False
    """Points of their own, not a line through them."""


def chart_width(asked: int | None = None) -> int:
    """Return the columns of a chart: those asked for, else the terminal's, or in a pipe 100."""
    if asked is not None:
        return asked
    return shutil.get_terminal_size((_PIPE_WIDTH, 24)).columns if sys.stdout.isatty() else _PIPE_WIDTH


def draw_chart(
    lines: Sequence[Line],
    *,
    title: str,
    x_title: str,
    y_title: str = "",
    x_unit: Unit = "number",
    y_unit: Unit = "number",
    width: int,
    height: int,
    colour: bool,
    x_marks: Mapping[float, str] | None = None,
) -> str:
    """Return a chart as text; without `colour` it holds no escape codes, and lines differ by their marks.

    Braille dots where stdout can write them, else letters of ASCII. `x_marks` are words at places of x,
    instead of round numbers.
    """
    import plotext

    braille = _can_write("⣿")
    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plotsize(width, height)
    plotext.theme("clear")
    shown = [(line, finite(line.x, line.y)) for line in lines]
    shown = [(line, points) for line, points in shown if points[0]]
    for number, (line, (x, y)) in enumerate(shown):
        plain = not colour and len(shown) > 1
        marker = "abcdefghij"[number % 10] if plain or not braille else "braille"
        label = safe_text(line.label)[:_LONGEST_LABEL] if len(shown) > 1 and line.label else None
        put = plotext.scatter if line.dots else plotext.plot
        marker = "•" if line.dots and marker == "braille" else marker  # one dot of braille is hard to see
        put(x, y, marker=marker, label=label, color=_COLOURS[number % len(_COLOURS)])
    _mark_axes(plotext, [points for _, points in shown], x_unit, y_unit, width, height)
    if x_marks and shown:
        plotext.xticks([*x_marks], [*x_marks.values()])
    plotext.title(safe_text(title if shown else f"{title}: no points yet"))
    plotext.xlabel(safe_text(x_title))
    if y_title:
        plotext.ylabel(safe_text(y_title))
    text = str(plotext.build())
    text = text if colour else str(plotext.uncolorize(text))
    if not braille:
        text = text.translate(str.maketrans("┌┐└┘─│┤┬├┴┼", "++++-|+++++"))
    return "\n".join(row.rstrip() for row in text.splitlines())


def _mark_axes(
    plotext: object,
    points: Sequence[tuple[Sequence[float], Sequence[float]]],
    x_unit: Unit,
    y_unit: Unit,
    width: int,
    height: int,
) -> None:
    """Put round numbers at the axes, written in their units."""
    for name, index, unit, count in (
        ("x", 0, x_unit, max(2, width // 14)),
        ("y", 1, y_unit, max(4, height // 3)),
    ):
        values = [value for pair in points for value in pair[index]]
        if values:
            places = ticks(min(values), max(values), count, unit)
            getattr(plotext, f"{name}ticks")(places, labels(places, unit))


def _can_write(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
