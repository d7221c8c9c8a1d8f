"""The regular part of a CSV of puzzles, read as a table of bytes: millions of rows in seconds."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import numpy.typing as npt

from trm_engine.errors import UsageError
from trm_engine.progress import Progress
from trm_engine.tasks.puzzle_lists.files import ListFile
from trm_engine.tasks.puzzle_lists.lines import Place
from trm_engine.tasks.sudoku.geometry import Digits
from trm_engine.tasks.sudoku.lists.lines import MAX_LINE, Header
from trm_engine.tasks.sudoku.lists.symbols import Symbols
from trm_engine.tasks.sudoku.puzzles import Puzzles
from trm_engine.tasks.sudoku.rules import first_fault

NO_SYMBOL = 255
_BLOCK_BYTES = 2**20
_NEWLINE, _RETURN, _QUOTE, _COMMENT = b'\n\r"#'
_Bytes = npt.NDArray[np.uint8]
_Offsets = npt.NDArray[np.intp]
Chunks = Generator[tuple[Puzzles, npt.NDArray[np.int64]], None, Place]


def digit_of_byte(symbols: Symbols) -> _Bytes:
    """Return the digit (256,) that each ASCII byte stands for: 0 for a blank, `NO_SYMBOL` for no cell."""
    digit = np.full(256, NO_SYMBOL, np.uint8)
    for symbol, value in symbols.values.items():
        if symbol.isascii():
            digit[ord(symbol)] = value
    return digit


def read_table(symbols: Symbols, list_file: ListFile, header: Header, progress: Progress) -> Chunks:
    """Yield puzzles with their solutions, and the lines (N,) they stand on, as long as all rows are regular.

    A regular row has as many separators as the header, no quote, and cells only in its puzzle and solution.
    Returns the place before the first block of rows that is not, or has a puzzle that is not sound: what is
    wrong there, or merely unusual, is for the reader of single lines to say. Raises `UsageError` for a file
    that cannot be read.
    """
    digit = digit_of_byte(symbols)
    offset, line = header.end
    try:
        with list_file.path.open("rb") as file:
            size = list_file.path.stat().st_size
            while True:
                file.seek(offset)
                block = file.read(_BLOCK_BYTES)
                if len(block) == _BLOCK_BYTES:
                    block = block[: block.rfind(b"\n") + 1]
                elif block and not block.endswith(b"\n"):
                    block += b"\n"
                if not block:
                    return Place(offset, line)
                puzzles = _read_block(symbols, np.frombuffer(block, np.uint8), header, digit)
                if puzzles is None or first_fault(symbols.geometry, puzzles.clues, puzzles.solutions):
                    return Place(offset, line)
                yield puzzles, np.arange(line + 1, line + 1 + len(puzzles))
                offset, line = offset + len(block), line + len(puzzles)
                progress(f"reading {list_file.path.name}", min(offset, size), size)
    except OSError as error:
        raise UsageError(f"{list_file.name}: cannot be read: {error.strerror}") from error


def _read_block(symbols: Symbols, block: _Bytes, header: Header, digit: _Bytes) -> Puzzles | None:
    """Read whole lines as digits; None where one is not regular, or there are none."""
    if (block == _QUOTE).any() or (block == _COMMENT).any():
        return None
    ends = np.flatnonzero(block == _NEWLINE)
    columns, cells = header.columns, symbols.geometry.cells
    separators = np.flatnonzero(block == ord(columns.separator))
    per_row = columns.count - 1
    if not len(ends) or len(separators) != per_row * len(ends):
        return None
    starts = np.concatenate([[0], ends[:-1] + 1])
    if (ends - starts > MAX_LINE).any():
        return None
    ends = ends - (block[ends - 1] == _RETURN)
    bounds = np.column_stack([starts - 1, separators.reshape(len(ends), per_row), ends])
    if (np.diff(bounds, axis=1) <= 0).any() or (bounds[1:, 0] < bounds[:-1, -1]).any():
        return None
    grids = []
    for column in (columns.puzzle, columns.solution or 0):
        first, last = bounds[:, column] + 1, bounds[:, column + 1]
        if (last - first != cells).any():
            return None
        grids.append(_gather(block, first, cells, digit))
    clues, solutions = grids
    if (clues == NO_SYMBOL).any() or (solutions == NO_SYMBOL).any():
        return None
    return Puzzles(clues, solutions)


def _gather(block: _Bytes, first: _Offsets, cells: int, digit: _Bytes) -> Digits:
    """Return the digits (N, cells) of fields that begin at `first` (N,)."""
    windows = np.lib.stride_tricks.sliding_window_view(block, cells)
    found: Digits = digit[windows[first]]
    return found
