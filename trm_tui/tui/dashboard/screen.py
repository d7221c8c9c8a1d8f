"""The dashboard: what the run in the active slot is doing, live."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from trm_tui.tui.common.chart import Chart
from trm_tui.tui.common.dialogs import Ask, Reading
from trm_tui.tui.common.figure_chart import draw
from trm_tui.tui.common.machine_panel import MachinePanel
from trm_tui.tui.common.panel import DecisionsPanel
from trm_tui.tui.common.screen import ModeScreen
from trm_tui.tui.dashboard.event_log import EventLog
from trm_tui.tui.dashboard.run_panel import Brief, RunPanel, run_details
from trm_tui.tui.keys import Where
from trm_tui.workbench.charts.curves import X_AXES
from trm_tui.workbench.charts.figures import Figure, figures_of
from trm_tui.workbench.possible import possible
from trm_tui.workbench.snapshot import EMPTY, Snapshot

_NO_CURVE = "No curve yet: there are no records to show."
_SMOOTHINGS = (0.0, 0.6, 0.9, 0.97)
_CHARTS = 4
_SECONDS_BETWEEN_CURVES = 1.0


class DashboardScreen(ModeScreen):
    """Charts at the left, figures at the right, the log below."""

    where: ClassVar[Where] = "dashboard"
    CSS_PATH = "dashboard.tcss"
    AUTO_FOCUS = "#chart-0"

    def __init__(self) -> None:
        super().__init__()
        self._figures = list(range(_CHARTS))
        self._snapshot = self._drawn = EMPTY
        self._drawn_overlays: object = None

    def body(self) -> ComposeResult:
        """Yield the panels."""
        yield Brief(id="brief")
        failure = Static(id="failure", markup=False)
        yield failure
        with Horizontal(id="main"):
            with Container(id="charts"):
                for number in range(_CHARTS):
                    yield Chart(id=f"chart-{number}", empty="no points yet")
            with Vertical(id="side"):
                yield RunPanel(id="run")
                yield MachinePanel(id="machine")
                yield DecisionsPanel(id="decisions", more="… i shows all")
        yield EventLog(id="log")

    def show(self, snapshot: Snapshot) -> None:
        """Take over what is new."""
        if snapshot.slot != self._snapshot.slot:
            for chart in self.query(Chart):
                chart.reset_window()
                chart.hide_cursor()
        self._snapshot = snapshot
        if self._charts_are_due(snapshot):
            self._draw_charts()
        self.query_one(RunPanel).snapshot = snapshot
        self.query_one(DecisionsPanel).snapshot = snapshot
        self.query_one(Brief).snapshot = snapshot
        machine = self.query_one(MachinePanel)
        machine.sample, machine.hardware = self.trm.workbench.machine(), self.trm.workbench.hardware()
        machine.settings = snapshot.memory_settings if snapshot.active else None
        self.query_one(EventLog).show(snapshot)
        self.set_class(snapshot.failure is not None, "-failed")
        if snapshot.failure is not None:
            failure = self.query_one("#failure", Static)
            failure.border_title = "The run has failed" if snapshot.session else "Not started"
            failure.update(_failure(snapshot))

    def search(self) -> None:
        """Search the log."""
        log = self.query_one(EventLog)
        question = Ask(
            "Search the log",
            "Show the lines with all of these words. warnings: and errors: stand for lines of that kind; "
            "without a word all lines are shown.",
            value=log.sought,
        )

        def answered(words: str | None) -> None:
            if words is not None:
                log.search(words)

        self.app.push_screen(question, answered)

    # --- actions of the key table -------------------------------------------------------------------------

    def action_maximise(self) -> None:
        """Give the panel with the focus the whole screen, or give it back."""
        chosen = self.focused
        already = self.has_class("-maximised")
        if chosen is None and not already:
            self.trm.say("No panel has the focus: tab moves it.")
            return
        for widget in self.query(".-chosen"):
            widget.remove_class("-chosen")
        self.set_class(not already and chosen is not None, "-maximised")
        if not already:
            while chosen is not None and chosen.id != "body":
                chosen.add_class("-chosen")
                chosen = chosen.parent if isinstance(chosen.parent, Widget) else None

    def action_next_figure(self) -> None:
        """Show the next figure in the chart with the focus."""
        number = self._charts().index(self._chart())
        self._figures[number] = (self._figures[number] + 1) % len(self._choice)
        self._chart().reset_window()
        self._draw_charts()

    def action_log_scale(self) -> None:
        """Change between a logarithmic and a linear y axis of losses."""
        self._remember(log_y=not self.trm.settings.log_y)
        if not any(self._choice[number % len(self._choice)].may_be_log for number in self._figures):
            self.trm.say(f"Losses have a {'logarithmic' if self.trm.settings.log_y else 'linear'} axis.")

    def action_x_axis(self) -> None:
        """Change what the x axis shows."""
        now = X_AXES.index(self.trm.settings.x_axis)
        self._remember(x_axis=X_AXES[(now + 1) % len(X_AXES)])

    def action_smoothing(self) -> None:
        """Smooth training curves more, or not at all."""
        now = self.trm.settings.smoothing
        self._remember(smoothing=next((value for value in _SMOOTHINGS if value > now), 0.0))

    def action_markers(self) -> None:
        """Draw with braille, or with blocks."""
        self._remember(markers="blocks" if self.trm.settings.markers == "braille" else "braille")
        if all(chart.is_empty for chart in self._charts()):
            self.trm.say(f"Charts are drawn with {self.trm.settings.markers}.")

    def action_zoom(self, factor: float) -> None:
        """Show more or less of the x axis."""
        chart = self._chart()
        if chart.is_empty:
            self.trm.say(_NO_CURVE)
        elif factor > 1 and not chart.is_zoomed:
            self.trm.say("All of the curve is shown already.")
        else:
            chart.zoom(factor)

    def action_pan(self, share: float) -> None:
        """Move a zoomed chart."""
        chart = self._chart()
        if chart.is_zoomed:
            chart.pan(share)
        else:
            self.trm.say("All of the curve is shown: ↑ zooms in first." if not chart.is_empty else _NO_CURVE)

    def action_cursor(self, cells: int) -> None:
        """Move the reading cursor, through all charts."""
        chosen = self._chart()
        before = chosen.cursor
        at = chosen.move_cursor(cells)
        if at is None:
            self.trm.say(_NO_CURVE)
        elif at == before:
            self.trm.say("This is the last record." if cells > 0 else "This is the first record.")
        else:
            self._read_all_at(at, chosen)

    @on(Chart.Read)
    def _read(self, event: Chart.Read) -> None:
        self._read_all_at(event.x, event.chart)

    def _read_all_at(self, x: float, chosen: Chart) -> None:
        for chart in self._charts():
            if chart is not chosen:
                chart.put_cursor(x)

    def action_reset_view(self) -> None:
        """Show all of every chart."""
        if not any(chart.is_zoomed or chart.has_cursor for chart in self._charts()):
            self.trm.say("All of every chart is shown already.")
        for chart in self._charts():
            chart.reset_window()
            chart.hide_cursor()

    def action_back(self) -> None:
        """Leave the cursor, then the maximised panel."""
        if any(chart.has_cursor for chart in self._charts()):
            for chart in self._charts():
                chart.hide_cursor()
        elif self.has_class("-maximised"):
            self.action_maximise()
        else:
            self.trm.say("This is the dashboard. ? shows all keys, q leaves.")

    def action_overlay(self) -> None:
        """Pick other sessions whose curves are drawn too."""
        from trm_tui.tui.presets.dialog import PickSessions

        chosen = [overlay.session for overlay in self.trm.overlays]
        self.app.push_screen(PickSessions(chosen, without=self._snapshot.session), self._picked)

    def action_details(self) -> None:
        """Show decisions, data, configuration, and the traceback of a failure."""
        self.app.push_screen(Reading(self._snapshot.title or "No run", run_details(self._snapshot)))

    def _picked(self, refs: list[str] | None) -> None:
        if refs is not None:
            self.trm.overlay(refs)

    def _remember(self, **changes: object) -> None:
        self.trm.remember(**changes)
        self._draw_charts()

    def _draw_charts(self) -> None:
        self._drawn, self._drawn_overlays = self._snapshot, self.trm.overlays
        self.query_one(RunPanel).charted = self._snapshot.latest
        for number, chart in enumerate(self._charts()):
            chart.markers = self.trm.settings.markers
            figure = self._choice[self._figures[number] % len(self._choice)]
            draw(chart, figure, self._snapshot, self.trm.settings, self.trm.overlays)

    def _charts_are_due(self, snapshot: Snapshot) -> bool:
        """Whether the curves are to be drawn: a running one grows by a dot, so once a second is enough."""
        drawn = self._drawn
        return (
            (snapshot.slot, snapshot.state, snapshot.evaluated) != (drawn.slot, drawn.state, drawn.evaluated)
            or snapshot.state != "running"
            or self._drawn_overlays is not self.trm.overlays
            or abs(snapshot.seconds - drawn.seconds) >= _SECONDS_BETWEEN_CURVES
        )

    @property
    def _choice(self) -> tuple[Figure, ...]:
        return figures_of(self._snapshot.kind)

    def _charts(self) -> list[Chart]:
        return list(self.query(Chart))

    def _chart(self) -> Chart:
        """Return the chart with the focus, else the first."""
        return self.focused if isinstance(self.focused, Chart) else self._charts()[0]


def _failure(snapshot: Snapshot) -> Content:
    """Return what happened, what is saved, and what can be done."""
    assert snapshot.failure is not None
    lines = [Content.styled(snapshot.failure.message, "$text-error")]
    if snapshot.saved is not None:
        lines.append(Content(f"Saved up to step {snapshot.saved.step:,}: space resumes from there."))
    else:
        lines.append(Content(possible("pause", snapshot).refusal))
    if snapshot.failure.traceback:
        lines.append(Content.styled("i shows the traceback.", "$text-muted"))
    return Content("\n").join(lines)
