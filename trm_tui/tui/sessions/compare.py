"""Marked sessions side by side: their curves in one chart, and the settings in which they differ below."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len
from textual import work
from textual.app import ComposeResult
from textual.content import Content

from trm_engine.errors import TrmError
from trm_engine.paths import in_home
from trm_tui.tui.common.chart import Chart
from trm_tui.tui.common.dialogs import Ask
from trm_tui.tui.common.screen import ModeScreen
from trm_tui.tui.common.series import Series
from trm_tui.tui.keys import Where
from trm_tui.tui.sessions.panes import Pane
from trm_tui.tui.sessions.signs import fitted
from trm_tui.workbench.browser.comparing import Comparison, compare
from trm_tui.workbench.browser.exporting import (
    PICTURE_ENDINGS,
    draw_curves,
    file_problem,
    place_of,
    suggested,
)
from trm_tui.workbench.charts.curves import X_AXES
from trm_tui.workbench.charts.figures import X_TITLES, X_UNITS, Figure, figures_to_compare

COLOURS = ("primary", "accent", "success", "secondary", "error", "warning", "foreground", "text-muted")
"""Of the theme, one a session, in the chart and above its column."""
_WIDEST = 22
_GAP = "  "


def differences_content(comparison: Comparison) -> Content:
    """Return the table, under the sessions' names in their colours."""
    lines = [Content.styled(problem, "$text-warning") for problem in comparison.problems]
    if len(comparison.sessions) < 2:
        return Content("\n").join(lines or [Content.styled("one session: nothing to compare", "$text-muted")])
    if not comparison.differences:
        return Content("\n").join([*lines, Content("the configurations are equal")])
    titles = [session.title for session in comparison.sessions]
    keys = [difference.key for difference in comparison.differences]
    first = max(cell_len(key) for key in keys)
    widths = [
        _width([title, *(difference.values[place] for difference in comparison.differences)])
        for place, title in enumerate(titles)
    ]
    lines.append(_head(titles, first, widths))
    for difference in comparison.differences:
        cells = [fitted(value, width) for value, width in zip(difference.values, widths, strict=True)]
        lines.append(
            Content.assemble((fitted(difference.key, first), "$text-muted"), _GAP, _GAP.join(cells).rstrip())
        )
    return Content("\n").join(lines)


def _head(titles: Sequence[str], first: int, widths: Sequence[int]) -> Content:
    parts: list[tuple[str, str] | str] = [" " * first]
    for place, (title, width) in enumerate(zip(titles, widths, strict=True)):
        parts += [_GAP, (fitted(title, width), f"bold ${COLOURS[place % len(COLOURS)]}")]
    return Content.assemble(*parts)


def _width(texts: Sequence[str]) -> int:
    return min(max(map(cell_len, texts)), _WIDEST)


_SMOOTHINGS = (0.0, 0.6, 0.9, 0.97)


class CompareScreen(ModeScreen):
    """Stands on top of the browser until it is left."""

    where: ClassVar[Where] = "compare"
    CSS_PATH = "compare.tcss"
    AUTO_FOCUS = "Chart"

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__()
        self._ids = ids
        self._comparison = Comparison((), ())
        self._figure = 1  # accuracy says most

    def body(self) -> ComposeResult:
        """Yield chart and table."""
        yield Chart(empty="reading…")
        table = Pane(id="differences")
        table.border_title = "Settings that differ"
        yield table

    def on_mount(self) -> None:
        """Read the sessions."""
        self._read()

    @work(exclusive=True, group="compare")
    async def _read(self) -> None:
        self._comparison = await self.beside(compare, self.trm.store, self._ids)
        self.query_one(Pane).show(differences_content(self._comparison))
        self._draw()

    def _draw(self) -> None:
        settings, figure = self.trm.settings, self._shown
        line = figure.lines[0]
        series = [
            Series(
                s.title, curve.x(settings.x_axis), curve.values, COLOURS[place % len(COLOURS)], line.smooth
            )
            for place, s in enumerate(self._comparison.sessions)
            if (curve := s.curves.get(line.curve)) is not None
        ]
        chart = self.query_one(Chart)
        chart.markers = settings.markers
        smoothing = settings.smoothing if line.smooth else 0.0
        chart.show(
            series,
            title=figure.title,
            x_axis=X_TITLES[settings.x_axis],
            x_unit=X_UNITS[settings.x_axis],
            y_unit=figure.unit,
            log_y=settings.log_y and figure.may_be_log,
            smoothing=smoothing,
            y_range=figure.y_range,
            note=f"{line.label}, smoothed {smoothing:g}" if smoothing else line.label,
        )

    # --- actions of the key table -------------------------------------------------------------------------

    def action_figure(self, places: int) -> None:
        """Show another figure."""
        self._figure = (self._figure + places) % len(self._choice)
        self.query_one(Chart).reset_window()
        self._draw()

    def action_x_axis(self) -> None:
        """Change what the x axis shows."""
        now = X_AXES.index(self.trm.settings.x_axis)
        self._remember(x_axis=X_AXES[(now + 1) % len(X_AXES)])

    def action_log_scale(self) -> None:
        """Change between a logarithmic and a linear y axis of losses."""
        self._remember(log_y=not self.trm.settings.log_y)

    def action_smoothing(self) -> None:
        """Smooth training curves more, or not at all."""
        now = self.trm.settings.smoothing
        self._remember(smoothing=next((value for value in _SMOOTHINGS if value > now), 0.0))

    def action_zoom(self, factor: float) -> None:
        """Show more or less of the x axis; in the table of settings, scroll."""
        pane = self.query_one(Pane)
        if self.focused is pane:
            pane.move(-1 if factor < 1 else 1)
        else:
            self.query_one(Chart).zoom(factor)

    def action_pan(self, share: float) -> None:
        """Move a zoomed chart."""
        self.query_one(Chart).pan(share)

    def action_cursor(self, cells: int) -> None:
        """Move the reading cursor."""
        self.query_one(Chart).move_cursor(cells)

    def action_reset_view(self) -> None:
        """Show all of the chart."""
        chart = self.query_one(Chart)
        chart.reset_window()
        chart.hide_cursor()

    def action_page(self, pages: int) -> None:
        """Scroll the table of settings."""
        pane = self.query_one(Pane)
        pane.move(pages * max(pane.size.height - 1, 1))

    def action_export(self) -> None:
        """Write the chart as a picture."""
        title = self._comparison.sessions[0].title if self._comparison.sessions else ""
        what = f"-{self._shown.title.lower().replace(' ', '-')}"
        name = suggested(title, what, ".svg")
        question = Ask(
            "Export",
            f"Draw into which file? ({' or '.join(PICTURE_ENDINGS)})",
            value=name,
            check=lambda text: file_problem(text, endings=PICTURE_ENDINGS),
            hint=place_of,
        )

        def answered(name: str | None) -> None:
            if name:
                self._write(in_home(Path(name.strip())))

        self.app.push_screen(question, answered)

    @work(group="export")
    async def _write(self, file: Path) -> None:
        figure, settings = self._shown, self.trm.settings
        sessions = self._comparison.sessions
        try:
            await self.beside(
                draw_curves, sessions, [figure], file, axis=settings.x_axis, log_y=settings.log_y
            )
        except TrmError as error:
            self.trm.say(str(error), "error")
        else:
            self.trm.say(f"wrote {file}")

    def action_back(self) -> None:
        """Leave the cursor, then the comparison."""
        chart = self.query_one(Chart)
        if chart.has_cursor:
            chart.hide_cursor()
        else:
            self.dismiss()

    @property
    def _choice(self) -> tuple[Figure, ...]:
        return figures_to_compare(session.curves for session in self._comparison.sessions)

    @property
    def _shown(self) -> Figure:
        return self._choice[self._figure % len(self._choice)]

    def _remember(self, **changes: object) -> None:
        self.trm.remember(**changes)
        self._draw()
