"""A line chart: the only place that knows how curves become characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from textual.widget import Widget

Unit = Literal["number", "percent", "bytes", "seconds"]


@dataclass(frozen=True)
class Series:
    """One line of a chart: points by rising x; `y` may hold non-finite values, which are left out."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str = "primary"
    """A colour of the theme: primary, secondary, accent, warning, error, success, or text-muted for overlays."""


class Chart(Widget):
    """Shows lines over one x axis. The screen's keys call `zoom`, `pan`, `reset_window` and `move_cursor`."""

    def show(
        self,
        series: Sequence[Series],
        *,
        x_axis: str = "step",
        x_unit: Unit = "number",
        y_unit: Unit = "number",
        log_y: bool = False,
        smoothing: float = 0.0,
        y_range: tuple[float | None, float | None] = (None, None),
    ) -> None:
        """Show these lines; the window (zoom) and cursor stay as they are."""

    def zoom(self, factor: float) -> None:
        """Make the visible part of the x axis `factor` times as wide, around the cursor or its end."""

    def pan(self, share: float) -> None:
        """Move the visible part by a share of its width."""

    def reset_window(self) -> None:
        """Show everything again, and follow the end."""

    def move_cursor(self, columns: int) -> None:
        """Move the reading cursor; the title shows the values there."""

    def hide_cursor(self) -> None:
        """Take the cursor away."""
