"""Read lists of puzzles: text with a puzzle a line, or CSV with a header."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trm_engine.errors import UsageError
from trm_engine.progress import Progress, silent
from trm_engine.tasks.puzzle_lists import Row, line_fault
from trm_engine.tasks.search import GAVE_UP, MANY
from trm_engine.tasks.sudoku.geometry import Digits, Geometry
from trm_engine.tasks.sudoku.lines import read_header, read_rows
from trm_engine.tasks.sudoku.puzzles import Puzzles
from trm_engine.tasks.sudoku.rules import first_fault
from trm_engine.tasks.sudoku.sample import Sample
from trm_engine.tasks.sudoku.solver import solve
from trm_engine.tasks.sudoku.table import NO_SYMBOL, digit_of_byte, read_table
from trm_engine.tasks.sudoku.text import say_symbols
from trm_engine.text import safe_text

_ROWS_AT_ONCE = 4096
_SOLVED_AT_ONCE = 1024


def read_list(
    geometry: Geometry,
    path: Path,
    *,
    limit: int | None = None,
    seed: int = 0,
    check_unique: bool = False,
    progress: Progress = silent,
) -> Puzzles:
    """Read a list of puzzles in file order: all of them, or a choice of `limit` drawn with `seed`.

    A line holds a puzzle and, after spaces, a comma or a semicolon, its solution; `.` or `0` is a blank,
    digits above 9 are letters. Blank lines and lines that begin with # are skipped. A CSV file names its
    columns in a header (`puzzle`, `quizzes`, `question`; `solution`, `answer`; …). Given solutions are
    checked against the rules, and with `check_unique` for being the only ones; missing ones are worked out
    and must be the only ones.

    Memory holds the choice and a chunk, not the file. Raises `UsageError` naming file, line and remedy.
    """
    sample = Sample(limit, np.random.default_rng(seed))
    for puzzles, lines in read_chunks(geometry, path, progress):
        sample.add(puzzles, lines)
    if not sample.total:
        raise UsageError(f"{safe_text(str(path))}: holds no puzzles; write one a line")
    puzzles, lines = sample.chosen()
    return _with_solutions(geometry, path, puzzles, lines, check_unique, progress)


def read_chunks(
    geometry: Geometry, path: Path, progress: Progress
) -> Iterator[tuple[Puzzles, npt.NDArray[np.int64]]]:
    """Yield a list's puzzles in file order, some thousands at a time, and the lines (N,) they stand on.

    All are checked; a solution that is not given is blank. The part of a CSV in which every row is like every
    other is read as a table, at several times the speed. Raises `UsageError` naming file, line and remedy.
    """
    header = read_header(path)
    place = None if header is None else header.end
    if header is not None and header.solution is not None:
        place = yield from read_table(geometry, path, header, progress)
    rows: list[Row] = []
    for row in read_rows(geometry, path, progress, header, place):
        rows.append(row)
        if len(rows) == _ROWS_AT_ONCE:
            yield _decode(geometry, path, rows)
            rows = []
    if rows:
        yield _decode(geometry, path, rows)


def _decode(geometry: Geometry, path: Path, rows: Sequence[Row]) -> tuple[Puzzles, npt.NDArray[np.int64]]:
    """Return rows of text as digits, and their lines; raise `UsageError` where one is not sound."""
    lines = np.array([row.line for row in rows], np.int64)
    blank = "." * geometry.cells
    puzzles = Puzzles(
        _to_digits(geometry, path, lines, "puzzle", [row.puzzle for row in rows]),
        _to_digits(geometry, path, lines, "solution", [row.solution or blank for row in rows]),
    )
    fault = first_fault(geometry, puzzles.clues, puzzles.solutions)
    if fault is not None:
        row_number, what = fault
        raise line_fault(path, lines[row_number], f"{what}; correct or remove the line")
    return puzzles, lines


def _to_digits(
    geometry: Geometry, path: Path, lines: npt.NDArray[np.int64], what: str, texts: Sequence[str]
) -> Digits:
    """Return grids of text as digits (N, n²)."""
    for line, text in zip(lines, texts, strict=True):
        if len(text) != geometry.cells:
            hint = f"a {geometry} grid has {geometry.cells} (task.box_rows and box_cols set its size)"
            raise line_fault(path, line, f"the {what} has {len(text)} cells; {hint}")
    digit = digit_of_byte(geometry)
    # Beyond ASCII nothing is a cell: each such character becomes one "?".
    grids = digit[np.frombuffer("".join(texts).encode("ascii", "replace"), np.uint8)]
    grids = grids.reshape(len(texts), geometry.cells)
    if (grids == NO_SYMBOL).any():
        row, cell = np.argwhere(grids == NO_SYMBOL)[0]
        symbol = safe_text(texts[row][cell])
        raise line_fault(
            path, lines[row], f'cell {cell + 1} of the {what} is "{symbol}"; {say_symbols(geometry)}'
        )
    return grids


def _with_solutions(
    geometry: Geometry,
    path: Path,
    puzzles: Puzzles,
    lines: npt.NDArray[np.int64],
    check_unique: bool,
    progress: Progress,
) -> Puzzles:
    """Work out missing solutions; require them, or with `check_unique` all, to be the only ones."""
    solutions = puzzles.solutions.copy()
    open_rows = np.flatnonzero(~solutions.any(axis=1))
    if check_unique:
        open_rows = np.arange(len(puzzles))
    for start in range(0, len(open_rows), _SOLVED_AT_ONCE):
        rows = open_rows[start : start + _SOLVED_AT_ONCE]
        found = solve(geometry, puzzles.clues[rows])
        if (found.count != 1).any():
            first = int((found.count != 1).argmax())
            raise line_fault(path, lines[rows[first]], _WRONG_COUNT[int(found.count[first])])
        solutions[rows] = found.solution
        progress("solving puzzles", start + len(rows), len(open_rows))
    return Puzzles(puzzles.clues, solutions)


_WRONG_COUNT = {
    0: "the puzzle has no solution; correct or remove the line",
    MANY: "the puzzle has more than one solution; correct or remove the line",
    GAVE_UP: "the puzzle is too hard to solve by search; remove the line",
}
