"""What a chart shows: its lines, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trm_tui.workbench.charts.curves import Points
from trm_tui.workbench.charts.ticks import Unit


@dataclass(frozen=True)
class Series:
    """One line of a chart: points by rising x; `y` may hold non-finite values, which are left out."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str = "primary"
    """A colour of the theme: primary, secondary, accent, warning, error, success, foreground-muted."""
    smooth: bool = True
    """Does the chart's smoothing apply to it?"""
    letter: str = ""
    """What stands at its end and in the legend, where colour alone would not tell it apart."""
    best: Literal["highest", "lowest"] | None = None
    """Which of its points is marked as the best."""


@dataclass(frozen=True)
class View:
    """How a chart shows its series; see `Chart.show`."""

    title: str = ""
    x_axis: str = "step"
    x_unit: Unit = "number"
    y_unit: Unit = "number"
    log_y: bool = False
    smoothing: float = 0.0
    y_range: tuple[float | None, float | None] = (None, None)
    note: str = ""


@dataclass(frozen=True, eq=False)
class Line:
    """A series with the points that are drawn of it."""

    series: Series
    points: Points
    behind: Points | None
    """The points as they are, where the line is smoothed."""

    @property
    def raw(self) -> Points:
        """The points as they are: what figures are read from, so that they agree with all other places."""
        return self.points if self.behind is None else self.behind
