"""`studies …`: many runs that answer one question."""

from __future__ import annotations

from trm_tui.cli.lazy import group
from trm_tui.cli.studies.fit import fit
from trm_tui.cli.studies.plan import list_studies, new, plan, show
from trm_tui.cli.studies.report import plot, report
from trm_tui.cli.studies.run import resume, run, status, stop

app = group(
    help="Plan, run, resume, fit and report studies: many runs that answer one question.",
)
app.command("list")(list_studies)
for command in (show, plan, new, run, status, stop, resume, fit, plot, report):
    app.command()(command)
