"""`studies …`: many runs that answer one question."""

from __future__ import annotations

import typer

from trm_tui.cli.studies.fit import fit
from trm_tui.cli.studies.plan import list_studies, new, plan, show
from trm_tui.cli.studies.report import plot, report
from trm_tui.cli.studies.run import resume, run, status, stop

app = typer.Typer(
    help="Plan, run, resume, fit and report studies: many runs that answer one question.",
    no_args_is_help=True,
)
app.command("list")(list_studies)
for command in (show, plan, new, run, status, stop, resume, fit, plot, report):
    app.command()(command)
