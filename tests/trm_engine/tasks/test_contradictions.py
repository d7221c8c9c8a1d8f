"""Rules that a puzzle breaks by itself are told before anybody answers it, with the cells to mark."""

from __future__ import annotations

import pytest

from trm_engine.tasks import build_puzzles
from trm_engine.tasks.base import PuzzleTask
from trm_engine.tasks.futoshiki.config import FutoshikiConfig
from trm_engine.tasks.light_up.config import LightUpConfig
from trm_engine.tasks.sudoku.config import SudokuConfig

FUTOSHIKI = build_puzzles(FutoshikiConfig(size=3, train_size=1, test_size=1))
LIGHT_UP = build_puzzles(LightUpConfig(rows=3, cols=3, train_size=1, test_size=1))


@pytest.mark.parametrize(
    ("task", "text", "told"),
    [
        (FUTOSHIKI, "1 . 1\n\n. . .\n\n. . .", [((0, 4), "1 appears 2 times in row 1")]),
        (FUTOSHIKI, "1>2 .\n\n. . .\n\n. . .", [((0, 1, 2), "not met")]),
        (FUTOSHIKI, "1<2 .\n\n. . .\n\n. . .", []),
        (LIGHT_UP, "3..\n...\n.#.", [((0,), "the 3 at row 1, column 1 has only 2 open cells beside it")]),
        (LIGHT_UP, "2..\n...\n.#.", []),
        (build_puzzles(SudokuConfig()), "1...............", []),
    ],
)
def test_what_contradicts_is_told(
    task: PuzzleTask, text: str, told: list[tuple[tuple[int, ...], str]]
) -> None:
    found = task.contradictions(task.parse(text))
    assert [fault.cells for fault in found] == [cells for cells, _ in told]
    for fault, (_, said) in zip(found, told, strict=True):
        assert said in fault.reason


def test_no_held_out_puzzle_contradicts_itself() -> None:
    for task in (FUTOSHIKI, LIGHT_UP):
        for puzzle in task.test.head(1).inputs:
            assert not task.contradictions(puzzle)
