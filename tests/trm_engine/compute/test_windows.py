"""Tiles of a grid hold each cell once, with everything that it sees."""

from __future__ import annotations

import pytest

from trm_engine.compute.windows import pairs, tiles

GRIDS = pytest.mark.parametrize("grid", [(2, 2), (4, 9), (5, 30), (13, 7), (30, 30)])


@GRIDS
def test_every_cell_is_in_one_tile(grid: tuple[int, int]) -> None:
    found = [
        (row, col)
        for tile in tiles(grid, 5)
        for row in range(tile.rows.start, tile.rows.stop)
        for col in range(tile.cols.start, tile.cols.stop)
    ]
    assert sorted(found) == [(row, col) for row in range(grid[0]) for col in range(grid[1])]


@GRIDS
def test_a_tile_sees_the_windows_of_its_cells_as_far_as_the_grid_goes(grid: tuple[int, int]) -> None:
    for tile in tiles(grid, 5):
        for span, length in ((tile.rows, grid[0]), (tile.cols, grid[1])):
            assert (span.first, span.last) == (max(span.start - 2, 0), min(span.stop + 2, length))


def test_a_cell_sees_what_is_within_reach() -> None:
    (tile,) = tiles((4, 1), 3)
    assert tile.rows.sees(1) == [[i - j in (-1, 0, 1) for j in range(4)] for i in range(4)]


def test_pairs_grow_with_the_cells_and_not_with_their_square() -> None:
    assert pairs((30, 30), 7, 1) < 901**2 / 7
    assert pairs((50, 50), 7, 1) < 2501**2 / 18


def test_a_grid_of_one_tile_has_all_pairs() -> None:
    assert pairs((5, 5), 9, 2) == 27**2
