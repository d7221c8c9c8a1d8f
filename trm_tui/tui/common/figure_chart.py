"""A figure of a run, drawn in a chart."""

from __future__ import annotations

from collections.abc import Sequence

from trm_tui.tui.common.chart import Chart
from trm_tui.tui.common.series import Series
from trm_tui.workbench.charts.figures import X_TITLES, X_UNITS, Figure
from trm_tui.workbench.charts.overlays import Overlay
from trm_tui.workbench.settings import Settings
from trm_tui.workbench.snapshot import Snapshot

_LETTERS = "abcde"
"""What tells overlays apart without colour, at the end of each line and in the legend."""


def draw(
    chart: Chart, figure: Figure, snapshot: Snapshot, settings: Settings, overlays: Sequence[Overlay] = ()
) -> None:
    """Show a figure of a run in a chart, with other sessions' first line of it behind."""
    axis = settings.x_axis
    series = []
    for line in figure.lines:
        curve = snapshot.curve(line.curve)
        if len(curve) or not line.optional:
            series.append(
                Series(line.label, curve.x(axis), curve.values, line.colour, line.smooth, best=line.best)
            )
    behind = 0
    for overlay in overlays:
        line = figure.lines[0]
        if (other := overlay.curves.get(line.curve)) is not None and overlay.session != snapshot.session:
            place, behind = behind % len(_LETTERS), behind + 1
            colour, letter = f"overlay-{place + 1}", _LETTERS[place]
            series.append(
                Series(overlay.title, other.x(axis), other.values, colour, line.smooth, letter=letter)
            )
    smooth = settings.smoothing if any(line.smooth for line in figure.lines) else 0.0
    notes = [f"{behind} overlay{'s' if behind > 1 else ''} (o)"] if behind else []
    notes += [f"smoothed {smooth:g}"] if smooth else []
    chart.show(
        series,
        title=figure.title,
        x_axis=X_TITLES[axis],
        x_unit=X_UNITS[axis],
        y_unit=figure.unit,
        log_y=settings.log_y and figure.may_be_log,
        smoothing=smooth,
        y_range=figure.y_range,
        note=" · ".join(notes),
    )
