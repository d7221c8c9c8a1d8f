"""Read lists of mazes: CSV in the layout of the Hub's data sets, or text with a maze a line.

Lines begin and end with spaces that are cells, so nothing here strips them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from trm_engine.errors import UsageError
from trm_engine.progress import Progress, silent
from trm_engine.tasks.examples import Examples
from trm_engine.tasks.maze.rules import Shape, first_fault, has_ends, paths_of, with_path
from trm_engine.tasks.maze.text import LOST_SPACES, Grids, inside, is_edge, to_tokens
from trm_engine.tasks.puzzle_lists.columns import Names, find_columns, require_columns
from trm_engine.tasks.puzzle_lists.files import ListFile, readable
from trm_engine.tasks.puzzle_lists.lines import Bounds, Lines, Row, csv_rows, line_fault
from trm_engine.text import safe_text

_PUZZLE_COLUMNS = ("question", "questions", "puzzle", "puzzles", "maze", "mazes")
_SOLUTION_COLUMNS = ("answer", "answers", "solution", "solutions", "path", "paths")
_EMPTY = "\n"
"""Stands for an empty line, which separates drawings."""
_ROWS_AT_ONCE = 1024
_BOUNDS = Bounds(line=8192, report_every=_ROWS_AT_ONCE, file=2**29)


def read_list(
    shape: Shape,
    path: Path,
    *,
    check_unique: bool = False,
    columns: str = "",
    progress: Progress = silent,
) -> Examples:
    """Read all mazes of a list, with their paths.

    A CSV file (`source,question,answer,rating`) names its columns in a header (`columns` says other names).
    In a text file each line is a maze and, after one space, comma or semicolon, its answer; or mazes are
    drawn, a row a line. A given answer must be a shortest path; where none is given it is found. With
    `check_unique` a maze with several shortest paths is not sound.

    Raises `UsageError` naming file, line and what is wrong.
    """
    parts: list[Examples] = []
    rows: list[Row] = []
    with readable(path) as file:
        for row in _read_rows(shape, file, columns, progress):
            rows.append(row)
            if len(rows) == _ROWS_AT_ONCE:
                parts.append(_decode(shape, file, rows, check_unique))
                rows = []
        if rows:
            parts.append(_decode(shape, file, rows, check_unique))
        if not parts:
            raise UsageError(f"{file.name}: holds no mazes; write one a line")
    return Examples.of(
        np.concatenate([part.inputs for part in parts]), np.concatenate([part.labels for part in parts])
    )


def _decode(shape: Shape, file: ListFile, rows: Sequence[Row], check_unique: bool) -> Examples:
    puzzles = _tokens(shape, file, rows, "maze", [row.puzzle for row in rows])
    answers = _tokens(shape, file, rows, "answer", [row.solution or row.puzzle for row in rows])
    sound = has_ends(puzzles)
    if sound.all():
        paths = paths_of(shape, puzzles)
        several = np.flatnonzero(~paths.unique & (paths.lengths > 0))
        if check_unique and len(several):
            raise line_fault(file, rows[several[0]].line, "the maze has more than one shortest path")
        missing = np.array([not row.solution for row in rows])
        answers = np.where(missing[:, None], with_path(puzzles, paths.cells), answers)
    examples = Examples.of(puzzles, answers)
    fault = first_fault(shape, examples)
    if fault is not None:
        raise line_fault(file, rows[fault[0]].line, fault[1])
    return examples


def _tokens(shape: Shape, file: ListFile, rows: Sequence[Row], what: str, texts: Sequence[str]) -> Grids:
    for row, text in zip(rows, texts, strict=True):
        if len(text) != shape.cells:
            raise line_fault(
                file,
                row.line,
                f"the {what} has {len(text)} cells; a {shape} maze has {shape.cells} "
                f"(task.rows and task.cols set its size; {LOST_SPACES})",
            )
    tokens = to_tokens(texts, shape.cells)
    if not tokens.all():
        number, cell = np.argwhere(tokens == 0)[0]
        symbol = safe_text(texts[number][cell])
        place = shape.place(cell)
        raise line_fault(
            file, rows[number].line, f'{place} of the {what} is "{symbol}"; a cell is one of # space . S G o'
        )
    return tokens


def _read_rows(shape: Shape, file: ListFile, columns: str, progress: Progress) -> Iterator[Row]:
    header = Lines(file, silent, _BOUNDS, str)
    first = next(iter(header), None)
    if first is None:
        return
    names = Names.of(columns, _PUZZLE_COLUMNS, _SOLUTION_COLUMNS)
    require_columns(first, names, columns)
    found = find_columns(first, names)
    if found is not None:
        lines = Lines(file, progress, _BOUNDS, str, header.place)
        yield from csv_rows(lines, iter(lines), found, strict=True)
        return
    lines = Lines(file, progress, _BOUNDS, lambda text: text or _EMPTY)
    yield from (_drawn_rows if _is_drawn(shape, first) else _text_rows)(shape, lines)


def _text_rows(shape: Shape, lines: Lines) -> Iterator[Row]:
    """Yield the mazes of a list with one a line."""
    for text in lines:
        if text != _EMPTY:
            yield _text_row(shape, lines, text)


def _text_row(shape: Shape, lines: Lines, text: str) -> Row:
    cells = shape.cells
    if len(text) == cells:
        return Row(lines.number, text, "")
    if len(text) == 2 * cells + 1 and text[cells] in " ,;\t|:":
        return Row(lines.number, text[:cells], text[cells + 1 :])
    lost = f"; spaces at its ends may have been stripped: {LOST_SPACES}" if len(text) < cells else ""
    raise line_fault(
        lines.file,
        lines.number,
        f"has {len(text)} characters; write a {shape} maze ({cells} cells), at most followed by a space and "
        f'its answer, or give a CSV header that names a column "question"{lost}',
    )


def _is_drawn(shape: Shape, line: str) -> bool:
    """Tell whether a line is the first of a drawing: the edge of a frame, or about as long as a row."""
    return is_edge(line) or shape.cols // 2 < len(inside(line)) <= 2 * shape.cols < shape.cells


def _drawn_rows(shape: Shape, lines: Lines) -> Iterator[Row]:
    """Yield mazes that are drawn, a row a line, with frames or empty lines between them or not."""
    drawn: list[str] = []
    begins = 1
    for text in lines:
        if not drawn:
            begins = lines.number
        if text == _EMPTY and drawn:
            raise _cut_short(shape, lines, begins, len(drawn))
        if text == _EMPTY or is_edge(text):
            continue
        row = inside(text)
        row = row[::2] if len(row) == 2 * shape.cols else row
        if len(row) != shape.cols:
            what = f"row {len(drawn) + 1} of the maze has {len(row)} cells instead of {shape.cols}"
            raise line_fault(lines.file, lines.number, f"{what} ({LOST_SPACES})")
        drawn.append(row)
        if len(drawn) == shape.rows:
            yield Row(begins, "".join(drawn), "")
            drawn = []
    if drawn:
        raise _cut_short(shape, lines, begins, len(drawn))


def _cut_short(shape: Shape, lines: Lines, begins: int, rows: int) -> UsageError:
    what = f"the maze that begins here has {rows} rows; a {shape} maze has {shape.rows}"
    return line_fault(lines.file, begins, f"{what} ({LOST_SPACES})")
