"""What screens are made of: raster, ticks, gauges, and the chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from trm_engine.decisions import Decision
from trm_tui.tui.common.chart import Chart
from trm_tui.tui.common.gauges import bar, levels, parts_bar, progress_bar, sparkline
from trm_tui.tui.common.panel import DecisionsPanel
from trm_tui.tui.common.series import Series
from trm_tui.tui.theme import DARK
from trm_tui.workbench.charts.chart_lines import Plot
from trm_tui.workbench.charts.curves import columns
from trm_tui.workbench.charts.raster import Markers, Raster
from trm_tui.workbench.charts.ticks import labels, log_ticks, ticks, write
from trm_tui.workbench.snapshot import EMPTY


def drawn(values: Sequence[float], width: int, height: int, markers: Markers = "braille") -> list[str]:
    """Return the picture of a line whose values are pixel rows from below."""
    raster = Raster(width, height, markers)
    xs = [float(i) for i in range(len(values))]
    line = columns((xs, values), (xs[0], xs[-1]), raster.dots_across)
    raster.draw(0, line, lambda value: raster.dots_down - 1 - round(value))
    return ["".join(raster.cell(column, row)[0] for column in range(width)) for row in range(height)]


def test_a_level_line_fills_one_row_of_dots() -> None:
    assert drawn([0.0, 0.0], 4, 1) == ["⣀⣀⣀⣀"]
    assert drawn([3.0, 3.0], 4, 1) == ["⠉⠉⠉⠉"]


def test_a_slope_has_no_gaps() -> None:
    assert drawn([0.0, 7.0], 4, 2) == ["  ⡠⠊", "⡠⠊  "]


def test_a_jump_is_joined() -> None:
    assert drawn([0.0, 0.0, 7.0, 7.0], 2, 2) == [" ⡏", "⣀⠇"]


def test_without_braille_half_blocks_are_used() -> None:
    assert drawn([0.0, 0.0], 3, 1, "blocks") == ["▄▄▄"]
    assert drawn([1.0, 1.0], 3, 1, "blocks") == ["▀▀▀"]


def test_a_cell_belongs_to_the_line_drawn_last() -> None:
    raster = Raster(1, 1, "braille")
    for owner in (1, 0):
        raster.draw(owner, columns(([0.0, 1.0], [0.0, 0.0]), (0.0, 1.0), 2), lambda _: 3)
    assert raster.cell(0, 0) == ("⣀", 0)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60), st.integers(1, 30), st.integers(1, 10))
def test_any_line_stays_on_the_raster(values: list[float], width: int, height: int) -> None:
    picture = drawn(values, width, height)
    assert [len(row) for row in picture] == [width] * height


@pytest.mark.parametrize(
    ("low", "high", "count", "expected"),
    [
        (0, 1, 2, [0, 0.5, 1.0]),
        (10, 1240, 4, [500, 1000]),
        (0, 100, 5, [0, 20, 40, 60, 80, 100]),
        (3, 3, 4, [3]),
    ],
)
def test_marks_stand_at_round_numbers(low: float, high: float, count: int, expected: list[float]) -> None:
    assert ticks(low, high, count) == pytest.approx(expected)


def test_times_have_marks_of_minutes_and_hours() -> None:
    assert ticks(0, 3600, 4, "seconds") == [0, 900, 1800, 2700, 3600]


@given(st.floats(-1e12, 1e12), st.floats(1e-6, 1e12), st.integers(1, 12))
def test_marks_lie_within_the_axis_and_are_few(low: float, width: float, count: int) -> None:
    high = low + width
    found = ticks(low, high, count)
    room = 1e-6 * max(abs(low), abs(high), width)
    assert all(low - room <= tick <= high + room for tick in found)
    assert len(found) <= 3 * count + 2


def test_a_log_axis_has_marks_at_powers_or_between() -> None:
    assert log_ticks(-2, 1, 6) == [-2, -1, 0, 1]
    assert [round(10**tick, 6) for tick in log_ticks(math.log10(0.3), math.log10(2), 4)] == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (0, "number", "0"),
        (1240, "number", "1240"),
        (12_000, "number", "12k"),
        (2.5e6, "number", "2.5M"),
        (0.0005, "number", "5e-4"),
        (0.345, "percent", "34.5%"),
        (1.0, "percent", "100%"),
        (610e6, "bytes", "610 MB"),
        (75, "seconds", "1:15"),
    ],
)
def test_numbers_are_written_short(value: float, unit: str, written: str) -> None:
    assert write(value, unit) == written  # type: ignore[arg-type]


def test_the_marks_of_an_axis_have_equal_decimals() -> None:
    assert labels([0, 0.0005, 0.001, 0.0015]) == ["0", "0.0005", "0.0010", "0.0015"]


@given(st.floats(allow_nan=False), st.integers(0, 60))
def test_bars_are_as_wide_as_asked(share: float, width: int) -> None:
    assert len(bar(share, width).plain) == width
    assert len(progress_bar(share, width).plain) == width
    assert len(parts_bar([(share, "$primary"), (0.5, "$error")], width, 0.8).plain) == width


def test_a_bar_is_filled_to_an_eighth() -> None:
    assert bar(0.5, 4).plain == "██  "
    assert bar(0.53125, 4).plain == "██▏ "


def test_a_sparkline_shows_the_latest() -> None:
    assert sparkline([0, 0, 6, 12], 2).plain == "▄▇"
    assert sparkline([], 5).plain == ""
    assert sparkline([0, 0], 5).plain == "▁▁"
    assert levels([0, 0.5, 1, 2]) == "▁▄██"


class Gallery(App[None]):
    """One chart."""

    def compose(self) -> ComposeResult:
        yield Chart(id="chart")

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.theme = "trm-dark"


def text_of(chart: Chart) -> list[str]:
    return [chart.render_line(y).text for y in range(chart.size.height)]


@pytest.fixture
def gallery() -> Gallery:
    return Gallery()


async def test_a_chart_without_points_says_so(gallery: Gallery) -> None:
    async with gallery.run_test(size=(40, 12)):
        assert "no points yet" in "".join(text_of(gallery.query_one(Chart)))


@pytest.mark.parametrize("log_y", [False, True])
@pytest.mark.parametrize("size", [(40, 12), (140, 45), (3, 3), (12, 4)])
async def test_values_that_cannot_be_drawn_do_no_harm(
    gallery: Gallery, size: tuple[int, int], log_y: bool
) -> None:
    y = [1.0, math.nan, math.inf, -math.inf, 0.0, -3.0, 1e300, 2.0]
    async with gallery.run_test(size=size):
        chart = gallery.query_one(Chart)
        chart.show([Series("odd", [float(i) for i in range(8)], y)], log_y=log_y)
        assert {len(line) for line in text_of(chart)} <= {chart.size.width}


async def test_one_point_can_be_drawn(gallery: Gallery) -> None:
    async with gallery.run_test(size=(40, 12)):
        chart = gallery.query_one(Chart)
        chart.show([Series("one", [5.0], [2.0])])
        assert any("⠀" < sign <= "⣿" for line in text_of(chart) for sign in line)


async def test_the_title_tells_the_last_value_and_that_under_the_cursor(gallery: Gallery) -> None:
    async with gallery.run_test(size=(60, 12)):
        chart = gallery.query_one(Chart)
        chart.show(
            [Series("loss", [float(i) for i in range(101)], [float(i) for i in range(101)])], title="Loss"
        )
        assert "100 loss" in str(chart.border_title)
        chart.move_cursor(-1)
        for _ in range(500):
            chart.move_cursor(-1)
        assert "step 0" in str(chart.border_subtitle)
        assert "0 loss" in str(chart.border_title)
        assert chart.has_cursor
        chart.hide_cursor()
        assert "100 loss" in str(chart.border_title)


async def test_the_cursor_goes_from_record_to_record(gallery: Gallery) -> None:
    async with gallery.run_test(size=(60, 12)):
        chart = gallery.query_one(Chart)
        chart.show([Series("exact", [0.0, 50.0, 51.0, 200.0], [0.0, 0.25, 0.5, 1.0])], title="Accuracy")
        assert [chart.move_cursor(-1) for _ in range(5)] == [200, 51, 50, 0, 0]
        assert [chart.move_cursor(1) for _ in range(4)] == [50, 51, 200, 200]


async def test_figures_are_those_of_the_records_also_where_the_line_is_smoothed(gallery: Gallery) -> None:
    async with gallery.run_test(size=(60, 12)):
        chart = gallery.query_one(Chart)
        chart.show([Series("train", [0.0, 1.0, 2.0], [1.0, 1.0, 3.0])], title="Loss", smoothing=0.9)
        assert "3 train" in str(chart.border_title)


async def test_values_come_before_names_where_room_is_short(gallery: Gallery) -> None:
    async with gallery.run_test(size=(34, 12)):
        chart = gallery.query_one(Chart)
        x, y = [0.0, 1.0], [0.25, 0.5]
        lines = [Series("exact matches", x, y), Series("a long name", x, y), Series("third", x, y)]
        chart.show(lines, title="Accuracy")
        assert str(chart.border_title).count("0.5") == 3
        assert "third" in str(chart.border_subtitle) + str(chart.border_title), "every line is named"


async def test_the_best_point_and_the_ends_of_overlays_are_marked(gallery: Gallery) -> None:
    async with gallery.run_test(size=(60, 12)):
        chart = gallery.query_one(Chart)
        x = [0.0, 1.0, 2.0]
        best = Series("exact", x, [0.1, 0.9, 0.5], best="highest")
        chart.show([best, Series("other", x, [0.3, 0.3, 0.3], letter="a")])
        text = "".join(text_of(chart))
        assert text.count("★") == 1
        assert "a" in text
        assert "0.3 other" in str(chart.border_title)


@pytest.mark.parametrize("height", [6, 8, 12, 20])
@pytest.mark.parametrize("top", [9.0, 0.84, 344e6, 1240.0])
def test_an_axis_has_two_marks_and_none_is_below_the_line(height: int, top: float) -> None:
    plot = Plot([([0.0, 1.0], [0.0, top])], (0.0, 1.0), 60, height, "braille", y_range=(0.0, None))
    assert len(plot.marks) >= 2
    highest = min(plot.marks)
    assert all(owner < 0 for row in range(highest) for _, owner in plot.row(row)), (
        "nothing above the top mark"
    )


def test_a_level_line_runs_through_the_row_of_its_mark() -> None:
    plot = Plot([([0.0, 1.0], [1.0, 1.0])], (0.0, 1.0), 40, 10, "braille", y_range=(0.0, 1.0))
    (row,) = (row for row, label in plot.marks.items() if float(label) == 1.0)
    assert any(owner == 0 for _, owner in plot.row(row))


async def test_zoom_pan_and_reset_move_the_window(gallery: Gallery) -> None:
    async with gallery.run_test(size=(60, 12)):
        chart = gallery.query_one(Chart)
        chart.show([Series("loss", [0.0, 100.0], [0.0, 1.0])])
        chart.pan(-0.5)
        assert chart.window == (0.0, 100.0), "there is nothing beside all there is"
        chart.zoom(0.5)
        assert chart.window == (50.0, 100.0)
        chart.pan(-0.5)
        assert chart.window == (25.0, 75.0)
        chart.pan(-9)
        assert chart.window == (0.0, 50.0)
        chart.zoom(4)
        assert chart.window == (0.0, 100.0)
        for _ in range(100):
            chart.zoom(0.5)
        assert chart.window[1] - chart.window[0] == pytest.approx(0.1), "there is an end to zooming in"
        chart.reset_window()
        assert chart.window == (0.0, 100.0)


async def test_the_mouse_reads_and_zooms(gallery: Gallery) -> None:
    async with gallery.run_test(size=(60, 12)) as pilot:
        chart = gallery.query_one(Chart)
        chart.show([Series("loss", [0.0, 100.0], [0.0, 100.0])], title="Loss")
        await pilot.pause()
        await pilot.click(Chart, offset=(58, 5))
        assert "step 100" in str(chart.border_subtitle)
        chart.on_mouse_scroll_up()
        assert chart.window == (20.0, 100.0)
        chart.on_mouse_scroll_down()
        assert chart.window == (0.0, 100.0)


async def test_a_window_that_shows_everything_follows_the_end(gallery: Gallery) -> None:
    async with gallery.run_test(size=(60, 12)):
        chart = gallery.query_one(Chart)
        chart.show([Series("loss", [0.0, 100.0], [0.0, 1.0])])
        chart.show([Series("loss", [0.0, 200.0], [0.0, 1.0])])
        assert chart.window == (0.0, 200.0)
        chart.zoom(0.5)
        chart.show([Series("loss", [0.0, 400.0], [0.0, 1.0])])
        assert chart.window == (100.0, 200.0), "a chosen window stays"


async def test_another_x_axis_shows_everything_again(gallery: Gallery) -> None:
    async with gallery.run_test(size=(60, 12)):
        chart = gallery.query_one(Chart)
        chart.show([Series("loss", [0.0, 100.0], [0.0, 1.0])])
        chart.zoom(0.5)
        chart.show([Series("loss", [0.0, 7.0], [0.0, 1.0])], x_axis="time")
        assert chart.window == (0.0, 7.0)


async def test_what_has_not_changed_is_not_drawn_again(gallery: Gallery) -> None:
    async with gallery.run_test(size=(60, 12)):
        chart = gallery.query_one(Chart)
        x, y = [0.0, 1.0], [0.0, 1.0]
        chart.show([Series("loss", x, y)])
        before = chart.render_line(0)
        chart.show([Series("loss", x, y)])
        assert chart.render_line(0) is before
        chart.show([Series("loss", x, [0.0, 5.0])])
        assert chart.render_line(0) is not before


async def test_blocks_replace_braille(gallery: Gallery) -> None:
    async with gallery.run_test(size=(60, 12)):
        chart = gallery.query_one(Chart)
        chart.show([Series("loss", [0.0, 1.0], [0.0, 1.0])])
        chart.markers = "blocks"
        text = "".join(text_of(chart))
        assert not any("⠀" < sign <= "⣿" for sign in text)
        assert "▀" in text or "▄" in text


def test_a_long_decision_is_wrapped_and_not_cut() -> None:
    panel = DecisionsPanel()
    decision = Decision("data", "in memory, loaded in the training thread", "faster than a worker process")
    panel.set_reactive(DecisionsPanel.snapshot, replace(EMPTY, decisions=(decision,)))
    assert [line.plain for line in panel.lines(30)] == [
        "data in memory, loaded in",
        "  the training thread",
        "  faster than a worker process",
    ]
