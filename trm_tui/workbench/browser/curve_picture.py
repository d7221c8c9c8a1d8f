"""Curves as an SVG picture, and as PNG.

Drawn with the standard library. Of the light libraries, pygal embeds scripts and style sheets of its own and
needs two more packages, and leather knows no log axis; matplotlib would be the largest thing installed beside
torch. An SVG becomes a PNG by resvg-py (1.4 MB, needs nothing else but a font).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from trm_engine.errors import UsageError
from trm_engine.text import safe_text
from trm_tui.workbench.charts.curves import Points, columns, finite
from trm_tui.workbench.charts.ticks import Unit, labels, log_ticks, ticks, write

COLOURS = ("#0b63ce", "#c2410c", "#15803d", "#7c3aad", "#946200", "#c21f3a", "#0e7490", "#4b5563")
_INK, _MUTED, _GRID = "#20262f", "#5a6472", "#dde1e6"
_FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif"
_WIDTH, _HEIGHT = 960, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 24, 56, 48


_LETTER = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32">'
    f'<text x="4" y="28" font-size="24" font-family="{_FONT}">M</text></svg>'
)
"""A picture that is empty where no font is installed."""


@dataclass(frozen=True)
class Plot:
    """One panel: lines over one x axis. `lines` are names and points by rising x."""

    title: str
    x_title: str
    lines: Sequence[tuple[str, Points]]
    x_unit: Unit = "number"
    y_unit: Unit = "number"
    log_y: bool = False
    y_range: tuple[float | None, float | None] = (None, None)
    """Limits of the y axis where they are not left to the data; not of a log axis."""


def to_svg(plots: Sequence[Plot]) -> str:
    """Return the panels, one below the other, as an SVG document."""
    height = _HEIGHT * len(plots)
    size = {"width": str(_WIDTH), "height": str(height), "viewBox": f"0 0 {_WIDTH} {height}"}
    root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "font-family": _FONT, **size})
    ET.SubElement(root, "rect", {"width": str(_WIDTH), "height": str(height), "fill": "#ffffff"})
    for number, plot in enumerate(plots):
        panel = ET.SubElement(root, "g", {"transform": f"translate(0 {number * _HEIGHT})"})
        _panel(panel, plot)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def to_png(svg: str) -> bytes:
    """Return an SVG document as PNG, twice as large. Raises `UsageError` where no letter can be drawn."""
    if _rasterised(_LETTER) == _rasterised(_LETTER.replace(">M<", "><")):
        raise UsageError(
            "PNG needs a font, and none is installed here (fonts-dejavu, for example): SVG works without."
        )
    return _rasterised(svg, zoom=2)


def _rasterised(svg: str, zoom: int = 1) -> bytes:
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=zoom))


def _panel(parent: ET.Element, plot: Plot) -> None:
    lines = [(name, finite(*points, positive=plot.log_y)) for name, points in plot.lines]
    _text(parent, (_LEFT, 26), plot.title, size=17, weight="600")
    _legend(parent, [name for name, _ in lines])
    seen = [points for _, points in lines if points[0]]
    if not seen:
        _text(parent, (_WIDTH / 2, _HEIGHT / 2), "nothing recorded", colour=_MUTED, anchor="middle")
        return
    x_range = min(xs[0] for xs, _ in seen), max(xs[-1] for xs, _ in seen)
    level = math.log10 if plot.log_y else float
    heights = [level(y) for _, ys in seen for y in ys]
    fixed = (None, None) if plot.log_y else plot.y_range
    frame = _Frame(x_range, _limits(min(heights), max(heights), fixed))
    _axes(parent, plot, frame)
    for number, (_, points) in enumerate(lines):
        path = " ".join(f"{frame.x(x):.1f},{frame.y(level(y)):.1f}" for x, y in _thinned(points, x_range))
        colour = COLOURS[number % len(COLOURS)]
        style = {"fill": "none", "stroke": colour, "stroke-width": "2", "stroke-linejoin": "round"}
        ET.SubElement(parent, "polyline", {"points": path, **style})


@dataclass(frozen=True)
class _Frame:
    """Where values stand in the picture."""

    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def x(self, value: float) -> float:
        low, high = self.x_range
        share = (value - low) / (high - low) if high > low else 0.0
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)


def _axes(parent: ET.Element, plot: Plot, frame: _Frame) -> None:
    if plot.log_y:
        marks = log_ticks(*frame.y_range, 6)
        words = [write(10**mark, plot.y_unit) for mark in marks]
    else:
        marks = ticks(*frame.y_range, 6, plot.y_unit)
        words = labels(marks, plot.y_unit)
    for mark, word in zip(marks, words, strict=True):
        height = frame.y(mark)
        _line(parent, (_LEFT, height), (_WIDTH - _RIGHT, height))
        _text(parent, (_LEFT - 8, height + 4), word, size=12, colour=_MUTED, anchor="end")
    foot = _HEIGHT - _BOTTOM
    for mark in ticks(*frame.x_range, 8, plot.x_unit):
        place = frame.x(mark)
        _line(parent, (place, foot), (place, foot + 5))
        word = write(mark, plot.x_unit)
        _text(parent, (place, foot + 20), word, size=12, colour=_MUTED, anchor="middle")
    _text(parent, (_WIDTH - _RIGHT, foot + 38), plot.x_title, size=12, colour=_MUTED, anchor="end")


def _legend(parent: ET.Element, names: Sequence[str]) -> None:
    at = float(_LEFT)
    for number, name in enumerate(names):
        colour = COLOURS[number % len(COLOURS)]
        shown = name if len(name) <= 24 else name[:23] + "…"
        dot = {"x": f"{at:.0f}", "y": "38", "width": "14", "height": "4", "rx": "2", "fill": colour}
        ET.SubElement(parent, "rect", dot)
        _text(parent, (at + 20, 44), shown, size=12)
        at += 40 + 7 * len(shown)


def _thinned(points: Points, x_range: tuple[float, float]) -> list[tuple[float, float]]:
    """Return no more points than the picture has room for, with every extreme."""
    xs, ys = points
    if len(xs) <= 2 * _WIDTH:
        return list(zip(xs, ys, strict=True))
    low, high = x_range
    found = columns(points, x_range, _WIDTH)
    kept: list[tuple[float, float]] = []
    for place, column in sorted(found.items()):
        x = low + (high - low) * min(max(place / (_WIDTH - 1), 0.0), 1.0)
        kept += [(x, column.first), (x, column.low), (x, column.high), (x, column.last)]
    return kept


def _limits(low: float, high: float, fixed: tuple[float | None, float | None]) -> tuple[float, float]:
    """Return the ends of an axis: what is fixed, or a little beyond the data."""
    room = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
    bottom = low - room if fixed[0] is None else min(low, fixed[0])
    top = high + room if fixed[1] is None else max(high, fixed[1])
    return (bottom, top) if top > bottom else (bottom, bottom + room)


def _line(parent: ET.Element, start: tuple[float, float], end: tuple[float, float]) -> None:
    places = {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}
    rounded = {name: f"{place:.1f}" for name, place in places.items()}
    ET.SubElement(parent, "line", {**rounded, "stroke": _GRID, "stroke-width": "1"})


def _text(
    parent: ET.Element,
    place: tuple[float, float],
    text: str,
    *,
    size: int = 13,
    colour: str = _INK,
    anchor: str = "start",
    weight: str = "400",
) -> None:
    style = {"font-size": str(size), "fill": colour, "text-anchor": anchor, "font-weight": weight}
    element = ET.SubElement(parent, "text", {"x": f"{place[0]:.1f}", "y": f"{place[1]:.1f}", **style})
    # XML knows no form feed or NUL, however escaped.
    element.text = safe_text(text).replace("\ufffe", "").replace("\uffff", "")
