"""What an answer to a maze is: a shortest path, another path, or none."""

from __future__ import annotations

import numpy as np
import pytest

from trm_engine.tasks.examples import Examples
from trm_engine.tasks.maze.rules import Shape, check, first_fault, paths_of, solved, with_path
from trm_engine.tasks.maze.text import PATH, line

SHAPE = Shape(4, 4)
OPEN_GRID = "S              G"


def tokens(*rows: str) -> np.ndarray:
    return np.array(["# SGo".index(symbol) + 1 for symbol in "".join(rows)], np.uint8)


def judge(puzzle: np.ndarray, *answer: str) -> tuple[bool, str]:
    """Judge an answer alone and in a batch."""
    verdict = check(SHAPE, puzzle, tokens(*answer))
    accepted = solved(SHAPE, puzzle[None], tokens(*answer)[None])
    assert accepted.tolist() == [verdict.solved], "a batch is judged as a single answer is"
    return verdict.solved, verdict.reason


WINDING = tokens("S  #", "## #", "#   ", "###G")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (("S  #", "## #", "#   ", "###G"), "no path: it breaks off at row 1, column 1"),
        (("Soo#", "## #", "# oo", "###G"), "no path: it breaks off at row 1, column 3"),
        (("Soo#", "##o#", "# oo", "##oG"), "changes a wall to a path at row 4, column 3"),
        (("Soo#", "##o#", "# oo", "###o"), "changes the goal to a path at row 4, column 4"),
        (("Soo#", "##o#", "# oo", "####"), "changes the goal to a wall at row 4, column 4"),
        (("Soo#", "##o#", "#Goo", "###G"), "changes an open cell to the goal at row 3, column 2"),
        (("Soo#", "##o#", "#ooo", "###G"), "marks a path and 1 cell beside it"),
    ],
)
def test_what_is_wrong_with_an_answer_is_told(answer: tuple[str, ...], reason: str) -> None:
    assert judge(WINDING, *answer) == (False, reason)


def test_padding_in_an_answer_is_no_cell() -> None:
    answer = tokens("Soo#", "##o#", "# oo", "###G")
    answer[8] = 0
    assert check(SHAPE, WINDING, answer).reason == "changes a wall to no cell at row 3, column 1"


def test_the_only_shortest_path_is_named_so() -> None:
    assert judge(WINDING, "Soo#", "##o#", "# oo", "###G") == (
        True,
        "the shortest path: 7 cells with start and goal",
    )


def test_any_of_several_shortest_paths_is_right() -> None:
    for answer in ("S   o   o   oooG", "Sooo   o   o   G", "So   oo   oo   G"):
        assert judge(tokens(OPEN_GRID), answer) == (
            True,
            "one of several shortest paths: 7 cells with start and goal",
        )


def test_a_longer_path_is_told_how_much_longer() -> None:
    assert judge(tokens("S G ", "    ", "    ", "    "), "S G ", "ooo ", "    ", "    ") == (
        False,
        "a path, but 2 cells longer than the shortest (3 cells)",
    )


def test_a_maze_without_a_way_is_told_so() -> None:
    puzzle = tokens("S # ", "  # ", "### ", "   G")
    assert "no path leads" in check(SHAPE, puzzle, puzzle).reason
    assert not solved(SHAPE, puzzle[None], puzzle[None]).any()


def test_start_next_to_goal_needs_no_path() -> None:
    assert judge(tokens("SG##############"), "SG##############")[0]


def test_batches_of_any_length_are_judged_row_by_row() -> None:
    puzzles = np.stack([tokens(OPEN_GRID)] * 1100)
    answers = with_path(puzzles, paths_of(SHAPE, puzzles).cells)
    answers[700, 5] = PATH
    assert np.flatnonzero(~solved(SHAPE, puzzles, answers)).tolist() == [700]
    assert solved(SHAPE, puzzles[:0], answers[:0]).shape == (0,)
    assert line(answers[0]) == "S   o   o   oooG"


@pytest.mark.parametrize(
    ("place", "token", "reason"),
    [
        (5, 3, "the maze has 2 starts"),
        (15, 2, "the maze has 0 goals"),
        (5, 5, "row 2, column 2 of the maze is neither"),
    ],
)
def test_the_first_row_that_is_no_maze_is_named(place, token, reason):
    puzzles = np.stack([tokens(OPEN_GRID)] * 3)
    labels = with_path(puzzles, paths_of(SHAPE, puzzles).cells)
    assert first_fault(SHAPE, Examples.of(puzzles, labels)) is None
    puzzles[1, place] = token
    fault = first_fault(SHAPE, Examples.of(puzzles, labels))
    assert fault is not None
    assert fault[0] == 1
    assert reason in fault[1]


def test_a_label_that_is_no_shortest_path_is_a_fault():
    puzzles = np.stack([tokens(OPEN_GRID)])
    assert first_fault(SHAPE, Examples.of(puzzles, puzzles)) == (
        0,
        "the answer is no path: it breaks off at row 1, column 1",
    )
