"""What leaves the browser as a file: figures as CSV, curves as a picture, whole sessions as archives."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from trm_engine.errors import UsageError
from trm_engine.files import disk_errors, whole_file
from trm_engine.paths import in_home
from trm_engine.sessions import Store
from trm_engine.text import safe_text
from trm_tui.workbench.browser.curve_picture import Plot, to_png, to_svg
from trm_tui.workbench.charts.curves import Curve, XAxis
from trm_tui.workbench.charts.figures import X_TITLES, X_UNITS, Figure, figures_to_compare
from trm_tui.workbench.charts.overlays import Overlay, read_overlay

PICTURE_ENDINGS = (".svg", ".png")
"""How a picture's name may end."""


def export_metrics(store: Store, ids: Sequence[str], file: Path) -> None:
    """Write the recorded figures of sessions as CSV."""
    write_new(file, metrics_table(store, ids).encode("utf-8", "replace"))


def metrics_table(store: Store, ids: Sequence[str]) -> str:
    """Return the recorded figures of sessions as CSV, one record a line under one head."""
    records = [(found, record) for found in ids for record in store.get(found).metrics.read()]
    names = list(dict.fromkeys(name for _, record in records for name in record))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["session", *names])
    for found, record in records:
        writer.writerow([found, *(_cell(record.get(name)) for name in names)])
    return text.getvalue()


def export_curves(store: Store, ids: Sequence[str], file: Path) -> None:
    """Draw loss and accuracy of sessions, or both losses of text, as SVG or PNG after the file's ending."""
    overlays = [read_overlay(store, found) for found in ids]
    figures = figures_to_compare(overlay.curves for overlay in overlays)
    draw_curves(overlays, [figure for figure in figures if figure.in_pictures], file)


def draw_curves(
    overlays: Sequence[Overlay],
    figures: Iterable[Figure],
    file: Path,
    *,
    axis: XAxis = "step",
    log_y: bool = False,
) -> None:
    """Draw figures of sessions, the first line of each, as SVG or PNG after the file's ending."""
    if file.suffix.lower() not in PICTURE_ENDINGS:
        raise UsageError(f"{safe_text(file.name)}: a picture is written as .svg or .png")
    svg = to_svg([_plot(figure, overlays, axis, log_y) for figure in figures])
    write_new(file, to_png(svg) if file.suffix.lower() == ".png" else svg.encode())


def suggested(title: str, what: str, ending: str) -> str:
    """Return a name for a file in the working folder: `sudoku-6x6-metrics.csv`."""
    stem = re.sub(r"[^\w.-]+", "-", title).strip("-.")[:60] or "session"
    return f"{stem}{what}{ending}"


def place_of(text: str) -> str:
    """Say where a file will be, in full; nothing for what cannot be a name."""
    try:
        return f"in {safe_text(str(in_home(Path(text.strip())).absolute().parent))}"
    except (OSError, ValueError, RuntimeError):
        return ""


def file_problem(text: str, *, must_exist: bool = False, endings: Sequence[str] = ()) -> str:
    """Return what stands against reading or writing a file, in a few words; nothing if it may be tried.

    With `endings`, its name must have one of them: a file is what its name says.
    """
    if not text.strip():
        return "a file's name is needed"
    try:
        path = in_home(Path(text.strip()))
        if endings and path.suffix.lower() not in endings:
            return f"the name must end in {' or '.join(endings)}"
        path.lstat()
    except FileNotFoundError:
        if must_exist:
            return "there is no such file"
        return "" if path.parent.is_dir() else f"there is no folder {safe_text(str(path.parent))}"
    except (OSError, ValueError, RuntimeError):  # too long a name, a NUL byte, no such home
        return "that is not a valid file name"
    if must_exist:
        return "" if path.is_file() else "that is not a file"
    return "the file exists already; choose another name"


def write_new(file: Path, data: bytes) -> None:
    """Write a file that must not exist yet. Raises `UsageError`, `SessionError` or `ResourceError`."""
    with disk_errors(f"write {safe_text(str(file))}"), whole_file(file, replace=False) as temporary:
        temporary.write_bytes(data)


def _plot(figure: Figure, overlays: Sequence[Overlay], axis: XAxis, log_y: bool) -> Plot:
    line = figure.lines[0]
    curves = [(overlay.title, overlay.curves.get(line.curve, Curve())) for overlay in overlays]
    return Plot(
        title=f"{figure.title}: {line.label}",
        x_title=X_TITLES[axis],
        lines=[(title, (curve.x(axis), curve.values)) for title, curve in curves],
        x_unit=X_UNITS[axis],
        y_unit=figure.unit,
        log_y=log_y and figure.may_be_log,
        y_range=figure.y_range,
    )


def _cell(value: object) -> object:
    """Return a value as a spreadsheet should take it: text that would be a formula is marked as text."""
    if isinstance(value, str) and value[:1] in "=+-@\t\r":
        return f"'{value}"
    return value
