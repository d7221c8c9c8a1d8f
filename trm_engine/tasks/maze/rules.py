"""The rules of a maze applied to answers: whether one is a path from start to goal, and none is shorter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trm_engine.tasks.base import Fault, Verdict
from trm_engine.tasks.examples import Examples, Tokens
from trm_engine.tasks.kit.symmetry import Images, reflections
from trm_engine.tasks.maze.paths import (
    Bits,
    Cells,
    Flags,
    ShortestPaths,
    first_cells,
    flood,
    one_cell,
    shortest_paths,
    to_bits,
)
from trm_engine.tasks.maze.text import GOAL, OPEN, PATH, START, WALL

AT_ONCE = 512
_NAMES = {WALL: "a wall", OPEN: "an open cell", START: "the start", GOAL: "the goal", PATH: "a path"}

_NO_WAY = "no path leads from the start to the goal of the maze"


@dataclass(frozen=True)
class Shape:
    """Rows and columns of a grid."""

    rows: int
    cols: int

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.rows * self.cols

    @property
    def images(self) -> Images:
        """The reflections and rotations of the grid."""
        return reflections(self.rows, self.cols)

    def __str__(self) -> str:
        return f"{self.rows}×{self.cols}"

    def place(self, cell: int) -> str:
        """Name a cell for people, counting from 1."""
        row, column = divmod(int(cell), self.cols)
        return f"row {row + 1}, column {column + 1}"


def paths_of(shape: Shape, puzzles: Tokens) -> ShortestPaths:
    """Return the shortest paths of mazes (N, cells) that have one start and one goal each."""
    parts = []
    for first in range(0, len(puzzles), AT_ONCE):
        some = puzzles[first : first + AT_ONCE]
        parts.append(shortest_paths(_open(shape, some), _at(some, START), _at(some, GOAL), shape.cols))
    if not parts:
        return ShortestPaths(
            np.zeros((0, shape.cells), np.bool_), np.zeros(0, np.int64), np.zeros(0, np.bool_)
        )
    return ShortestPaths(*(np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS))


_FIELDS = ("cells", "lengths", "unique")


def with_path(puzzles: Tokens, path: Flags) -> Tokens:
    """Return mazes (N, cells) with the cells of a path between start and goal marked."""
    return np.where((puzzles == OPEN) & path, PATH, puzzles).astype(np.uint8)


def solved(shape: Shape, puzzles: Tokens, answers: Tokens) -> Flags:
    """Tell which answers (N, cells) mark a shortest path of their maze, any of them, and change nothing."""
    free = puzzles == OPEN
    marked = free & (answers == PATH)
    right = ((answers == puzzles) | marked).all(axis=1) & has_ends(puzzles)
    rows = np.flatnonzero(right)
    lengths = paths_of(shape, puzzles[rows]).lengths
    # As many cells as the shortest path has, and they connect start and goal: then they are such a path.
    rows = rows[(lengths > 0) & (marked[rows].sum(axis=1) + 2 == lengths)]
    found = np.zeros(len(puzzles), np.bool_)
    for first in range(0, len(rows), AT_ONCE):
        some = rows[first : first + AT_ONCE]
        found[some] = (_reached(shape, puzzles[some], marked[some]) & _goals(shape, puzzles[some])).any(
            axis=0
        )
    return found


def has_ends(puzzles: Tokens) -> Flags:
    """Tell which mazes (N, cells) have exactly one start and one goal."""
    found: Flags = ((puzzles == START).sum(axis=1) == 1) & ((puzzles == GOAL).sum(axis=1) == 1)
    return found


def check(shape: Shape, puzzle: Tokens, answer: Tokens) -> Verdict:
    """Judge an answer (cells,) to a maze (cells,): any shortest path is right."""
    wrong = faults(shape, puzzle, answer)
    if wrong:
        return Verdict(False, wrong[0].reason)
    shortest = paths_of(shape, puzzle[None])
    which = "the shortest path" if shortest.unique[0] else "one of several shortest paths"
    return Verdict(True, f"{which}: {shortest.lengths[0]} cells with start and goal")


def faults(shape: Shape, puzzle: Tokens, answer: Tokens) -> list[Fault]:
    """Return what is wrong with an answer: cells that changed; else the first of these that holds.

    The path breaks off; it is not the only thing marked; it is not the shortest.
    """
    marked = (puzzle == OPEN) & (answer == PATH)
    changed = np.flatnonzero((answer != puzzle) & ~marked).tolist()
    if changed:
        return [_changed(shape, puzzle, answer, cell) for cell in changed]
    shortest = paths_of(shape, puzzle[None])
    if not shortest.lengths[0]:
        return [Fault((), _NO_WAY)]
    reached = flood(_marked(shape, puzzle[None], marked[None]), _starts(shape, puzzle[None]), shape.cells)
    if not (reached.reached & _goals(shape, puzzle[None])).any():
        end = int(first_cells(reached.last, shape.cols)[0])
        return [Fault((end,), f"no path: it breaks off at {shape.place(end)}")]
    way = _way(shape, puzzle, marked)
    stray = _numbers(marked & ~way.cells[0])
    if stray:
        cells = "1 cell" if len(stray) == 1 else f"{len(stray)} cells"
        return [Fault(stray, f"marks a path and {cells} beside it")]
    more = int(way.lengths[0] - shortest.lengths[0])
    if not more:
        return []
    than = f"than the shortest ({shortest.lengths[0]} cells)"
    return [Fault(_numbers(marked), f"a path, but {more} cells longer {than}")]


def first_fault(shape: Shape, examples: Examples) -> tuple[int, str] | None:
    """Find the first row that is no maze with a shortest path as its label; return its index and why."""
    puzzles, labels = examples.inputs, examples.labels
    sound = has_ends(puzzles) & ((puzzles >= WALL) & (puzzles <= GOAL)).all(axis=1)
    sound &= solved(shape, puzzles, labels)
    if sound.all():
        return None
    row = int(sound.argmin())
    puzzle = puzzles[row]
    for token, name in ((START, "starts (S)"), (GOAL, "goals (G)")):
        count = int((puzzle == token).sum())
        if count != 1:
            return row, f"the maze has {count} {name} instead of one"
    strange = np.flatnonzero((puzzle < WALL) | (puzzle > GOAL))
    if len(strange):
        return row, f"{shape.place(strange[0])} of the maze is neither wall, open, start nor goal"
    if not paths_of(shape, puzzle[None]).lengths[0]:
        return row, _NO_WAY
    reason = check(shape, puzzle, labels[row]).reason
    return row, f"the answer {'is ' if reason.startswith(('a path', 'no path')) else ''}{reason}"


def _changed(shape: Shape, puzzle: Tokens, answer: Tokens, cell: int) -> Fault:
    before, after = (_NAMES.get(int(tokens[cell]), "no cell") for tokens in (puzzle, answer))
    return Fault((cell,), f"changes {before} to {after} at {shape.place(cell)}")


def _numbers(cells: Flags) -> tuple[int, ...]:
    return tuple(np.flatnonzero(cells).tolist())


def _way(shape: Shape, puzzle: Tokens, marked: Flags) -> ShortestPaths:
    """Return the shortest way from start to goal over marked cells (cells,) alone."""
    walls_elsewhere = np.where((puzzle == OPEN) & ~marked, WALL, puzzle)
    return paths_of(shape, walls_elsewhere[None])


def _reached(shape: Shape, puzzles: Tokens, marked: Flags) -> Bits:
    return flood(_marked(shape, puzzles, marked), _starts(shape, puzzles), shape.cells).reached


def _marked(shape: Shape, puzzles: Tokens, marked: Flags) -> Bits:
    return to_bits(marked | (puzzles == START) | (puzzles == GOAL), shape.rows)


def _open(shape: Shape, puzzles: Tokens) -> Bits:
    return to_bits(puzzles != WALL, shape.rows)


def _starts(shape: Shape, puzzles: Tokens) -> Bits:
    return one_cell(_at(puzzles, START), shape.rows, shape.cols)


def _goals(shape: Shape, puzzles: Tokens) -> Bits:
    return one_cell(_at(puzzles, GOAL), shape.rows, shape.cols)


def _at(puzzles: Tokens, token: int) -> Cells:
    found: Cells = (puzzles == token).argmax(axis=1)
    return found
