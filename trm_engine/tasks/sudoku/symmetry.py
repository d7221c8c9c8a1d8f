"""An invariant that proves puzzles inequivalent: a hash that no symmetry of Sudoku changes.

The symmetries are those that augmentation draws: relabelling digits; permuting bands, stacks, rows within a
band and columns within a stack; and transposing where boxes are square. Colours are refined as in the
Weisfeiler–Lehman graph test: rows, columns, boxes and the solution's digits take up the colours of their
cells, rows also of their band and columns of their stack, and each cell then takes up the colours of what it
belongs to. Every gathering is a sum of mixed 64-bit colours, which no reordering changes.

Different hashes prove two puzzles inequivalent. Equal hashes do not prove the opposite, so whoever excludes
on equality errs on the safe side. (Of the 4710 classes of 4×4 puzzles, three rounds tell 4657 apart.)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trm_engine.progress import Progress, silent
from trm_engine.tasks.sudoku.geometry import Digits, Geometry

Hashes = npt.NDArray[np.uint64]
_ROUNDS = 3
_AT_ONCE = 512


def _constants(count: int) -> list[np.uint64]:
    """Return distinct odd-looking numbers: multiples of the golden ratio's 64-bit fraction."""
    return [np.uint64(0x9E3779B97F4A7C15 * k % 2**64) for k in range(1, count + 1)]


_BLANK, _CLUE, _ROW, _COLUMN, _BOX, _DIGIT = _constants(6)
_OWN = np.uint64(3)


def symmetry_hashes(
    geometry: Geometry, puzzles: Digits, solutions: Digits, progress: Progress = silent
) -> Hashes:
    """Return the invariant (N,) of puzzles (N, n²; 0 for blanks) and their complete solutions (N, n²)."""
    hashes = np.empty(len(puzzles), np.uint64)
    for start in range(0, len(puzzles), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        clue = np.ascontiguousarray(puzzles[part].T) != 0
        hashes[part] = _hash_few(geometry, clue, np.ascontiguousarray(solutions[part].T))
        progress("comparing puzzles", min(start + _AT_ONCE, len(puzzles)), len(puzzles))
    return hashes


def _hash_few(geometry: Geometry, clue: npt.NDArray[np.bool_], solutions: Digits) -> Hashes:
    """Hash cell-major boards (n², N) few enough for their colours to stay in the processor's cache."""
    board = np.arange(clue.shape[1])
    cells_by_digit = np.argsort(solutions, axis=0, kind="stable") * len(board) + board
    digit_of_cell = (solutions.astype(np.intp) - 1) * len(board) + board
    colour: Hashes = np.where(clue, _CLUE, _BLANK)
    for _ in range(_ROUNDS):
        mixed = _mix(colour)
        colour = _colour_of_units(geometry, mixed)
        digits = mixed.ravel()[cells_by_digit].reshape(geometry.side, geometry.side, -1).sum(axis=1)
        colour += _mix(digits + _DIGIT).ravel()[digit_of_cell]
        mixed *= _OWN
        colour += mixed
    total: Hashes = _mix(_mix(colour).sum(axis=0))
    return total


def _colour_of_units(geometry: Geometry, mixed: Hashes) -> Hashes:
    """Return, for each cell (n², N), the gathered colour of its row, column, box, band and stack."""
    lines, boxes = geometry.by_line(mixed), geometry.by_box(mixed)
    # Where the grid may be transposed, rows and columns must not be told apart.
    column_kind = _ROW if geometry.square_boxes else _COLUMN
    rows = _with_siblings(_mix(lines.sum(axis=1) + _ROW), geometry.bands)
    columns = _with_siblings(_mix(lines.sum(axis=0) + column_kind), geometry.stacks)
    of_cell = geometry.row_to_cells(rows) + geometry.column_to_cells(columns)
    of_cell += geometry.box_to_cells(_mix(boxes.sum(axis=3).sum(axis=1) + _BOX))
    return of_cell.reshape(mixed.shape)


def _with_siblings(lines: Hashes, groups: int) -> Hashes:
    """Let rows (n, N) take up the colour of their band, or columns that of their stack."""
    grouped = lines.reshape(groups, -1, lines.shape[-1])
    return _mix((grouped + _mix(grouped.sum(axis=1))[:, None]).reshape(lines.shape))


def _mix(colour: Hashes) -> Hashes:
    """Scramble each number, one to one (the finalizer of the splitmix64 generator)."""
    mixed = colour ^ (colour >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
