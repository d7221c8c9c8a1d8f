"""`plot`: recorded curves as characters."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from tests.trm_tui.conftest import Trm
from trm_tui.cli.terminal import chart
from trm_tui.cli.terminal.chart import Line, draw_chart

LINES = [Line("falling", [1, 2, 3], [3.0, 2.0, 1.0]), Line("rising", [1, 2, 3], [1.0, 2.0, 3.0])]


def test_loss_and_accuracy_of_a_session_are_drawn_without_escape_codes_in_a_pipe(
    trm: Trm, trained: str
) -> None:
    done = trm("plot", trained, "--width", 60)
    assert done.code == 0
    assert "Loss · first" in done.out
    assert "Exact accuracy on held-out puzzles · first" in done.out
    assert "\x1b" not in done.out
    assert max(len(line) for line in done.out.splitlines()) <= 60


def test_two_sessions_lie_over_each_other_and_are_told_apart_without_colours(trm: Trm, trained: str) -> None:
    assert trm("--no-ui", "run", "tiny.toml", "--quiet", "--name", "second").code == 0
    done = trm("plot", trained, "second", "--metric", "loss", "--no-color", "--smooth", 0.5)
    assert done.code == 0
    assert "first" in done.out
    assert "second" in done.out


def test_the_points_are_there_for_programs(trm: Trm, trained: str) -> None:
    (shown,) = json.loads(trm("plot", trained, "--metric", "lr", "--x", "samples", "--json").out)
    assert shown["metric"] == "lr"
    points = shown["sessions"][trained]
    assert len(points["x"]) == len(points["y"]) > 0
    assert points["x"] == sorted(points["x"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--metric", "los"), 'Did you mean "loss"?'),
        (("--metric", "val-loss"), "nothing of val-loss is recorded"),
    ],
)
def test_a_metric_that_is_not_there_is_refused(trm: Trm, trained: str, words, said: str) -> None:
    done = trm("plot", trained, *words)
    assert done.code == 2
    assert said in done.err


def test_a_session_without_records_is_told(trm: Trm, trained: str, tmp_path: Path) -> None:
    (tmp_path / "sessions" / trained / "metrics.jsonl").unlink()
    done = trm("plot", trained)
    assert done.code == 2
    assert "nothing is recorded yet" in done.err


def test_figures_that_are_not_finite_are_left_out() -> None:
    line = Line("odd", [1, 2, 3], [float("nan"), float("inf"), 2.0])
    chart = draw_chart([line], title="t", x_title="step", width=40, height=8, colour=False)
    assert "2" in chart
    empty = draw_chart([], title="t", x_title="step", width=40, height=8, colour=False)
    assert "no points yet" in empty


def test_colours_are_escape_codes_and_go_away() -> None:
    coloured = draw_chart(LINES, title="t", x_title="step", width=40, height=10, colour=True)
    plain = draw_chart(LINES, title="t", x_title="step", width=40, height=10, colour=False)
    assert "\x1b[" in coloured
    assert "\x1b" not in plain


def test_a_stream_of_ascii_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert draw_chart(LINES, title="t", x_title="step", width=40, height=10, colour=False).isascii()


def test_hostile_names_stay_text() -> None:
    names = [Line("\x1b[31mred", [1, 2], [1, 2]), Line("b", [1, 2], [2, 1])]
    chart = draw_chart(names, title="\x1b]0;x\x07", x_title="step", width=60, height=10, colour=False)
    assert "\x1b" not in chart
    assert "\x07" not in chart


def test_a_pipe_has_a_width_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert chart.chart_width() == 100
    assert chart.chart_width(70) == 70
