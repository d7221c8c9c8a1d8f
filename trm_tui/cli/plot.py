"""`plot`: recorded curves as characters, in a terminal, a pipe or a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from trm_engine.errors import UsageError
from trm_engine.text import did_you_mean, safe_text
from trm_tui.cli import completion
from trm_tui.cli.terminal.chart import Line, chart_width, draw_chart
from trm_tui.cli.terminal.context import settings
from trm_tui.cli.terminal.output import JsonFlag, print_json
from trm_tui.workbench.charts.curves import XAxis, smoothed
from trm_tui.workbench.charts.ticks import Unit

if TYPE_CHECKING:
    from trm_engine.sessions import Store
    from trm_tui.workbench.charts.overlays import Overlay

METRICS: Mapping[str, tuple[str, str, Unit]] = {
    "loss": ("loss", "Loss", "number"),
    "exact": ("exact_accuracy", "Exact accuracy on held-out puzzles", "percent"),
    "cells": ("cell_accuracy", "Cell accuracy on held-out puzzles", "percent"),
    "train-exact": ("train_exact", "Exact accuracy on training rows", "percent"),
    "val-loss": ("val_loss", "Loss on held-out text", "number"),
    "bits": ("bits_per_character", "Bits per character on held-out text", "number"),
    "lr": ("lr", "Learning rate", "number"),
    "grad-norm": ("grad_norm", "Gradient norm", "number"),
    "speed": ("samples_per_second", "Samples per second", "number"),
    "memory": ("rss_bytes", "Memory of the process", "bytes"),
    "steps": ("mean_steps", "Mean supervision steps on held-out puzzles", "number"),
}
"""A metric's name on the command line: the recorded curve, its title, its unit."""

_DEFAULT = ("loss", "exact", "val-loss")
_SUMMARY_WIDTH, _SUMMARY_HEIGHT = 80, 11
_X: Mapping[str, tuple[XAxis, Unit]] = {
    "step": ("step", "number"),
    "time": ("seconds", "seconds"),
    "samples": ("samples", "number"),
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(plot)


def plot(
    ctx: typer.Context,
    sessions: Annotated[
        list[str],
        typer.Argument(
            metavar="SESSION…", help="Sessions to draw together.", autocompletion=completion.sessions
        ),
    ],
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", "-m", help=f"What to draw, again for another chart: {', '.join(METRICS)}."),
    ] = None,
    x: Annotated[Literal["step", "time", "samples"], typer.Option(help="The horizontal axis.")] = "step",
    smooth: Annotated[
        float, typer.Option(min=0, max=0.999, help="Weight of the past in a moving average (0: as recorded).")
    ] = 0.0,
    width: Annotated[
        int | None, typer.Option(min=30, max=1000, help="Columns; default: the terminal's.")
    ] = None,
    height: Annotated[int, typer.Option(min=8, max=200, help="Rows of each chart.")] = 16,
    no_color: Annotated[bool, typer.Option("--no-color", help="Plain characters, without colours.")] = False,
    json: JsonFlag = False,
) -> None:
    """Draw recorded curves of sessions over each other, in the terminal or into a pipe."""
    overlays = _read(settings(ctx).store(), sessions)
    chosen = _chosen(metric or [], overlays)
    axis, x_unit = _X[x]
    if json:
        print_json([_points(name, overlays, axis) for name in chosen])
        return
    colour = not no_color and "NO_COLOR" not in os.environ and sys.stdout.isatty()
    for name in chosen:
        size = (chart_width(width), height)
        sys.stdout.write(_chart(name, overlays, (axis, x_unit), size, smooth=smooth, colour=colour) + "\n")


def show_curves(store: Store, session: str) -> None:
    """Draw a session's loss and accuracy, small, where stdout is a terminal and something is recorded."""
    if not sys.stdout.isatty():
        return
    overlays = _read(store, [session])
    size = (min(chart_width(), _SUMMARY_WIDTH), _SUMMARY_HEIGHT)
    for name in _usual(overlays):
        colour = "NO_COLOR" not in os.environ
        sys.stdout.write("\n" + _chart(name, overlays, _X["step"], size, colour=colour) + "\n")


def _chart(
    name: str,
    overlays: Sequence[Overlay],
    x: tuple[XAxis, Unit],
    size: tuple[int, int],
    *,
    smooth: float = 0.0,
    colour: bool,
) -> str:
    curve, title, unit = METRICS[name]
    axis, x_unit = x
    lines = [
        Line(overlay.title, found.x(axis), smoothed(found.values, smooth) if smooth else found.values)
        for overlay in overlays
        if (found := overlay.curves.get(curve)) is not None
    ]
    names = f" · {overlays[0].title}" if len(overlays) == 1 else ""
    x_title = "training time" if axis == "seconds" else axis
    return draw_chart(
        lines,
        title=title + names,
        x_title=x_title,
        x_unit=x_unit,
        y_unit=unit,
        width=size[0],
        height=size[1],
        colour=colour,
    )


def _read(store: Store, refs: Sequence[str]) -> list[Overlay]:
    from trm_tui.workbench.charts.overlays import read_overlay

    return [read_overlay(store, ref) for ref in refs]


def _chosen(asked: Sequence[str], overlays: Sequence[Overlay]) -> list[str]:
    """Return the metrics to draw: those asked for, else the usual ones that were recorded."""
    for name in asked:
        if name not in METRICS:
            known = ", ".join(METRICS)
            raise UsageError(
                f'no metric is called "{safe_text(name)}".{did_you_mean(name, METRICS)} There are: {known}'
            )
    recorded = {curve for overlay in overlays for curve in overlay.curves}
    missing = [name for name in asked if METRICS[name][0] not in recorded]
    if missing:
        raise UsageError(f"nothing of {', '.join(missing)} is recorded in {_names(overlays)}")
    found = [*asked] or _usual(overlays)
    if not found:
        raise UsageError(f"nothing is recorded yet in {_names(overlays)}: train a few steps first")
    return found


def _usual(overlays: Sequence[Overlay]) -> list[str]:
    recorded = {curve for overlay in overlays for curve in overlay.curves}
    return [name for name in _DEFAULT if METRICS[name][0] in recorded]


def _names(overlays: Sequence[Overlay]) -> str:
    return ", ".join(overlay.session for overlay in overlays)


def _points(name: str, overlays: Sequence[Overlay], axis: XAxis) -> dict[str, object]:
    return {"metric": name, "x": axis, "sessions": dict(_curves(METRICS[name][0], overlays, axis))}


def _curves(curve: str, overlays: Sequence[Overlay], axis: XAxis) -> Iterator[tuple[str, object]]:
    for overlay in overlays:
        if (found := overlay.curves.get(curve)) is not None:
            yield overlay.session, {"x": list(found.x(axis)), "y": list(found.values)}
