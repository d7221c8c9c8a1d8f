"""Lists of pairs without tasks: a pair a line, each grid as rows of digits (`012/340 98/76`), or as CSV."""

from __future__ import annotations

import re
from pathlib import Path

from trm_engine.errors import UsageError
from trm_engine.tasks.arc.grids import Pair
from trm_engine.tasks.arc.text import parse_grid
from trm_engine.text import format_bytes, safe_text

_BETWEEN = re.compile(r"[\s,;]+")
_HEADER = re.compile(r"[A-Za-z_]+")
_LARGEST = 64 * 2**20
_LONGEST_LINE = 10_000


def read_pairs(path: Path, size: int) -> list[Pair]:
    """Read pairs of grids of at most size × size cells; raise `UsageError` naming file and line.

    Blank lines, lines that begin with # and a CSV header are skipped.
    """
    name = safe_text(str(path))
    pairs = []
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"{name}: is larger than {format_bytes(_LARGEST)}; split it")
        with path.open(encoding="utf-8") as file:
            number = 0
            while line := file.readline(_LONGEST_LINE + 1):
                number += 1
                if len(line) > _LONGEST_LINE:
                    raise UsageError(f"{name}, line {number}: is too long for a pair of grids")
                if (pair := _pair(line, f"{name}, line {number}", size)) is not None:
                    pairs.append(pair)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"{name}: cannot be read: {reason}") from error
    if not pairs:
        raise UsageError(f"{name}: holds no pairs; write one a line, as 012/340 98/76")
    return pairs


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
