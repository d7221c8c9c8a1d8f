"""Read lists of puzzles: text with a puzzle a line, or CSV with a header."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trm_engine.errors import UsageError
from trm_engine.progress import Progress, silent
from trm_engine.tasks.kit.search import GAVE_UP, MANY
from trm_engine.tasks.puzzle_lists.files import ListFile, readable
from trm_engine.tasks.puzzle_lists.lines import Row, line_fault
from trm_engine.tasks.sudoku.generation.solver import EFFORT, solve
from trm_engine.tasks.sudoku.geometry import Digits, Geometry
from trm_engine.tasks.sudoku.lists.lines import Header, read_header, read_rows
from trm_engine.tasks.sudoku.lists.sample import Sample
from trm_engine.tasks.sudoku.lists.symbols import (
    BLANKS,
    ZERO,
    Symbols,
    Zero,
    ZeroEvidence,
    may_begin_at_zero,
    shown_range,
)
from trm_engine.tasks.sudoku.lists.table import NO_SYMBOL, digit_of_byte, read_table
from trm_engine.tasks.sudoku.puzzles import Puzzles
from trm_engine.tasks.sudoku.rules import INCOMPLETE, first_fault
from trm_engine.text import safe_text

_ROWS_AT_ONCE = 4096
_SOLVED_AT_ONCE = 1024


@dataclass(frozen=True)
class Reading:
    """How a list is read where it does not say so itself: the settings `columns` and `zero` of the task."""

    columns: str = ""
    zero: Zero = "auto"


DEFAULT = Reading()


@dataclass(frozen=True)
class OpenList:
    """A list that can be read: where its columns are, what its symbols mean, what a person should know."""

    file: ListFile
    header: Header | None
    symbols: Symbols
    notes: tuple[str, ...] = ()


def read_list(
    geometry: Geometry,
    path: Path,
    *,
    limit: int | None = None,
    seed: int = 0,
    check_unique: bool = False,
    reading: Reading = DEFAULT,
    progress: Progress = silent,
    effort: int = EFFORT,
    rows_at_once: int = _ROWS_AT_ONCE,
) -> Puzzles:
    """Read a list of puzzles in file order: all of them, or a choice of `limit` drawn with `seed`.

    A line holds a puzzle and, in another column, its solution; or a puzzle is drawn over several lines. What
    is no grid of this size (numbers, names, ratings, titles) is passed over. A header may name the columns.
    Blank lines and lines that begin with # are skipped. Given solutions are checked against the rules, and
    with `check_unique` for being the only ones; missing ones are worked out and must be the only ones.

    Memory holds the choice and a chunk of `rows_at_once`, not the file; `effort` bounds the search for a
    solution. Raises `UsageError` naming file, line and remedy.
    """
    sample = Sample(limit, np.random.default_rng(seed))
    with readable(path) as file:
        found = open_list(geometry, file, reading, progress)
        for puzzles, lines in read_chunks(found, progress, rows_at_once):
            sample.add(puzzles, lines)
        if not sample.total:
            raise UsageError(f"{file.name}: holds no puzzles; write one a line")
        puzzles, lines = sample.chosen()
        solved = _with_solutions(geometry, file, puzzles, lines, check_unique, effort, progress)
    return replace(solved, notes=found.notes)


def open_list(geometry: Geometry, file: ListFile, reading: Reading, progress: Progress) -> OpenList:
    """Find out how a list is written. Raises `UsageError` where its columns are not those of the setting."""
    header = read_header(file, reading.columns)
    if reading.zero != "auto" or not may_begin_at_zero(geometry):
        return OpenList(file, header, Symbols(geometry, reading.zero == "digit"))
    evidence = ZeroEvidence(geometry)
    for row in read_rows(geometry, file, progress, header):
        for grid in (row.puzzle, row.solution):
            if len(grid) == geometry.cells:
                evidence.add(grid)
    one, zero = Symbols(geometry), Symbols(geometry, zero_is_digit=True)
    if not evidence.is_digit:
        return OpenList(file, header, one)
    note = f"{file.name}: 0 is read as a digit ({shown_range(zero.digits)}): {evidence.reason}"
    return OpenList(file, header, zero, (f"{note}; task.zero=blank reads it otherwise",))


def read_chunks(
    found: OpenList, progress: Progress, rows_at_once: int = _ROWS_AT_ONCE
) -> Iterator[tuple[Puzzles, npt.NDArray[np.int64]]]:
    """Yield a list's puzzles in file order, some thousands at a time, and the lines (N,) they stand on.

    All are checked; a solution that is not given is blank. The part of a CSV in which every row is like every
    other is read as a table, at several times the speed. Raises `UsageError` naming file, line and remedy.
    """
    header = found.header
    place = None if header is None else header.end
    if header is not None and header.columns.solution is not None:
        place = yield from read_table(found.symbols, found.file, header, progress)
    rows: list[Row] = []
    for row in read_rows(found.symbols.geometry, found.file, progress, header, place):
        rows.append(row)
        if len(rows) == rows_at_once:
            yield _decode(found, rows)
            rows = []
    if rows:
        yield _decode(found, rows)


def _decode(found: OpenList, rows: Sequence[Row]) -> tuple[Puzzles, npt.NDArray[np.int64]]:
    """Return rows of text as digits, and their lines; raise `UsageError` where one is not sound."""
    geometry = found.symbols.geometry
    lines = np.array([row.line for row in rows], np.int64)
    blank = "." * geometry.cells
    puzzles = Puzzles(
        _to_digits(found, lines, "puzzle", [row.puzzle for row in rows]),
        _to_digits(found, lines, "solution", [row.solution or blank for row in rows]),
    )
    fault = first_fault(geometry, puzzles.clues, puzzles.solutions)
    if fault is not None:
        row_number, what = fault
        if what.startswith(INCOMPLETE) and ZERO in rows[row_number].solution:
            what += f" (0 is a blank here; write the digits {shown_range(found.symbols.digits)})"
        raise line_fault(found.file, lines[row_number], f"{what}; correct or remove the line")
    return puzzles, lines


def _to_digits(found: OpenList, lines: npt.NDArray[np.int64], what: str, texts: Sequence[str]) -> Digits:
    """Return grids of text as digits (N, n²)."""
    symbols, geometry = found.symbols, found.symbols.geometry
    for line, text in zip(lines, texts, strict=True):
        if len(text) != geometry.cells:
            hint = f"a {geometry} grid has {geometry.cells} (task.box_rows and box_cols set its size)"
            raise line_fault(found.file, line, f"the {what} has {len(text)} cells; {hint}")
    # Beyond ASCII only some signs for blanks are cells.
    plain = "".join(texts).translate(_TO_ASCII).encode("ascii", "replace")
    grids = digit_of_byte(symbols)[np.frombuffer(plain.replace(b"?", _NO_CELL), np.uint8)]
    grids = grids.reshape(len(texts), geometry.cells)
    if (grids == NO_SYMBOL).any():
        row, cell = np.argwhere(grids == NO_SYMBOL)[0]
        symbol = safe_text(texts[row][cell])
        raise line_fault(found.file, lines[row], f'cell {cell + 1} of the {what} is "{symbol}"; {symbols}')
    return grids


_TO_ASCII = {ord(sign): "." for sign in BLANKS if not sign.isascii() or sign == "?"}
_NO_CELL = b"!"
"""Stands for a character beyond ASCII that is no blank; `encode` writes it as a question mark."""


def _with_solutions(
    geometry: Geometry,
    file: ListFile,
    puzzles: Puzzles,
    lines: npt.NDArray[np.int64],
    check_unique: bool,
    effort: int,
    progress: Progress,
) -> Puzzles:
    """Work out missing solutions; require them, or with `check_unique` all, to be the only ones."""
    solutions = puzzles.solutions.copy()
    open_rows = np.flatnonzero(~solutions.any(axis=1))
    if check_unique:
        open_rows = np.arange(len(puzzles))
    for start in range(0, len(open_rows), _SOLVED_AT_ONCE):
        rows = open_rows[start : start + _SOLVED_AT_ONCE]
        found = solve(geometry, puzzles.clues[rows], effort=effort)
        if (found.count != 1).any():
            first = int((found.count != 1).argmax())
            raise line_fault(file, lines[rows[first]], _WRONG_COUNT[int(found.count[first])])
        solutions[rows] = found.solution
        progress("solving puzzles", start + len(rows), len(open_rows))
    return Puzzles(puzzles.clues, solutions)


_WRONG_COUNT = {
    0: "the puzzle has no solution; correct or remove the line",
    MANY: "the puzzle has more than one solution; correct or remove the line",
    GAVE_UP: "the puzzle is too hard to solve by search; remove the line",
}
