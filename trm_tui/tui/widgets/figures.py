"""Which curves a chart can show, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trm_tui.tui.curves import XAxis
from trm_tui.tui.overlays import Overlay
from trm_tui.tui.settings import Settings
from trm_tui.tui.snapshot import Snapshot
from trm_tui.tui.widgets.chart import Chart, Series
from trm_tui.tui.widgets.ticks import Unit

_X_UNITS: dict[XAxis, Unit] = {"step": "number", "samples": "number", "seconds": "seconds"}
_X_TITLES: dict[XAxis, str] = {"step": "step", "samples": "samples", "seconds": "time"}
_OVERLAY_COLOURS = ("accent", "secondary", "success", "warning", "error")


@dataclass(frozen=True)
class Line:
    """A curve of the recorder as a line of a figure."""

    curve: str
    label: str
    colour: str
    smooth: bool = False
    optional: bool = False
    """Is it left out as long as there are no points?"""


@dataclass(frozen=True)
class Figure:
    """What one chart shows."""

    title: str
    lines: tuple[Line, ...]
    unit: Unit = "number"
    may_be_log: bool = False
    y_range: tuple[float | None, float | None] = (None, None)


_LEARNING_RATE = Figure("Learning rate", (Line("lr", "lr", "accent"),), y_range=(0.0, None))
_SPEED = Figure(
    "Speed", (Line("samples_per_second", "samples/s", "primary", smooth=True),), y_range=(0.0, None)
)
_MEMORY = Figure("Memory", (Line("rss_bytes", "this process", "warning"),), unit="bytes", y_range=(0.0, None))
_GRADIENT = Figure("Gradient norm", (Line("grad_norm", "norm", "secondary", smooth=True),), may_be_log=True)

FIGURES = (
    Figure("Loss", (Line("loss", "train", "primary", smooth=True),), may_be_log=True),
    Figure(
        "Accuracy",
        (
            Line("exact_accuracy", "exact", "success"),
            Line("cell_accuracy", "cells", "primary"),
            Line("train_exact", "train", "foreground-muted", smooth=True, optional=True),
        ),
        unit="percent",
        y_range=(0.0, 1.0),
    ),
    Figure(
        "Halting steps",
        (
            Line("supervision_steps", "train", "secondary", smooth=True),
            Line("mean_steps", "unseen", "success"),
        ),
        y_range=(0.0, None),
    ),
    _LEARNING_RATE,
    _SPEED,
    _MEMORY,
    _GRADIENT,
    Figure(
        "Parts of the loss",
        (
            Line("lm_loss", "tokens", "primary", smooth=True),
            Line("q_halt_loss", "halting", "accent", smooth=True),
        ),
        may_be_log=True,
    ),
)
"""What there is to see of runs that learn puzzles."""

TEXT_FIGURES = (
    Figure(
        "Loss",
        (Line("loss", "train", "primary", smooth=True), Line("val_loss", "unseen", "success", optional=True)),
        may_be_log=True,
    ),
    Figure("Bits per character", (Line("bits_per_character", "unseen", "success"),), y_range=(0.0, None)),
    _LEARNING_RATE,
    _SPEED,
    _MEMORY,
    _GRADIENT,
    Figure("Unseen loss", (Line("val_loss", "unseen", "success"),), may_be_log=True),
)
"""What there is to see of runs that learn text."""


def figures_of(*, text: bool) -> tuple[Figure, ...]:
    """Return what there is to see of runs that learn text, or puzzles."""
    return TEXT_FIGURES if text else FIGURES


def draw(
    chart: Chart, figure: Figure, snapshot: Snapshot, settings: Settings, overlays: Sequence[Overlay] = ()
) -> None:
    """Show a figure of a run in a chart, with other sessions' first line of it behind."""
    axis = settings.x_axis
    series = []
    for line in figure.lines:
        curve = snapshot.curve(line.curve)
        if len(curve) or not line.optional:
            series.append(Series(line.label, curve.x(axis), curve.values, line.colour, line.smooth))
    for number, overlay in enumerate(overlays):
        line = figure.lines[0]
        if (other := overlay.curves.get(line.curve)) is not None and overlay.session != snapshot.session:
            colour = _OVERLAY_COLOURS[number % len(_OVERLAY_COLOURS)]
            series.append(Series(overlay.title, other.x(axis), other.values, colour, line.smooth))
    smooth = settings.smoothing if any(line.smooth for line in figure.lines) else 0.0
    chart.show(
        series,
        title=figure.title,
        x_axis=_X_TITLES[axis],
        x_unit=_X_UNITS[axis],
        y_unit=figure.unit,
        log_y=settings.log_y and figure.may_be_log,
        smoothing=smooth,
        y_range=figure.y_range,
        note=f"smoothed {smooth:g}" if smooth else "",
    )
