"""Read lists of mazes: CSV in the layout of the Hub's data sets, or text with a maze a line.

Lines begin and end with spaces that are cells, so nothing here strips them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from trm_engine.errors import UsageError
from trm_engine.progress import Progress, silent
from trm_engine.tasks.base import Examples
from trm_engine.tasks.maze.rules import Shape, first_fault, has_ends, paths_of, with_path
from trm_engine.tasks.maze.text import Grids, to_tokens
from trm_engine.tasks.puzzle_lists import Bounds, Lines, Row, csv_rows, find_column, line_fault
from trm_engine.text import safe_text

_PUZZLE_COLUMNS = ("question", "questions", "puzzle", "puzzles", "maze", "mazes")
_SOLUTION_COLUMNS = ("answer", "answers", "solution", "solutions", "path", "paths")
_ROWS_AT_ONCE = 1024
_BOUNDS = Bounds(line=8192, report_every=_ROWS_AT_ONCE, file=2**29)


def read_list(
    shape: Shape, path: Path, *, check_unique: bool = False, progress: Progress = silent
) -> Examples:
    """Read all mazes of a list, with their paths.

    A CSV file (`source,question,answer,rating`) names its columns in a header. In a text file each line is a
    maze and, after one space, comma or semicolon, its answer. A given answer must be a shortest path; where
    none is given it is found. With `check_unique` a maze with several shortest paths is not sound.

    Raises `UsageError` naming file, line and what is wrong.
    """
    parts: list[Examples] = []
    rows: list[Row] = []
    for row in _read_rows(shape, path, progress):
        rows.append(row)
        if len(rows) == _ROWS_AT_ONCE:
            parts.append(_decode(shape, path, rows, check_unique))
            rows = []
    if rows:
        parts.append(_decode(shape, path, rows, check_unique))
    if not parts:
        raise UsageError(f"{safe_text(str(path))}: holds no mazes; write one a line")
    return Examples.of(
        np.concatenate([part.inputs for part in parts]), np.concatenate([part.labels for part in parts])
    )


def _decode(shape: Shape, path: Path, rows: Sequence[Row], check_unique: bool) -> Examples:
    puzzles = _tokens(shape, path, rows, "maze", [row.puzzle for row in rows])
    answers = _tokens(shape, path, rows, "answer", [row.solution or row.puzzle for row in rows])
    sound = has_ends(puzzles)
    if sound.all():
        paths = paths_of(shape, puzzles)
        several = np.flatnonzero(~paths.unique & (paths.lengths > 0))
        if check_unique and len(several):
            raise line_fault(path, rows[several[0]].line, "the maze has more than one shortest path")
        missing = np.array([not row.solution for row in rows])
        answers = np.where(missing[:, None], with_path(puzzles, paths.cells), answers)
    examples = Examples.of(puzzles, answers)
    fault = first_fault(shape, examples)
    if fault is not None:
        raise line_fault(path, rows[fault[0]].line, fault[1])
    return examples


def _tokens(shape: Shape, path: Path, rows: Sequence[Row], what: str, texts: Sequence[str]) -> Grids:
    for row, text in zip(rows, texts, strict=True):
        if len(text) != shape.cells:
            raise line_fault(
                path,
                row.line,
                f"the {what} has {len(text)} cells; a {shape} maze has {shape.cells} "
                "(task.rows and task.cols set its size; spaces count)",
            )
    tokens = to_tokens(texts, shape.cells)
    if not tokens.all():
        number, cell = np.argwhere(tokens == 0)[0]
        symbol = safe_text(texts[number][cell])
        place = shape.place(cell)
        raise line_fault(
            path, rows[number].line, f'{place} of the {what} is "{symbol}"; a cell is one of # space . S G o'
        )
    return tokens


def _read_rows(shape: Shape, path: Path, progress: Progress) -> Iterator[Row]:
    lines = Lines(path, progress, _BOUNDS, str)
    texts = iter(lines)
    first = next(texts, None)
    if first is None:
        return
    header = [name.strip(' "').lower() for name in first.split(",")]
    puzzle = find_column(header, _PUZZLE_COLUMNS)
    if puzzle is not None:
        yield from csv_rows(lines, texts, puzzle, find_column(header, _SOLUTION_COLUMNS), strict=True)
        return
    yield _text_row(shape, path, lines.number, first)
    for text in texts:
        yield _text_row(shape, path, lines.number, text)


def _text_row(shape: Shape, path: Path, number: int, text: str) -> Row:
    cells = shape.cells
    if len(text) == cells:
        return Row(number, text, "")
    if len(text) == 2 * cells + 1 and text[cells] in " ,;\t":
        return Row(number, text[:cells], text[cells + 1 :])
    raise line_fault(
        path,
        number,
        f"has {len(text)} characters; write a {shape} maze ({cells} cells), at most followed by a space and "
        'its answer, or give a CSV header that names a column "question"',
    )
