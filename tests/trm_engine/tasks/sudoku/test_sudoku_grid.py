"""What a drawing of a Sudoku needs: rows of symbols, which cells are clues, and how large the boxes are."""

from __future__ import annotations

import numpy as np

from trm_engine.tasks import build_task
from trm_engine.tasks.sudoku.config import SudokuConfig

SIX = build_task(SudokuConfig(box_cols=3))
PUZZLE = SIX.parse("1..... .2.... ..3... ...4.. ....5. .....6")


def test_the_rows_hold_one_symbol_a_cell_in_order() -> None:
    grid = SIX.grid(PUZZLE)
    assert [len(row) for row in grid] == [6] * 6
    assert "".join(symbol for row in grid for symbol in row) == SIX.line(PUZZLE)
    assert grid[0] == ["1", ".", ".", ".", ".", "."]


def test_clues_are_given_and_blanks_are_not() -> None:
    assert SIX.given(PUZZLE).tolist() == (np.eye(6) == 1).ravel().tolist()


def test_the_boxes_are_those_of_the_configuration() -> None:
    assert SIX.box == (2, 3)
