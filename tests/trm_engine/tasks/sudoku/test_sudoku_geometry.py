import numpy as np
import pytest

from trm_engine.tasks.sudoku.geometry import Geometry

SHAPES = [(1, 2), (2, 2), (2, 3), (3, 2), (3, 3), (3, 4), (4, 4)]


@pytest.mark.parametrize("shape", SHAPES)
def test_each_kind_of_unit_covers_every_cell_once(shape):
    geometry = Geometry(*shape)
    for units in geometry.units():
        assert sorted(units.ravel()) == list(range(geometry.cells))


def test_boxes_of_two_rows_and_three_columns_are_where_they_should_be():
    boxes = Geometry(2, 3).units()[2]
    assert boxes[0].tolist() == [0, 1, 2, 6, 7, 8]
    assert boxes[3].tolist() == [15, 16, 17, 21, 22, 23]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_views_put_each_cell_into_its_row_column_and_box(shape):
    geometry = Geometry(*shape)
    number = np.arange(geometry.side)[:, None]
    for units, to_cells in zip(
        geometry.units(),
        (geometry.row_to_cells, geometry.column_to_cells, geometry.box_to_cells),
        strict=True,
    ):
        target = geometry.by_box(np.zeros((geometry.cells, 1), np.int64))
        target += to_cells(number)
        expected = np.empty(geometry.cells, np.int64)
        expected[units] = number
        assert target.reshape(-1).tolist() == expected.tolist()
