"""Curves: bounded however long a run takes, and true to its extremes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trm_tui.workbench.charts.curves import CurveRecorder, columns, extremes, finite, smoothed, value_at

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300)


@pytest.mark.parametrize("count", [10, 1_000, 30_000])
def test_a_curve_never_holds_more_than_its_limit(count: int) -> None:
    recorder = CurveRecorder(max_points=256)
    for step in range(count):
        recorder.add(step, step * 64, step / 10, math.sin(step))
        assert len(recorder) < 256
    assert len(recorder) >= min(count, 64)


@given(NUMBERS)
def test_a_full_curve_keeps_its_extremes_its_order_and_its_ends(values: list[float]) -> None:
    recorder = CurveRecorder(max_points=32)
    for step, value in enumerate(values):
        recorder.add(step, step, step, value)
    curve = recorder.freeze()
    assert max(curve.values) == max(values)
    assert min(curve.values) == min(values)
    assert list(curve.steps) == sorted(curve.steps)
    assert (curve.steps[0], curve.steps[-1]) == (0, len(values) - 1)


def test_a_spike_survives_many_decimations() -> None:
    recorder = CurveRecorder(max_points=64)
    for step in range(20_000):
        recorder.add(step, step, step, 99.0 if step == 5_000 else 1.0)
    assert 99.0 in recorder.freeze().values


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_not_recorded(value: float) -> None:
    recorder = CurveRecorder()
    recorder.add(1, 1, 1, value)
    assert len(recorder.freeze()) == 0


def test_a_frozen_curve_is_shared_until_something_is_added() -> None:
    recorder = CurveRecorder()
    recorder.add(1, 1, 1, 1.0)
    first = recorder.freeze()
    assert recorder.freeze() is first
    recorder.add(2, 2, 2, 2.0)
    assert recorder.freeze() is not first
    assert list(first.values) == [1.0], "what was handed out does not change"


def test_rewinding_drops_what_came_later() -> None:
    recorder = CurveRecorder()
    for step in range(10):
        recorder.add(step, step, step, step)
    recorder.rewind(4)
    assert list(recorder.freeze().steps) == [0, 1, 2, 3, 4]


@given(NUMBERS, st.integers(1, 50))
def test_extremes_are_few_and_hold_lowest_and_highest(values: list[float], buckets: int) -> None:
    kept = extremes(values, buckets)
    assert len(kept) <= 2 * buckets + 2
    assert {min(values), max(values)} <= {values[i] for i in kept}


def test_points_that_cannot_be_drawn_are_left_out() -> None:
    y = [1.0, math.nan, math.inf, 0.0, -1.0, 2.0]
    assert finite(range(6), y) == ([0, 3, 4, 5], [1.0, 0.0, -1.0, 2.0])
    assert finite(range(6), y, positive=True) == ([0, 5], [1.0, 2.0])


def test_smoothing_starts_at_the_first_value_and_keeps_a_constant() -> None:
    assert smoothed([3.0, 3.0, 3.0], 0.9) == pytest.approx([3.0, 3.0, 3.0])
    assert smoothed([1.0, 2.0], 0.0) == [1.0, 2.0]


@given(NUMBERS, st.floats(0, 0.99))
def test_smoothing_stays_within_the_values(values: list[float], weight: float) -> None:
    result = smoothed(values, weight)
    room = 1e-6 * max(map(abs, values)) + 1e-9
    assert all(min(values) - room <= value <= max(values) + room for value in result)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=400), st.integers(2, 80))
def test_pixel_columns_keep_the_extremes_and_stay_in_their_range(values: list[float], width: int) -> None:
    xs = [float(i) for i in range(len(values))]
    found = columns((xs, values), (xs[0], xs[-1]), width)
    assert all(0 <= column < width for column in found)
    assert min(c.low for c in found.values()) == min(values)
    assert max(c.high for c in found.values()) == max(values)


def test_a_window_cuts_lines_where_they_cross_its_edge() -> None:
    found = columns(([0.0, 10.0], [0.0, 100.0]), (2.0, 8.0), 7)
    assert (found[-1].low, found[7].low) == (20.0, 80.0)


@pytest.mark.parametrize(("x", "y"), [(-5.0, 1.0), (0.4, 1.0), (0.6, 2.0), (9.0, 2.0)])
def test_the_value_read_at_a_place_is_the_nearest_points(x: float, y: float) -> None:
    assert value_at(([0.0, 1.0], [1.0, 2.0]), x) == y


def test_without_points_there_is_nothing_to_read() -> None:
    assert value_at(([], []), 1.0) is None
