"""Which columns of a list hold the puzzle and its solution, as its first line names them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from trm_engine.errors import UsageError
from trm_engine.text import safe_text

SEPARATORS = ",;\t|:"
"""What may stand between columns."""
_IN_TITLES = ":|"
_SPACES = re.compile(r"[\s_-]+")
_SHOWN = 12

PUZZLE_COLUMNS = (
    *("puzzle", "puzzles", "quiz", "quizzes", "question", "questions"),
    *("initial_board", "initial", "initial_state", "start", "board", "boards", "problem", "problems"),
    *("unsolved", "sudoku", "sudokus", "clues", "givens", "input", "inputs", "grid", "grids"),
)
"""Names for the column of puzzles, lower case, the earlier before the later."""
SOLUTION_COLUMNS = (
    *("solution", "solutions", "answer", "answers", "solved", "solution_board", "solved_board"),
    *("output", "outputs", "label", "labels", "target", "targets", "result"),
)
"""Names for the column of solutions, likewise."""


@dataclass(frozen=True)
class Columns:
    """The columns of puzzle and solution, of `count`, and what stands between them."""

    separator: str
    puzzle: int
    solution: int | None
    count: int


@dataclass(frozen=True)
class Names:
    """What the columns of a task's puzzles and solutions may be called, first choice first."""

    puzzle: Sequence[str] = PUZZLE_COLUMNS
    solution: Sequence[str] = SOLUTION_COLUMNS

    @classmethod
    def of(cls, setting: str, puzzle: Sequence[str] = (), solution: Sequence[str] = ()) -> Names:
        """Return the names that `task.columns` gives (PUZZLE or PUZZLE,SOLUTION), or the known ones.

        A task's own names, `puzzle` and `solution`, come before those.
        """
        named = [_plain(name) for name in setting.split(",")] if setting.strip() else []
        if not named:
            return cls((*puzzle, *PUZZLE_COLUMNS), (*solution, *SOLUTION_COLUMNS))
        return cls(named[:1], named[1:2])


def find_columns(header: str, names: Names) -> Columns | None:
    """Return the columns that a line names; None where it names none of puzzles."""
    for separator in SEPARATORS:
        found = [_plain(name) for name in header.split(separator)]
        puzzle, solution = _place(found, names.puzzle), _place(found, names.solution)
        # "Puzzle: hard" is a title.
        if puzzle is not None and (solution is not None or separator not in _IN_TITLES):
            return Columns(separator, puzzle, solution, len(found))
    return None


def require_columns(header: str, names: Names, setting: str) -> None:
    """Raise `UsageError` where `task.columns` names what a first line has not."""
    if setting.strip() and find_columns(header, names) is None:
        separator = max(SEPARATORS, key=header.count)
        there = ", ".join(safe_text(name.strip())[:40] for name in header.split(separator)[:_SHOWN])
        raise UsageError(
            f"[task] columns: the first line has no column {safe_text(names.puzzle[0])}; it has {there}"
        )


def _place(found: Sequence[str], names: Sequence[str]) -> int | None:
    return next((found.index(name) for name in names if name in found), None)


def _plain(name: str) -> str:
    """Return a name as it is compared: lower case, without quotes, one kind of space."""
    return _SPACES.sub("_", name.strip("\ufeff \t\r\n\"'").lower())
