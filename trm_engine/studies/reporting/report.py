"""The report of a selection of studies, rebuilt from the sessions on disk: equal sessions, equal bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trm_engine.errors import UsageError
from trm_engine.files import Disk, disk_errors, write_atomically
from trm_engine.studies.analysis.analyse import Analysis, PartAnalysis
from trm_engine.studies.analysis.conclusions import conclusions, of_frontiers
from trm_engine.studies.reporting import tables
from trm_engine.studies.reporting.charts import charts_of_part, frontier_chart
from trm_engine.studies.reporting.document import (
    Block,
    Bullets,
    Heading,
    Paragraph,
    Picture,
    Table,
    to_html,
    to_markdown,
)
from trm_engine.studies.reporting.drawing import draw, require_matplotlib

_FIGURES = "figures"
_METHOD = """\
Accuracies are of the averaged weights on all held-out puzzles at the end of each run. Intervals are of 90 \
%: of a mean, from the puzzles counted and the variance between seeds, pooled over the part; of a law, \
from a parametric bootstrap round it. A law is y = a − b·x^(−c); it is compared with a constant and with a \
line in log x, and “no law” or “cannot be told apart” are answers. Comparisons with a baseline are paired, \
puzzle by puzzle (McNemar) and seed by seed (Student), and corrected for their number by Holm. Trials that \
diverged or did not finish are left out of every figure and listed."""


def write_report(analysis: Analysis, folder: Path) -> list[Path]:
    """Write `report.md`, `report.html`, `trials.csv`, `fits.csv` and the figures; return the files.

    Raises `UsageError` without matplotlib or without any result, `ResourceError` or `SessionError` where the
    folder cannot be written.
    """
    require_matplotlib()
    if not any(part.finished for part in analysis.parts):
        raise UsageError(
            f"{analysis.plan.selection.name}: no trial has finished yet, so that there is nothing to report; "
            f"`studies status {analysis.plan.selection.name}` tells how far they are"
        )
    blocks = list(compose(analysis))
    contents: dict[str, bytes] = {
        "report.md": to_markdown(blocks).encode(),
        "report.html": to_html(blocks).encode(),
        "trials.csv": tables.trials_csv(analysis).encode(),
        "fits.csv": tables.fits_csv(analysis).encode(),
        **{block.file: block.svg for block in blocks if isinstance(block, Picture)},
    }
    storage = Disk()
    with disk_errors(f"write the report to {folder}"):
        (folder / _FIGURES).mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write_atomically(storage, folder / name, content)
    return [folder / name for name in contents]


def compose(analysis: Analysis) -> Iterator[Block]:
    """Put the report together."""
    plan = analysis.plan
    done = len(plan.trials) - len(analysis.missing)
    # A file's name without its folder: a report is the same wherever it is made.
    yield Heading(
        1, f"Report: {Path(plan.selection.name).name if _is_file(analysis) else plan.selection.name}"
    )
    yield Paragraph(
        f"{done} of {len(plan.trials)} different trials have a result "
        f"({plan.wanted} were asked for; equal ones run once)."
    )
    yield Heading(2, "Summary")
    yield Bullets(tuple(_summary(analysis)) or ("Nothing can be concluded yet.",))
    yield Heading(2, "How to read it")
    yield Paragraph(_METHOD)
    study = None
    for part in analysis.parts:
        if part.study is not study:
            study = part.study
            yield from _study(part)
        yield from _part(part)
    if analysis.frontiers:
        yield from _frontiers(analysis)
    yield Heading(2, "What is missing")
    missing = tables.missing_table(analysis)
    yield missing if missing is not None else Paragraph("Nothing: every trial has a result.")


def _is_file(analysis: Analysis) -> bool:
    return analysis.plan.selection.name.endswith(".toml")


def _summary(analysis: Analysis) -> Iterator[str]:
    for part in analysis.parts:
        if part.finished:
            yield from (f"{part.part.name}: {sentence}" for sentence in conclusions(part)[:1])
        else:
            yield f"{part.part.name}: no trial has finished."


def _study(part: PartAnalysis) -> Iterator[Block]:
    file = part.study.file
    yield Heading(2, f"{part.study.id}: {file.title}")
    if file.question:
        yield Paragraph(f"Question. {file.question}")
    if file.method:
        yield Paragraph(f"Method. {file.method}")
    if file.correction is not None:
        yield Paragraph(f"Known fault of the design. {file.correction.about}")


def _part(part: PartAnalysis) -> Iterator[Block]:
    yield Heading(3, f"{part.part.name}: {part.part.title}" if part.part.title else part.part.name)
    yield tables.arms_table(part)
    said = conclusions(part)
    if said:
        yield Bullets(tuple(said))
    notes = [remark for law in part.laws if law.fit and law.fit.law for remark in law.fit.remarks]
    yield from (Paragraph(f"Note. {remark}") for remark in dict.fromkeys(notes))
    for table in (tables.fits_table, tables.pairs_table, tables.targets_table, tables.noise_table):
        found: Table | None = table(part)
        if found is not None:
            yield found
    for chart in charts_of_part(part):
        yield Picture(f"{_FIGURES}/{chart.name}.svg", chart.title, draw(chart))


def _frontiers(analysis: Analysis) -> Iterator[Block]:
    yield Heading(2, "Frontiers")
    yield Paragraph(
        "An arm is on a frontier when no other is at most as dear and at least as good. The share of draws "
        "says how often it is there when accuracies, and measured times, are drawn anew within their "
        "uncertainty."
    )
    yield Bullets(tuple(of_frontiers(analysis)))
    for one in analysis.frontiers:
        yield tables.frontier_table(one)
        chart = frontier_chart(one)
        yield Picture(f"{_FIGURES}/{chart.name}.svg", chart.title, draw(chart))
