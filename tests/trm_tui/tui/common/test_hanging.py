"""What does not fit beside a label goes on below its own beginning."""

from __future__ import annotations

import pytest
from textual.content import Content

from trm_tui.tui.common.hanging import Line, wrapped


def rows(line: Line, width: int) -> list[str]:
    return [row.plain for row in wrapped([line], width)]


def test_a_long_fact_keeps_its_indent() -> None:
    line = Line(Content("data   "), Content("one two three four five six seven"))
    assert rows(line, 22) == ["data   one two three", "       four five six", "       seven"]


def test_without_room_for_two_columns_the_text_takes_the_whole_width() -> None:
    line = Line(Content("configuration "), Content("one two three four"))
    assert all(len(row) <= 16 for row in rows(line, 16))
    assert not any(row.startswith("  ") for row in rows(line, 16))


@pytest.mark.parametrize("width", [0, 1, 20])
def test_an_empty_line_is_a_line(width: int) -> None:
    assert rows(Line(Content("")), width) == [""]


def test_lines_of_a_text_stay_lines() -> None:
    assert rows(Line(Content(""), Content("a\n\nb")), 20) == ["a", "", "b"]
