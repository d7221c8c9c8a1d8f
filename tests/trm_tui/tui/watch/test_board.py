"""How a grid is drawn: as large as there is room for, told apart without colour, nothing misaligned."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color, ColorSystem
from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import Static

from tests.trm_tui.fake_model_host import (
    FOUR,
    NINE,
    PUZZLE_NINE,
    PUZZLES_FOUR,
    SOLVED_FOUR,
    SOLVED_NINE,
    steps,
)
from trm_engine.tasks import build_puzzles
from trm_engine.tasks.base import Verdict
from trm_engine.tasks.maze.config import MazeConfig
from trm_tui.shared.contrast import ink_on
from trm_tui.tui.watch.board import DRAWINGS, draw, fitting
from trm_tui.tui.watch.strip import strip_lines, visible
from trm_tui.tui.watch.views import BoardView, facts_content
from trm_tui.workbench.watch.trace import Cell, Film, Frame, make_film

_PUZZLE, _LABEL = FOUR.parse(PUZZLES_FOUR[0]), FOUR.parse(SOLVED_FOUR)
FILM = make_film(FOUR, _PUZZLE, _LABEL, steps(FOUR, _PUZZLE, _LABEL, mistakes=2))
_PUZZLE9, _LABEL9 = NINE.parse(PUZZLE_NINE), NINE.parse(SOLVED_NINE)
FILM9 = make_film(NINE, _PUZZLE9, _LABEL9, steps(NINE, _PUZZLE9, _LABEL9))


def text(film: Film, at: int, number: int, *, confidence: bool = False) -> str:
    lines = draw(film.frames[at], film.box, DRAWINGS[number], confidence=confidence)
    return "\n".join(line.plain for line in lines)


def test_lines_between_all_cells_with_heavy_ones_round_the_boxes() -> None:
    assert text(FILM, 8, 1) == "\n".join(
        [
            "┏━━━┯━━━┳━━━┯━━━┓",
            "┃ 1 │ 2 ┃ 3 │ 4 ┃",
            "┠───┼───╂───┼───┨",
            "┃ 3 │ 4 ┃ 1 │ 2 ┃",
            "┣━━━┿━━━╋━━━┿━━━┫",
            "┃ 2 │ 1 ┃ 4 │ 3 ┃",
            "┠───┼───╂───┼───┨",
            "┃•3×│ 3 ┃•1×│ 1 ┃",
            "┗━━━┷━━━┻━━━┷━━━┛",
        ]
    )


def test_lines_round_the_boxes_only() -> None:
    assert text(FILM, 0, 2).splitlines()[:4] == [
        "┏━━━━━━┳━━━━━━┓",
        "┃ 1  · ┃ 3  · ┃",
        "┃ ·  4 ┃ ·  · ┃",
        "┣━━━━━━╋━━━━━━┫",
    ]


def test_the_smallest_drawings_have_no_lines() -> None:
    assert text(FILM, 0, 3).splitlines()[0] == " 1  ·   3  · "
    assert text(FILM, 0, 4).splitlines()[0] == " 1  ·  3  · "
    assert text(FILM, 8, 5).splitlines()[3] == "3×3 1×1 "
    assert text(FILM, 0, 6).splitlines()[0] == "1·3·"


def test_large_cells_say_how_sure_the_model_is() -> None:
    lines = text(FILM, 8, 0).splitlines()
    assert len(lines) == 17
    assert {len(line) for line in lines} == {33}
    assert "99%" in lines[3]
    assert "31%" in text(FILM, 8, 0)


def test_confidence_can_stand_in_place_of_the_symbols() -> None:
    shown = text(FILM, 8, 1, confidence=True)
    assert "31×" in shown
    assert "99 " in shown
    assert "┃ 1 │" in shown, "clues stay"


@pytest.mark.parametrize("film", [FILM, FILM9])
@pytest.mark.parametrize("number", range(len(DRAWINGS)))
def test_every_line_of_a_drawing_is_as_wide_as_it_says(film: Film, number: int) -> None:
    rows = film.frames[0].rows
    width, height = DRAWINGS[number].size(len(rows), len(rows[0]), film.box)
    for at in (0, 1, film.last):
        lines = text(film, at, number).split("\n")
        assert len(lines) == height
        assert {len(line) for line in lines if line} == {width}


@given(st.integers(1, 200), st.integers(1, 100), st.integers(1, 30), st.integers(1, 30), st.integers(0, 4))
def test_the_drawing_chosen_fits_if_any_does(
    width: int, height: int, rows: int, columns: int, box: int
) -> None:
    chosen = fitting(rows, columns, (box, box), (width, height))
    fits = [d for d in DRAWINGS if (s := d.size(rows, columns, (box, box)))[0] <= width and s[1] <= height]
    assert chosen == fits[0] if fits else chosen.high == 1 and chosen.lines == "none"


def test_a_nine_by_nine_grid_has_lines_between_its_boxes_at_80_by_24() -> None:
    assert fitting(9, 9, (3, 3), (40, 14)) == DRAWINGS[2]
    assert fitting(9, 9, (3, 3), (90, 33)) == DRAWINGS[1]
    assert fitting(4, 4, (2, 2), (90, 33)) == DRAWINGS[0]


def test_positions_left_out_stay_empty_and_rows_may_differ_in_length() -> None:
    frame = Frame(
        1, [[Cell("7", "answer"), Cell("", "hidden")], [Cell("8", "answer")]], 0.5, None, 0, 0.9, 0.9
    )
    for drawing in DRAWINGS:
        lines = [line.plain for line in draw(frame, (0, 0), drawing)]
        assert len({len(line) for line in lines}) == 1
        assert "7" in "".join(lines)


# --- colours of a task ------------------------------------------------------------------------------------

MAZE = build_puzzles(MazeConfig(rows=2, cols=4))
_MAZE = MAZE.parse("S   # G#")
_PATH = np.array([3, 5, 5, 2, 1, 2, 4, 1])
_FIRST, _SECOND = np.array([3, 5, 2, 5, 1, 5, 4, 1]), np.array([3, 5, 2, 5, 1, 2, 4, 1])


def _maze_film() -> Film:
    """The first step marks a cell too many and one too few; the second takes one back; the last is right."""
    answers = (_FIRST, _SECOND, _PATH)
    taken = [
        SimpleNamespace(
            look=1, step=number, answer=answer, confidence=np.full(8, 0.9, np.float32), halt_probability=0.1
        )
        for number, answer in enumerate(answers, 1)
    ]
    return make_film(MAZE, _MAZE, _PATH, taken)


def styles(line: Content) -> list[str]:
    """Return the style of every character."""
    found = [""] * len(line.plain)
    for span in line.spans:
        found[span.start : span.end] = [str(span.style)] * (span.end - span.start)
    return found


def maze_text(at: int, number: int) -> list[str]:
    film = _maze_film()
    return [line.plain for line in draw(film.frames[at], film.box, DRAWINGS[number])]


def test_cells_are_painted_in_the_colours_of_the_task() -> None:
    film = _maze_film()
    start, path, _, open_cell = styles(draw(film.frames[3], film.box, DRAWINGS[6])[0])
    assert start.endswith(f" on {MAZE.palette['S']}")
    assert path.endswith(f" on {MAZE.palette['o']}")
    assert "#" not in open_cell


def test_a_painted_cell_still_tells_what_is_wrong_and_what_has_changed() -> None:
    assert maze_text(0, 4) == [" S  ·  ·  · ", " #  ·  G  # "]
    assert maze_text(1, 4) == [" S  o   × o×", " #  o× G  # "]
    assert maze_text(2, 4) == [" S  o   × o×", " # •   G  # "]
    assert maze_text(3, 4) == [" S  o •o •  ", " #     G  # "]


def test_in_the_smallest_drawing_signs_stand_for_what_colour_or_absence_tells() -> None:
    assert maze_text(1, 6) == ["So××", "#×G#"]
    assert maze_text(3, 6) == ["So••", "# G#"]


@pytest.mark.parametrize("number", range(len(DRAWINGS)))
def test_every_drawing_tells_wrong_cells_without_colour(number: int) -> None:
    film = _maze_film()
    shown = "".join(line.plain for line in draw(film.frames[1], film.box, DRAWINGS[number]))
    assert shown.count("×") == 3


@given(st.integers(0, 0xFFFFFF))
def test_symbols_stay_legible_with_sixteen_colours(number: int) -> None:
    colour = f"#{number:06x}"
    shown = {Color.parse(one).downgrade(ColorSystem.STANDARD).number for one in (colour, ink_on(colour))}
    assert len(shown) == 2


def test_the_colours_of_a_maze_stay_apart_with_sixteen_colours() -> None:
    shown = {Color.parse(one).downgrade(ColorSystem.STANDARD).number for one in MAZE.palette.values()}
    assert len(shown) == len(MAZE.palette) == 4


async def test_a_thirty_by_thirty_grid_can_be_scrolled_from_end_to_end() -> None:
    rows = [
        [Cell("#", "given", colour="#5b6275")] * 29 + [Cell(chr(65 + row % 26), "given")] for row in range(30)
    ]
    film = Film([Frame(0, rows, 0, None, 0, 0, 0)], (0, 0), 0, None, None, Verdict(False, ""), False, "")

    class Stage(App[None]):
        def compose(self) -> ComposeResult:
            yield BoardView()

    app = Stage()
    async with app.run_test(size=(40, 14)) as pilot:
        board = app.query_one(BoardView)
        board.show(film, 0, confidence=False)
        await pilot.pause()
        grid = board.query_one(Static)
        assert (grid.size.width, grid.size.height) == (30, 30)
        assert grid.region.y == board.region.y, "the first row is in sight"
        assert board.max_scroll_y == 30 - board.size.height
        board.scroll_end(animate=False)
        await pilot.pause()
        assert grid.region.bottom == board.region.bottom, "and so is the last"


# --- strip and words --------------------------------------------------------------------------------------


def test_the_strip_has_a_column_for_every_step() -> None:
    lines = [line.plain for line in strip_lines(FILM, 3, 80, 7)]
    assert lines[0].split() == ["step", *"12345678"]
    assert lines[3].split()[:2] == ["right", str(FILM.frames[1].right)]
    assert lines[6].strip() == "▲halts"
    assert {len(line) for line in lines[:6]} == {11 + 5 * 8}


def test_marks_of_two_steps_do_not_run_into_each_other() -> None:
    line = strip_lines(FILM9, 1, 80, 7)[6].plain
    assert line.strip() == "solved▲    ▲halts"
    assert line.index("▲") == 11 + 5 * 5 + 3, "below step 6"


def test_with_little_room_the_strip_keeps_what_tells_most() -> None:
    assert [line.plain.split()[0] for line in strip_lines(FILM, 1, 80, 3)] == ["step", "halting", "right"]
    assert strip_lines(FILM, 1, 80, 0) == []


@given(st.integers(0, 8), st.integers(1, 120))
def test_the_step_on_screen_is_always_in_the_strip(at: int, width: int) -> None:
    shown = [frame.step for frame in visible(FILM, at, width)]
    assert shown == list(range(shown[0], shown[-1] + 1))
    assert at in shown or at == 0


def test_the_words_say_what_the_frame_does() -> None:
    words = facts_content(FILM, FILM.frames[8]).plain
    for part in ("7 of 9 cells", "2 cells", "lowest 31", "at step 7", "never", "✗", "n×", "•n"):
        assert part in words
    assert "9 cells" in facts_content(FILM, FILM.frames[0]).plain
    assert "from step 6 on" in facts_content(FILM9, FILM9.frames[8]).plain
