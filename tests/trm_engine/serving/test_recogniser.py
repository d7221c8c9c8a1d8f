"""Puzzles in prose: found where there is one, as it was written, and nowhere else; what is wrong is named."""

from __future__ import annotations

import random
import time

import pytest

from tests.messages import BEFORE, boards, maze, rows_of, with_puzzles, without_puzzles, writers
from trm_engine.config.presets import list_presets
from trm_engine.serving.recogniser import MOST_PUZZLES, read_message
from trm_engine.tasks.sudoku.config import SudokuConfig

SIZES = ((2, 2), (2, 3), (3, 3))
TASKS = [preset.config.task for preset in list_presets() if preset.config.task.kind not in ("arc", "text")]


def lines_of(message: str, configs=()) -> list[str]:
    return [found.task.line(found.question.puzzle) for found in read_message(message, configs).puzzles]


def test_of_100_messages_with_a_puzzle_98_are_recognised_to_the_cell() -> None:
    right = 0
    for written in with_puzzles():
        found = read_message(written.text).puzzles
        right += (
            len(found) == 1
            and found[0].config.kind == written.kind
            and (written.kind == "arc" or found[0].task.line(found[0].question.puzzle) == written.cells)
        )
    assert right >= 98


@pytest.mark.parametrize("configs", [(), TASKS], ids=["no model", "a model of every kind"])
def test_of_100_messages_without_a_puzzle_none_alarms(configs) -> None:
    for message in without_puzzles():
        read = read_message(message, configs)
        assert not read.puzzles, message
        assert read.near is None, message


@pytest.mark.parametrize("box", SIZES)
@pytest.mark.parametrize("number", range(len(writers())))
def test_every_way_of_writing_reads_at_every_size(box: tuple[int, int], number: int) -> None:
    rng = random.Random(number)
    for before, cells in zip(BEFORE, boards(box, 2, 100 + number), strict=False):
        assert lines_of(before + writers()[number](cells, box, rng) + " Thank you.") == [cells]


def test_a_maze_keeps_its_open_cells() -> None:
    for seed in range(10):
        drawn = maze(random.Random(seed))
        trimmed = "\n".join(line.rstrip() for line in drawn.split("\n"))
        assert lines_of(f"Which way?\n{trimmed}\nThanks") == [drawn.replace("\n", "")]


def test_several_puzzles_are_found_in_their_order_and_bounded() -> None:
    cells = boards((2, 2), 10, 3)
    message = "Solve these sudokus:\n" + "\n".join(f"{number}) `{one}`" for number, one in enumerate(cells))
    read = read_message(message)
    assert [found.task.line(found.question.puzzle) for found in read.puzzles] == cells[:MOST_PUZZLES]
    assert read.more


def test_the_task_of_a_trained_model_reads_first() -> None:
    config = SudokuConfig(box_rows=3, box_cols=2)
    (cells,) = boards((3, 2), 1, 4)
    assert read_message(f"sudoku {cells}", [config]).puzzles[0].config == config


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("sudoku please: 1..1......4..23.", "row 1"),
        ("this sudoku:\n53..7....\n6..195...\n.98....6.\n8...6..3\n4..8.3..1\n7...2...6\n.6....28.\n"
         "...419..5\n....8..79", "row 4 has 8"),
        ("sudoku 1..4......4..2", "14 cells"),
        ("a sudoku: 1..5......4..23.", "5"),
        ("A maze:\n#####\n#S#G#\n#####", "no path"),
        ("A maze:\n#####\n#S..#\n#...#\n#####", "goal (G)"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_puzzle_is_named(message: str, named: str) -> None:
    read = read_message(message)
    assert not read.puzzles
    assert read.near is not None
    assert named in read.near.reason


def test_a_full_stop_is_no_cell() -> None:
    assert lines_of("Solve the sudoku 1..4......4..23..") == ["1..4......4..23."]


def test_a_grid_of_numbers_is_a_puzzle_only_where_it_is_meant_as_one() -> None:
    grid = "[[1,0,0,4],[0,0,0,0],[0,0,4,0],[0,2,3,0]]"
    assert lines_of(grid) == ["1..4......4..23."]
    assert lines_of(f"sudoku {grid}") == ["1..4......4..23."]
    assert lines_of(f"What is the rank of the matrix {grid} over the reals?") == []


def test_a_long_message_is_read_in_no_time_that_grows_with_its_square() -> None:
    for filler in ("1 ", "a ", "[", "{", "row 1: ", "#", "\n.", "1.2", "1 2\n\n"):
        short, long = (_reading_seconds(filler * (length // len(filler))) for length in (10_000, 40_000))
        assert long < 8 * short + 0.5, f"{filler!r}: {short:.2f} s, then {long:.2f} s for four times as much"


def _reading_seconds(message: str) -> float:
    """Return the processor time of reading a message, which does not grow with what else is running."""
    begun = time.process_time()
    read_message(message)
    return time.process_time() - begun


def test_what_is_unsettled_is_named_by_a_cell() -> None:
    (found,) = read_message("sudoku 12..34....1.....").puzzles
    doubt = found.task.unsettled(found.question.puzzle)
    assert doubt is not None
    assert "row 1, column 3 can be 3 as well as 4" in doubt.reason
    (found,) = read_message("sudoku 12.......3..4...").puzzles
    assert found.task.count_solutions(found.question.puzzle) is not None


def test_rows_are_those_of_the_grid() -> None:
    assert rows_of("1234" * 4) == ["1234"] * 4
