"""`studies fit`: a law through a table of runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trm_tui.cli.terminal.context import user_path
from trm_tui.cli.terminal.output import JsonFlag, print_facts, print_json, print_table, print_text

if TYPE_CHECKING:
    from trm_engine.studies.fitting.fits import Fit


def fit(
    csv: Annotated[
        Path, typer.Option("--csv", parser=user_path, metavar="FILE", help="A table with one run a line.")
    ],
    x: Annotated[str, typer.Option(metavar="COLUMN", help="What was varied; above 0.")],
    y: Annotated[str, typer.Option(metavar="COLUMN", help="What was measured: an accuracy, a loss.")],
    n: Annotated[
        str, typer.Option(metavar="COLUMN", help="Puzzles that y is a share of: gives its uncertainty.")
    ] = "",
    seed: Annotated[
        str, typer.Option(metavar="COLUMN", help="Random seed; runs with the same x are repeats either way.")
    ] = "",
    json: JsonFlag = False,
) -> None:
    """Fit y = a − b·x^(−c) to a table, with intervals, and say whether a law holds at all.

    Rows without a number in y, or whose column `status` says that they did not finish, are left out and
    listed.
    """
    from trm_engine.studies.fitting.fits import fit as fit_runs
    from trm_engine.studies.fitting.table import Columns, read_table

    table = read_table(csv, Columns(x, y, n, seed))
    found = fit_runs(table.runs)
    if json:
        print_json({"x": x, "y": y, **found.to_dict(), "left_out": table.left_out})
        return
    _print(found, x, y, table.left_out)


def _print(found: Fit, x: str, y: str, left_out: list[str]) -> None:
    low, high = found.point_intervals()
    points = found.points
    print_table(
        (f">{x}", f">{y}", ">seeds", ">90 % interval"),
        [
            (
                f"{points.x[i]:g}",
                f"{points.y[i]:.5g}",
                f"{points.seeds[i]:.0f}",
                f"{low[i]:.4g} … {high[i]:.4g}",
            )
            for i in range(len(points))
        ],
    )
    facts: list[tuple[str, object]] = [("preferred", found.preferred)]
    if found.law is not None and found.comparison is not None:
        for name in "abc":
            interval = found.interval(name)
            assert interval is not None
            value = float(getattr(found.law, name)[0])
            facts.append((name, f"{value:.4g} (90 %: {interval.low:.4g} … {interval.high:.4g})"))
        facts.append(("misfit by chance", f"{found.comparison.lack_of_fit:.2g}"))
    print_facts(facts, title=f"{y} = a − b · {x}^(−c)")
    for remark in found.remarks:
        print_text(f"note: {remark}")
    for line in left_out:
        print_text(f"left out: {line}")
