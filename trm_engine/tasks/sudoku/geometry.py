"""The shape of a Sudoku grid: rows, columns and boxes, and how arrays of grids are viewed along them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Scalar = TypeVar("Scalar", bound=np.generic)
Digits = npt.NDArray[np.uint8]
"""Grids as digits 1 … n, 0 for a blank cell."""


@dataclass(frozen=True)
class Geometry:
    """An n×n grid whose boxes have r rows and c columns, n = r · c; rows of boxes are bands, columns stacks.

    Work on many grids uses *cell-major* arrays of shape (n², N): each cell is a contiguous run over N grids,
    so that NumPy's inner loops are long however small the grid is.
    """

    box_rows: int
    box_cols: int

    @property
    def side(self) -> int:
        """Rows, columns, boxes and digits n."""
        return self.box_rows * self.box_cols

    @property
    def cells(self) -> int:
        """Cells n²."""
        return self.side**2

    @property
    def bands(self) -> int:
        """Rows of boxes."""
        return self.side // self.box_rows

    @property
    def stacks(self) -> int:
        """Columns of boxes."""
        return self.side // self.box_cols

    @property
    def square_boxes(self) -> bool:
        """Whether the transposed grid is a grid of the same geometry."""
        return self.box_rows == self.box_cols

    def __str__(self) -> str:
        return f"{self.side}×{self.side}"

    def by_line(self, cell_major: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """View (n², N) as (row, column, N)."""
        return cell_major.reshape(self.side, self.side, -1)

    def by_box(self, cell_major: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """View (n², N) as (band, row in band, stack, column in stack, N)."""
        return cell_major.reshape(self.bands, self.box_rows, self.stacks, self.box_cols, -1)

    def row_to_cells(self, rows: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """View (n, N) per row so that it broadcasts against `by_box`."""
        return rows.reshape(self.bands, self.box_rows, 1, 1, -1)

    def column_to_cells(self, columns: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """View (n, N) per column so that it broadcasts against `by_box`."""
        return columns.reshape(1, 1, self.stacks, self.box_cols, -1)

    def box_to_cells(self, boxes: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """View (n, N) per box so that it broadcasts against `by_box`."""
        return boxes.reshape(self.bands, 1, self.stacks, 1, -1)

    def units(self) -> npt.NDArray[np.intp]:
        """Return the cells of every row, then every column, then every box: shape (3, n, n)."""
        cell = np.arange(self.cells)
        rows = cell.reshape(self.side, self.side)
        boxes = cell.reshape(self.bands, self.box_rows, self.stacks, self.box_cols).swapaxes(1, 2)
        return np.stack([rows, rows.T, boxes.reshape(self.side, self.side)])
