"""Lists of pairs without tasks: a pair a line, each grid as rows of digits (`012/340 98/76`), or as CSV."""

from __future__ import annotations

import re
from pathlib import Path

from trm_engine.errors import UsageError
from trm_engine.progress import silent
from trm_engine.tasks.arc.grids import Pair
from trm_engine.tasks.arc.text import parse_grid
from trm_engine.tasks.puzzle_lists.files import is_pipe, readable
from trm_engine.tasks.puzzle_lists.lines import Bounds, Lines

_BETWEEN = re.compile(r"[\s,;|:]+")
_HEADER = re.compile(r"[A-Za-z_]+")
_LARGEST = 64 * 2**20
_BOUNDS = Bounds(line=10_000, report_every=4096, file=_LARGEST)


def read_pairs(path: Path, size: int) -> list[Pair]:
    """Read pairs of grids of at most size × size cells; raise `UsageError` naming file and line.

    Blank lines, lines that begin with # and a CSV header are skipped.
    """
    with readable(path, most=_LARGEST) as file:
        lines = Lines(file, silent, _BOUNDS, str.strip)
        read = (_pair(line, f"{file.name}, line {lines.number}", size) for line in lines)
        pairs = [pair for pair in read if pair is not None]
        if not pairs:
            raise UsageError(f"{file.name}: holds no pairs; write one a line, as 012/340 98/76")
    return pairs


def is_list(path: Path) -> bool:
    """Tell whether a path is such a list, by its name, or what comes through a pipe."""
    try:
        return path.suffix.lower() in (".txt", ".csv") or is_pipe(path)
    except (OSError, ValueError):
        return False


def _pair(line: str, where: str, size: int) -> Pair | None:
    words = [word for word in _BETWEEN.split(line) if word]
    if not words or words[0].startswith("#") or _HEADER.fullmatch(words[0]):
        return None
    if len(words) != 2:
        raise UsageError(f"{where}: must be two grids, input and output, but is {len(words)}")
    try:
        return Pair(parse_grid(words[0], size), parse_grid(words[1], size))
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
