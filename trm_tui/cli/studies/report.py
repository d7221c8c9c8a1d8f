"""`studies plot` and `studies report`: what the trials that have ended show."""

from __future__ import annotations

import fnmatch
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from trm_engine.errors import UsageError
from trm_engine.text import did_you_mean, quoted
from trm_tui.cli.studies.drawing import draw_in_terminal
from trm_tui.cli.studies.options import CorrectedFlag, PatternOption, SeedsOption, StudyArgument
from trm_tui.cli.terminal.chart import chart_width
from trm_tui.cli.terminal.context import settings, user_path
from trm_tui.cli.terminal.output import JsonFlag, print_json, print_text
from trm_tui.cli.train import SetOption

if TYPE_CHECKING:
    from trm_engine.studies.analysis.analyse import Analysis
    from trm_engine.studies.reporting.charts import Chart

_DEFAULT_FOLDER = "studies-report"


def plot(
    ctx: typer.Context,
    name: StudyArgument,
    pattern: PatternOption = "*",
    seeds: SeedsOption = None,
    overrides: SetOption = None,
    corrected: CorrectedFlag = False,
    only: Annotated[
        str, typer.Option(metavar="GLOB", help="Only figures whose name fits, such as 'frontier-*'.")
    ] = "*",
    out: Annotated[
        Path | None,
        typer.Option(parser=user_path, metavar="FOLDER", help="Write them as files; default: the terminal."),
    ] = None,
    form: Annotated[Literal["svg", "png"], typer.Option("--format", help="Of the files.")] = "svg",
    width: Annotated[
        int | None, typer.Option(min=30, max=1000, help="Columns; default: the terminal's.")
    ] = None,
    height: Annotated[int, typer.Option(min=8, max=200, help="Rows of each figure.")] = 18,
    no_color: Annotated[bool, typer.Option("--no-color", help="Plain characters, without colours.")] = False,
    json: JsonFlag = False,
) -> None:
    """Draw what the finished trials of a study show: laws, curves, comparisons, frontiers.

    Files need matplotlib: pip install 'trm-tui[studies]'.
    """
    from trm_engine.studies.reporting.charts import charts_of

    charts = charts_of(_analysis(ctx, name, pattern, seeds, overrides, corrected=corrected))
    chosen = [chart for chart in charts if fnmatch.fnmatchcase(chart.name, only)]
    if not charts:
        raise UsageError(f"{name}: no trial has finished yet, so that there is nothing to draw")
    if not chosen:
        names = [chart.name for chart in charts]
        raise UsageError(f"{name}: no figure fits {quoted(only)}.{did_you_mean(only, names)}")
    if out is not None:
        files = _written(chosen, out, form)
        print_json([str(file) for file in files]) if json else print_text("\n".join(map(str, files)))
    elif json:
        print_json([_as_json(chart) for chart in chosen])
    else:
        colour = not no_color and "NO_COLOR" not in os.environ and sys.stdout.isatty()
        for chart in chosen:
            text = draw_in_terminal(chart, width=chart_width(width), height=height, colour=colour)
            sys.stdout.write(text + "\n\n")


def report(
    ctx: typer.Context,
    name: StudyArgument,
    pattern: PatternOption = "*",
    seeds: SeedsOption = None,
    overrides: SetOption = None,
    corrected: CorrectedFlag = False,
    out: Annotated[Path, typer.Option(parser=user_path, metavar="FOLDER", help="Where to write it.")] = Path(
        _DEFAULT_FOLDER
    ),
    json: JsonFlag = False,
) -> None:
    """Write a report of what the finished trials show: Markdown, one HTML file, figures, CSV.

    It is built from the sessions on disk alone: the same sessions give the same bytes. Needs matplotlib:
    pip install 'trm-tui[studies]'.
    """
    from trm_engine.studies.reporting.report import write_report

    found = _analysis(ctx, name, pattern, seeds, overrides, corrected=corrected)
    files = write_report(found, out)
    if json:
        print_json(
            {
                "files": [str(file) for file in files],
                "trials": len(found.plan.trials),
                "missing": [{"trial": one.trial.name, "why": one.why} for one in found.missing],
            }
        )
        return
    print_text(f"wrote {files[0]}, {files[1].name} and {len(files) - 2} more files")
    if found.missing:
        print_text(
            f"{len(found.missing)} of {len(found.plan.trials)} trials have no result: listed at its end"
        )


def _analysis(
    ctx: typer.Context,
    name: str,
    pattern: str,
    seeds: int | None,
    overrides: list[str] | None,
    *,
    corrected: bool,
) -> Analysis:
    from trm_engine.studies.analysis.analyse import analyse
    from trm_engine.studies.catalogue import select
    from trm_engine.studies.plan import build_plan

    plan = build_plan(select(name, pattern), seeds=seeds, overrides=overrides or [], corrected=corrected)
    return analyse(settings(ctx).store(), plan)


def _written(charts: list[Chart], folder: Path, form: Literal["svg", "png"]) -> list[Path]:
    from trm_engine.files import Disk, disk_errors, write_atomically
    from trm_engine.studies.reporting.drawing import draw

    files = []
    with disk_errors(f"write figures to {folder}"):
        for chart in charts:
            folder.mkdir(parents=True, exist_ok=True)
            files.append(folder / f"{chart.name}.{form}")
            write_atomically(Disk(), files[-1], draw(chart, form))
    return files


def _as_json(chart: Chart) -> dict[str, object]:
    return {
        "name": chart.name,
        "title": chart.title,
        "x": chart.x_title,
        "y": chart.y_title,
        "categories": list(chart.categories),
        "series": [
            {
                "label": series.label,
                "kind": series.kind,
                "x": list(series.x),
                "y": list(series.y),
                "low": list(series.low),
                "high": list(series.high),
            }
            for series in chart.series
        ],
    }
