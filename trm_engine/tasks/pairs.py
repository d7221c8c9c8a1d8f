"""Lists of puzzles with their solutions as text: CSV with a header, or a pair of words a line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trm_engine.errors import UsageError
from trm_engine.progress import Progress
from trm_engine.tasks.puzzle_lists import Bounds, Lines, csv_rows, find_column, line_fault
from trm_engine.text import safe_text

PUZZLE_COLUMNS = ("puzzle", "puzzles", "question", "questions", "quiz", "quizzes")
SOLUTION_COLUMNS = ("solution", "solutions", "answer", "answers")
_BOUNDS = Bounds(line=8192, report_every=1024, file=2**28)


@dataclass(frozen=True)
class Pair:
    """A puzzle as text, its solution (or nothing), and where it stands."""

    path: Path
    line: int
    puzzle: str
    solution: str

    @contextmanager
    def named(self) -> Iterator[None]:
        """Let a `UsageError` raised within name the file and the line."""
        try:
            yield
        except UsageError as error:
            raise line_fault(self.path, self.line, str(error)) from error


def read_pairs(path: Path, progress: Progress) -> Iterator[Pair]:
    """Yield the pairs of a list, at least one; blank lines and comments (`# …`) are skipped.

    A CSV file names its columns in a header (`puzzle`, `question`, …; `solution`, `answer`, …). In a text
    file each line is a puzzle and, after blanks, its solution. Raises `UsageError` naming file and line.
    """
    lines = Lines(path, progress, _BOUNDS, _saying)
    texts = iter(lines)
    first = next(texts, None)
    if first is None:
        raise UsageError(f"{safe_text(str(path))}: holds no puzzles; write one a line")
    header = [name.strip(' "').lower() for name in first.split(",")]
    puzzle = find_column(header, PUZZLE_COLUMNS)
    if puzzle is not None:
        found = False
        for row in csv_rows(lines, texts, puzzle, find_column(header, SOLUTION_COLUMNS), strict=True):
            found = True
            yield Pair(path, row.line, row.puzzle.strip(), row.solution.strip())
        if not found:
            raise UsageError(f"{safe_text(str(path))}: holds no puzzles; write one a line")
        return
    yield _text_pair(path, lines.number, first)
    for text in texts:
        yield _text_pair(path, lines.number, text)


def _text_pair(path: Path, number: int, text: str) -> Pair:
    words = text.split()
    if len(words) > 2:
        what = f"holds {len(words)} words; write a puzzle and at most its solution, or give a CSV header"
        raise line_fault(path, number, what)
    return Pair(path, number, words[0], words[1] if len(words) == 2 else "")


def _saying(text: str) -> str:
    text = text.strip()
    return "" if text.startswith("# ") or text == "#" else text
